"""The yardstick of a model that no registry knows."""

import pyarrow as pa
import pytest

from tests.unit.usecases.intake_stage import NIGHT, append, loans, monitor, ports
from vigil.core.errors import DataError
from vigil.usecases.look import reference_from
from vigil.usecases.reference import REFERENCE, set_reference, yardstick_rows

WATCHED = monitor(source={"outcomes": {"label": "paid", "after_days": 3}})


@pytest.fixture
def stores(tmp_path):
    return ports(tmp_path)


def set_from(stores, path, watched=WATCHED, **how):
    rows = reference_from(stores, watched, path)
    return set_reference(stores, watched, rows, origin=path, actor="ada", **how)


def good(count=60, **columns):
    """A holdout: loans without ids and times."""
    return loans(count, ref=None, asked_on=None).assign(paid=["paid", "default"] * (count // 2), **columns)


def test_the_rows_of_a_file_become_the_yardstick_in_vigil_s_words(stores, tmp_path):
    good().to_csv(tmp_path / "holdout.csv", index=False)
    done = set_from(stores, "holdout.csv")
    assert (done.rows, done.frozen) == (60, True)
    kept = yardstick_rows(stores, WATCHED, "unversioned").to_pylist()
    assert len(kept) == 60
    assert (kept[0]["income"], kept[0]["prediction"], kept[0]["label"]) == (1000.0, "grant", "paid")
    assert stores.profiles.baseline("loans", REFERENCE).rows == 60


def test_a_second_reference_replaces_the_first_keeps_the_bins_and_both_are_recorded(stores, tmp_path):
    good().to_csv(tmp_path / "a.csv", index=False)
    good(80, income=range(80)).to_csv(tmp_path / "b.csv", index=False)
    first, second = set_from(stores, "a.csv"), set_from(stores, "b.csv")
    assert (second.rows, second.frozen, second.edges_digest) == (80, False, first.edges_digest)
    assert yardstick_rows(stores, WATCHED, "unversioned").num_rows == 80
    (stream,) = stores.ledger.streams("model/")
    told = [event.payload for event in stores.ledger.read(stream) if event.type == "reference_set"]
    assert [(p["origin"], p["rows"], p["by"]) for p in told] == [("a.csv", 60, "ada"), ("b.csv", 80, "ada")]


def test_the_bins_are_made_anew_where_a_feature_has_none_or_where_that_is_asked_for(stores, tmp_path):
    fewer = monitor(features={"income": "numeric"})
    good().to_csv(tmp_path / "a.csv", index=False)
    first = set_from(stores, "a.csv", fewer)
    both = set_from(stores, "a.csv")
    assert both.frozen
    assert both.edges_digest != first.edges_digest
    good(80, income=range(80)).to_csv(tmp_path / "b.csv", index=False)
    assert set_from(stores, "b.csv", refit=True).frozen


def test_too_few_rows_tell_nothing(stores, tmp_path):
    good(28).to_csv(tmp_path / "holdout.csv", index=False)
    with pytest.raises(DataError, match=r"holdout\.csv: a reference of 28 rows tells nothing; give it at least 30"):
        set_from(stores, "holdout.csv")


def test_a_reference_with_other_columns_names_the_one_that_is_missing_and_how_many_more(stores, tmp_path):
    good().rename(columns={"income": "incomes"}).to_csv(tmp_path / "holdout.csv", index=False)
    with pytest.raises(
        DataError, match=r"holdout\.csv: there is no column 'income'; did you mean 'incomes'\?.*has every"
    ):
        set_from(stores, "holdout.csv")
    good().rename(columns={"income": "x", "city": "y"}).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(DataError, match=r"no column 'income'.* \(and 1 more of the features\)\. A reference has every"):
        set_from(stores, "other.csv")
    assert yardstick_rows(stores, WATCHED, "unversioned") is None


def test_a_reference_without_the_score_that_the_source_names_is_refused(stores, tmp_path):
    good().drop(columns="risk").to_csv(tmp_path / "holdout.csv", index=False)
    with pytest.raises(DataError, match=r"columns\.score: there is no column 'risk'"):
        set_from(stores, "holdout.csv")


def test_a_file_that_is_the_reference_too_is_still_to_be_taken_as_a_log(stores, tmp_path):
    from vigil.usecases.ingest import ingest

    append(tmp_path / "loans.csv", loans(40).assign(paid="paid"))
    set_from(stores, "loans.csv")
    assert ingest(stores, WATCHED, NIGHT, NIGHT).new == 40


def test_a_version_with_a_holdout_of_its_own_is_compared_with_that(stores):
    assert yardstick_rows(stores, WATCHED, "unversioned") is None
    rows = pa.Table.from_pandas(good().rename(columns={"risk": "score", "answer": "prediction"}), preserve_index=False)
    set_reference(stores, WATCHED, rows, origin="made", actor="ada")
    assert yardstick_rows(stores, WATCHED, "7").num_rows == 60


def test_a_reference_may_lack_what_only_a_log_has(stores, tmp_path):
    watched = monitor(
        sums=["amount"], flags={"refusal": ["refused"]}, strata="branch",
        source={"outcomes": {"label": "paid", "after_days": 3}, "columns": {"amount": "sum_eur", "score": "risk",
                "prediction": "answer"}, "bands": {"branch": {"column": "no", "edges": [1], "labels": ["a", "b"]}}},
    )  # fmt: skip
    good(refused=[0, 1] * 30).to_csv(tmp_path / "holdout.csv", index=False)
    assert set_from(stores, "holdout.csv", watched).rows == 60
    made = stores.profiles.baseline("loans", REFERENCE)
    assert (made.flags, made.sums) == ({"refused": (30, 60)}, {})
