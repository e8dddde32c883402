"""DuckDB's counts against pandas, numpy and scikit-learn, on data as bad as they come."""

import hashlib
import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import brier_score_loss, confusion_matrix, log_loss

from tests.unit.adapters.log_stage import LATER, NIGHT, NINE, monitor, outcome, row, rows, table
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.core.words import Role
from vigil.profiles.aggregates import HASHES
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES, edges_digest, fit
from vigil.profiles.merge import merge_all
from vigil.profiles.types import Edges, Key, Profile

WINDOW = night_window(NIGHT, "UTC")
EDGES = Edges(numeric={"income": (0.0, 50.0, 200.0)}, levels={"city": ("Bonn", "Köln")})
NASTY = [
    "<script>alert(1)</script>",
    "<!channel>",
    "🦜",
    "o'clock; DROP TABLE night",
    'q"uote',
    "a\tb\n",
    "",
    "(missing)",
]


def profiled(given, *, watched=None, edges=EDGES, **told) -> Profile:
    rows_ = given if isinstance(given, pa.Table) else table(given)
    role, version = told.get("role", Role.CHAMPION), told.get("version", "1")
    return DuckDBScanner().scan_table(watched or monitor(), rows_, edges, night=NIGHT, version=version, role=role)


def scanned(
    tmp_path, given, outcomes=(), *, watched=None, window=WINDOW, edges=EDGES, night=NIGHT
) -> dict[Key, Profile]:
    log, watched = ParquetLog(tmp_path), watched or monitor()
    log.write_predictions("credit", table(given), batch_id="b")
    if outcomes:
        log.write_outcomes("credit", table(outcomes), batch_id="t")
    return dict(DuckDBScanner().scan(watched, log.partition(watched, window), edges, night))


def only(found) -> Profile:
    (profile,) = found.values()
    return profile


def numpy_bins(values, edges) -> tuple[int, ...]:
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    return tuple(np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1).tolist())


# numeric columns


@pytest.mark.parametrize("seed", range(3))
def test_numeric_columns_agree_with_numpy_on_awkward_values(seed):
    chance = np.random.default_rng(seed)
    values = chance.normal(size=400) * 10.0 ** chance.integers(-9, 10, 400)
    values[:40] = chance.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e300], 40)
    edges = tuple(sorted({*chance.choice(values[np.isfinite(values)], 25).tolist(), 0.1, 1 / 3}))
    found = profiled(
        pa.Table.from_pylist([row(f"p{i}", income=v) for i, v in enumerate(values)]),
        edges=Edges(numeric={"income": edges}, levels=EDGES.levels),
    ).columns.numeric["income"]
    finite = values[np.isfinite(values)]
    assert (found.rows, found.nulls, found.wrong_type) == (400, 0, 0)
    assert (found.nans, found.infs) == (np.isnan(values).sum(), np.isinf(values).sum())
    assert found.bins == numpy_bins(values, edges)
    assert (found.smallest, found.largest) == (finite.min(), finite.max())
    assert found.total == pytest.approx(math.fsum(finite), rel=1e-9)
    assert found.low_tail == pytest.approx(math.fsum(finite[finite <= edges[1]]), rel=1e-9)
    assert found.high_tail == pytest.approx(math.fsum(finite[finite > edges[-2]]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "values", [[0.1] * 7, [n / 10 for n in range(200)], [0.7, 0.3, 1e-9, 3e38], [1.7e9, 1.7e9 + 1]]
)
def test_numbers_kept_in_four_bytes_are_counted_as_the_numbers_that_they_were(values):
    edges = fit(np.asarray(values), 10)
    bins = []
    for kind in (pa.float64(), pa.float32()):
        given = table(rows(len(values)))
        for name in ("income", "score"):
            given = given.set_column(given.column_names.index(name), name, pa.array(values, pa.float64()).cast(kind))
        found = profiled(given, edges=Edges(numeric={"income": edges}, levels=EDGES.levels))
        assert sum(found.columns.numeric["income"].bins) == len(values)
        assert found.prediction.numeric["score"].bins == found.outcome.scores["none"]
        bins.append(found.columns.numeric["income"].bins)
    if values[0] < 1e9:
        assert bins[0] == bins[1]
    assert bins[1][0] == bins[1][-1] == 0


def test_a_score_of_four_bytes_that_is_the_threshold_is_at_the_threshold():
    decision = {"positive": "1", "threshold": 0.35, "favourable": "0", "deserving": "0"}
    for kind in (pa.float64(), pa.float32()):
        given = table([row(f"p{i}", label="1") for i in range(8)])
        score = pa.array([0.35] * 4 + [0.349] * 4, pa.float64()).cast(kind)
        given = given.set_column(given.column_names.index("score"), "score", score)
        found = profiled(given, watched=monitor(decision=decision)).outcome.confusion
        assert sorted(found.values()) == [4, 4]


def test_text_among_numbers_is_counted_apart_and_numbers_in_text_are_numbers():
    text = ["12", " 7.5 ", "abc", "<script>", "🦜", "", "nan", "-inf", "1e3", None, "12,5"]
    found = profiled([row(f"p{i}", income=v) for i, v in enumerate(text)]).columns.numeric["income"]
    assert (found.rows, found.nulls, found.nans, found.infs, found.wrong_type) == (11, 1, 1, 1, 5)
    assert found.total == 12 + 7.5 + 1000
    assert found.bins == (0, 2, 0, 1)


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        (pa.array([[1.0], None], type=pa.list_(pa.float64())), 1),
        (pa.array([{"a": 1}, None]), 1),
        (pa.array([NINE, None]), 1),
        (pa.array([b"\xff", None]), 1),
        (pa.array([True, None]), 0),
        (pa.array([7, None], type=pa.int8()), 0),
        (pa.array(["1.5", None]).dictionary_encode(), 0),
        (pa.nulls(2), 0),
    ],
    ids=lambda c: str(c.type) if isinstance(c, pa.Array) else "",
)
def test_a_numeric_feature_of_any_type_is_counted_and_never_crashes(column, wrong):
    given = table(rows(2))
    given = given.set_column(given.column_names.index("income"), "income", column)
    found = profiled(given).columns.numeric["income"]
    assert (found.rows, found.nulls, found.wrong_type) == (2, column.null_count, wrong)
    assert found.rows == found.nulls + found.wrong_type + sum(found.bins)


def test_not_a_number_is_seen_in_stored_files_too(tmp_path):
    """DuckDB 2.0 takes isnan() for false where a file says the smallest and the largest value of the column."""
    values, groups = [1.0, 2.0, math.nan, math.inf], [1.0, math.nan, math.nan, 2.0]
    given = [row(f"p{i}", income=v, sex=g, city=g) for i, (v, g) in enumerate(zip(values, groups, strict=True))]
    found = only(scanned(tmp_path, given))
    income, city = found.columns.numeric["income"], found.columns.category["city"]
    assert (income.nans, income.infs, sum(income.bins)) == (1, 1, 2)
    assert {g: c.n for g, c in found.groups["sex"].items()} == {"1": 1, "(missing)": 2, "2": 1}
    assert (city.nulls, city.new_examples) == (2, ("1", "2"))


def test_a_feature_that_is_all_null_is_counted_as_nulls_with_no_extremes():
    found = profiled(rows(3, income=None)).columns.numeric["income"]
    assert (found.rows, found.nulls, sum(found.bins)) == (3, 3, 0)
    assert (found.smallest, found.largest, found.total) == (None, None, 0)


def test_squares_that_overflow_do_not_stop_the_night():
    found = profiled([row("p", income=1e200)]).columns.numeric["income"]
    assert (found.total, found.total_sq, found.bins) == (1e200, math.inf, (0, 0, 0, 1))


# category columns


def test_categories_agree_with_pandas_and_new_ones_come_with_examples():
    values = ["Bonn", "Köln", "Bonn", None, *NASTY]
    found = profiled([row(f"p{i}", city=v) for i, v in enumerate(values)]).columns.category["city"]
    new = [v.strip() for v in NASTY if v]  # an empty text is missing
    assert (found.rows, found.nulls, found.new) == (len(values), 2, len(new))
    assert found.levels == pd.Series(values).value_counts().loc[["Bonn", "Köln"]].to_dict()
    assert found.new_examples == tuple(sorted(new))[:5]


def test_levels_that_older_edges_write_otherwise_keep_their_name():
    levels = ("", "True", "Ko\u0308ln", "2.0")  # none of them is a word now
    older = EDGES.model_copy(update={"levels": {**EDGES.levels, "city": levels}})
    cities = ["", " ", "True", "true", "1", "Ko\u0308ln", "K\u00f6ln", "2.0", "2", None, "new"]
    found = profiled([row(f"p{i}", city=v) for i, v in enumerate(cities)], edges=older).columns.category["city"]
    assert found.levels == {"": 2, "True": 3, "Ko\u0308ln": 2, "2.0": 2}
    assert (found.nulls, found.new, found.new_examples) == (1, 1, ("new",))


def test_a_long_new_category_is_kept_as_a_short_example():
    found = profiled([row("p", city="x" * 10_000)]).columns.category["city"]
    assert found.new_examples == ("x" * 120,)


@pytest.mark.parametrize(
    "values",
    [pa.array([1, 0, 1]), pa.array([1.0, 0.0, 1.0]), pa.array([True, False, True]), pa.array(["1", "0", "1"]),
     pa.array(["1", "0", "1"]).dictionary_encode()],
    ids=lambda a: str(a.type),
)  # fmt: skip
def test_a_level_a_group_an_answer_and_a_label_have_one_name_whatever_type_they_were_stored_in(values):
    given = table(rows(3)).append_column("label", values)
    for name in ("city", "sex", "prediction"):
        given = given.set_column(given.column_names.index(name), name, values)
    found = profiled(given, edges=Edges(numeric=EDGES.numeric, levels={"city": ("0", "1")}))
    assert found.columns.category["city"].levels == {"0": 1, "1": 2}
    assert set(found.groups["sex"]) == {"0", "1"}
    assert found.outcome.predictions == {"0": 1, "1": 2}
    assert found.outcome.labelled == 3
    assert sum(c.deserving for c in found.groups["sex"].values()) == 1


def test_a_missing_number_does_not_rename_a_group_and_nan_is_missing():
    given = table(rows(3))
    given = given.set_column(given.column_names.index("sex"), "sex", pa.array([1.0, None, math.nan]))
    assert {g: c.n for g, c in profiled(given).groups["sex"].items()} == {"1": 1, "(missing)": 2}


# groups, decisions, outcomes: against pandas and scikit-learn


@pytest.fixture
def labelled():
    chance = np.random.default_rng(7)
    count = 600
    frame = pd.DataFrame({
        "prediction_id": [f"p{i}" for i in range(count)],
        "served_at": [NINE + timedelta(seconds=i) for i in range(count)],
        "environment": "staging", "model_version": "1", "role": "champion",
        "status": chance.choice(["ok", "error", "timeout", "teapot"], count, p=[0.9, 0.05, 0.03, 0.02]),
        "latency_ms": chance.gamma(2, 40, count),
        "income": chance.normal(100, 40, count), "city": chance.choice(["Bonn", "Köln"], count),
        "sex": chance.choice(["m", "f", "o'x", None], count, p=[0.5, 0.4, 0.05, 0.05]),
        "score": chance.uniform(size=count),
        "label": chance.choice(["0", "1", None], count, p=[0.5, 0.2, 0.3]),
    })  # fmt: skip
    frame.loc[:5, "score"] = [0.0, 1.0, 0.5, np.nan, np.inf, 1e-18]
    frame["prediction"] = np.where(frame.score >= 0.5, "1", "0")
    frame.loc[600 - 20 :, "prediction"] = None
    return frame


def test_cells_of_each_group_agree_with_pandas_and_scikit_learn(labelled):
    found = profiled(pa.Table.from_pandas(labelled)).groups["sex"]
    answered = labelled[labelled.prediction.notna()].fillna({"sex": "(missing)"})
    finite = np.isfinite(answered.score)
    answered = answered.assign(said=np.where(finite, answered.score >= 0.5, answered.prediction == "1"))
    assert set(found) == set(answered.sex)
    for group, part in answered.groupby("sex"):
        known = part[part.label.notna()]
        tn, fp, fn, tp = confusion_matrix(known.label == "1", known.said, labels=[False, True]).ravel()
        cell, deserving = found[group], known[known.label == "0"]
        assert (cell.n, cell.favourable) == (len(part), (part.prediction == "0").sum())
        assert (cell.labelled, cell.tp, cell.fp, cell.tn, cell.fn) == (len(known), tp, fp, tn, fn)
        assert (cell.deserving, cell.favourable_deserving) == (len(deserving), (deserving.prediction == "0").sum())


def test_a_score_that_is_no_number_predicts_what_the_answer_says():
    bad = [row("p0", score=math.nan, prediction="0", label="1"), row("p1", score=math.inf, prediction="1", label="1")]
    found = profiled([*bad, row("p2", score=None, prediction="1", label="0")])
    assert found.outcome.confusion == {"not 1\t1": 1, "1\t1": 1, "1\tnot 1": 1}
    assert sum(map(sum, found.outcome.scores.values())) == 0


@pytest.mark.parametrize(
    ("positive", "deserving", "good", "bad"),
    [("1", "0", "approve", "deny"), ("1", "1", "invite", "refuse"), ("0", "1", "1", "0"), ("1", "1", "1", "0"),
     ("1", "0", "1", "0")],
)  # fmt: skip
def test_without_a_score_the_favourable_answer_predicts_the_label_that_deserves_it(positive, deserving, good, bad):
    decision = {"positive": positive, "favourable": good, "deserving": deserving}
    right = [row(f"p{i}", score=None, prediction=good if i % 3 else bad) for i in range(30)]
    for one in right:  # as a perfect model answers
        one["label"] = deserving if one["prediction"] == good else str(1 - int(deserving))
    for data in ({"score": "score"}, {}):
        found = profiled(right, watched=monitor(decision=decision, data=data)).outcome.confusion
        assert sum(found.values()) == 30
        assert {said == truth for said, truth in (pair.split("\t") for pair in found)} == {True}


def test_a_row_without_an_answer_says_nothing_about_what_was_predicted():
    decision = {"positive": "1", "favourable": "approve", "deserving": "0"}
    given = [row("p0", score=None, prediction=None, label="1"), row("p1", score=None, prediction="deny", label="1")]
    found = profiled(given, watched=monitor(decision=decision))
    assert (found.outcome.confusion, found.groups["sex"]["f"].labelled) == ({"1\t1": 1}, 1)


@pytest.mark.parametrize(
    ("decision", "yes", "no"),
    [
        ({"positive": "1", "favourable": "0", "deserving": "0"}, "1", "0"),  # in the words of labels
        ({"positive": "1", "favourable": "approve", "deserving": "0"}, "deny", "approve"),
        ({"positive": "1", "favourable": "hire", "deserving": "1"}, "hire", "reject"),
    ],
)
def test_decisions_that_are_not_what_the_threshold_says_are_kept_by_side_and_score(decision, yes, no):
    logged = [(0.9, yes), (0.9, no), (0.8, no), (0.1, no), (0.1, yes), (0.1, None), (None, yes)]
    given = [row(f"p{i}", score=score, prediction=said, weight=2.0) for i, (score, said) in enumerate(logged)]
    data = {"score": "score", "sampling_weight": "weight"}
    found = profiled(given, watched=monitor(decision=decision, data=data))
    assert {side: sum(bins) for side, bins in found.outcome.overruled.items()} == {"0": 2, "1": 1}
    assert {side: sum(bins) for side, bins in found.outcome.weighted_overruled.items()} == {"0": 4.0, "1": 2.0}
    assert found.group_overruled == {"sex=f": dict(found.outcome.overruled)}


def test_an_answer_in_another_word_than_both_decisions_overrules_no_score():
    given = [row("p0", score=0.9, prediction="0"), row("p1", score=0.9, prediction="refer")]
    assert {side: sum(bins) for side, bins in profiled(given).outcome.overruled.items()} == {"0": 1}


LABELS = ["0", "1", "unknown", "", " ", "yes", None, "0"]


@pytest.mark.parametrize("deserving", ["0", "1"])
def test_a_label_in_a_word_of_neither_class_is_in_no_number_but_its_own(deserving):
    decision = {"positive": "1", "favourable": "0", "deserving": deserving}
    given = [row(f"p{i}", label=label, weight=2.0) for i, label in enumerate(LABELS)]
    watched = monitor(decision=decision, data={"score": "score", "sampling_weight": "weight"})
    found, known = profiled(given, watched=watched), profiled(given[:2] + given[7:], watched=watched)
    assert (found.outcome.neither, found.outcome.neither_examples) == (2, ("unknown", "yes"))
    for name in ("labelled", "confusion", "weighted", "log_loss", "brier", "weighted_losses", "bad_weights"):
        assert getattr(found.outcome, name) == getattr(known.outcome, name), name
    cell = found.groups["sex"]["f"]
    assert (cell.labelled, cell.tn, cell.fn) == (3, 2, 1)
    assert {t: sum(bins) for t, bins in found.group_scores["sex=f"].items()} == {"0": 2, "1": 1, "none": 5}


@pytest.mark.parametrize(("words", "neither"), [
    (["1", "bad", "bad", "good"], 1),  # the most frequent word is the other class
    (["1", "?", "?", "No"], 2),  # unless one says no
    (["1", "1"], 0),
])  # fmt: skip
def test_where_the_positive_label_is_the_deserving_one_the_night_says_what_the_other_is_called(words, neither):
    decision = {"positive": "1", "favourable": "yes", "deserving": "1"}
    given = [row(f"p{i}", label=label) for i, label in enumerate(words)]
    found = profiled(given, watched=monitor(decision=decision)).outcome
    assert (found.neither, found.labelled) == (neither, len(words) - neither)


def test_a_blank_label_is_no_label_of_a_class_either():
    given = [row(f"p{i}", prediction="a", label=label) for i, label in enumerate(["a", "", "\t", "b"])]
    found = profiled(given, watched=monitor(task="multiclass", data={}, decision=None, protected=[]))
    assert (found.outcome.labelled, found.outcome.neither) == (2, 0)


def test_the_sum_of_a_column_without_a_number_is_not_there_and_that_of_no_rows_is_nought():
    amounts = [("0", None), ("0", math.nan), ("1", None), ("1", 2.5)]
    given = [row(f"p{i}", prediction=p, score=None, label="1", amount=a) for i, (p, a) in enumerate(amounts)]
    found = profiled(given, watched=monitor(sums=["amount"])).sums["amount"]
    assert found == {"all": 2.5, "unfavourable": 2.5, "tp": 2.5, "fp": 0.0, "tn": 0.0}
    text = [one | {"amount": "n/a"} for one in given]
    assert set(profiled(text, watched=monitor(sums=["amount"])).sums["amount"]) == {"fp", "tn"}


def test_score_bins_and_exact_sums_agree_with_numpy_and_scikit_learn(labelled):
    found = profiled(pa.Table.from_pandas(labelled))
    for name, part in (("1", labelled[labelled.label == "1"]), ("0", labelled[labelled.label == "0"]),
                       ("none", labelled[labelled.label.isna()])):  # fmt: skip
        assert found.outcome.scores[name] == numpy_bins(part.score, SCORE_EDGES)
    known = labelled[labelled.label.notna() & np.isfinite(labelled.score)]
    truth = (known.label == "1").to_numpy()
    clipped = known.score.clip(1e-15, 1 - 1e-15)
    assert found.outcome.log_loss == pytest.approx(log_loss(truth, clipped, normalize=False, labels=[0, 1]))
    assert found.outcome.brier == pytest.approx(brier_score_loss(truth, known.score) * len(known))
    assert found.prediction.numeric["score"].bins == numpy_bins(labelled.score, SCORE_EDGES)
    assert found.prediction.numeric["score"].nans == 0  # pandas' NaN became null in Arrow
    assert found.prediction.numeric["score"].nulls == 1


def test_confident_and_wrong_is_a_finite_log_loss():
    found = profiled([row("p", score=0.0, label="1"), row("q", score=1.0, label="0")])
    assert found.outcome.log_loss == pytest.approx(-2 * math.log(1e-15), rel=1e-3)
    assert found.outcome.brier == 2


def test_the_service_is_counted_by_status_and_latency_by_bin(labelled):
    found = profiled(pa.Table.from_pandas(labelled)).service
    status = labelled.status.value_counts()
    assert (found.requests, found.ok, found.timeouts) == (600, status["ok"], status["timeout"])
    assert found.errors == status["error"] + status["teapot"]
    assert found.latency_bins == numpy_bins(labelled.latency_ms, LATENCY_EDGES_MS)
    assert found.fallback == 0


def test_what_the_fallback_answered_is_counted_as_such():
    assert profiled(rows(3), role=Role.FALLBACK).service.fallback == 3


def test_the_groups_of_an_attribute_add_up_to_everyone_and_agree_with_a_scan_without_groups(labelled):
    given = pa.Table.from_pandas(labelled)
    found, plain = profiled(given), profiled(given, watched=monitor(protected=[]))
    assert plain.groups == {} == plain.group_columns
    assert found.columns.category == plain.columns.category
    mine, theirs = found.columns.numeric["income"], plain.columns.numeric["income"]
    assert mine.model_copy(update={"total": 0, "total_sq": 0, "low_tail": 0, "high_tail": 0}) == theirs.model_copy(
        update={"total": 0, "total_sq": 0, "low_tail": 0, "high_tail": 0}
    )
    assert mine.total_sq == pytest.approx(theirs.total_sq, rel=1e-12)
    part = labelled[labelled.sex == "o'x"]
    assert found.group_columns["sex=o'x"].numeric["income"].bins == numpy_bins(part.income, EDGES.numeric["income"])


def test_a_multiclass_confusion_is_in_the_words_of_the_classes():
    iris = monitor(task="multiclass", data={}, decision=None, protected=[])
    said = [("setosa", "setosa"), ("setosa", "virginica"), ("<b>", "setosa"), ("setosa", None), (None, "setosa")]
    found = profiled([row(f"p{i}", prediction=p, label=t) for i, (p, t) in enumerate(said)], watched=iris)
    assert found.outcome.confusion == {"setosa\tsetosa": 1, "setosa\tvirginica": 1, "<b>\tsetosa": 1}
    assert found.outcome.predictions == {"setosa": 3, "<b>": 1}
    assert (found.outcome.labelled, found.outcome.scores, found.prediction.numeric) == (3, {}, {})


def test_regression_errors_agree_with_numpy_and_leave_out_what_is_no_number():
    price = monitor(task="regression", data={}, decision=None, protected=[])
    said, truth = np.array([1.0, 2.5, 4.0, np.nan, 7.0]), ["1.5", "2.5", "1", "3", "unknown"]
    edges = Edges(numeric={**EDGES.numeric, "prediction": (0.0, 2.0, 5.0)}, levels=EDGES.levels)
    found = profiled(
        [row(f"p{i}", prediction=p, label=t) for i, (p, t) in enumerate(zip(said, truth, strict=True))],
        watched=price, edges=edges,
    )  # fmt: skip
    e, y = np.array([-0.5, 0.0, 3.0]), np.array([1.5, 2.5, 1.0])
    sums = found.outcome.errors
    assert (sums.n, sums.total, sums.absolute, sums.squared) == (3, e.sum(), np.abs(e).sum(), (e**2).sum())
    assert (sums.label_total, sums.label_squared) == (y.sum(), (y**2).sum())
    assert found.prediction.numeric["prediction"].bins == numpy_bins(said, edges.numeric["prediction"])
    assert found.outcome.confusion == {} == found.outcome.predictions


# a stored night


def test_each_version_and_role_has_its_own_profile_and_they_add_up(tmp_path):
    given = [*rows(3, prefix="a"), *rows(2, prefix="b", model_version="2"), *rows(1, prefix="c", role="fallback")]
    found = scanned(tmp_path, given)
    assert {(k.version, k.role): p.rows for k, p in found.items()} == {
        ("1", Role.CHAMPION): 3, ("2", Role.CHAMPION): 2, ("1", Role.FALLBACK): 1,
    }  # fmt: skip
    assert all((k.night, k.environment, k.monitor) == (NIGHT, "staging", "credit") for k in found)
    whole = merge_all(list(found.values()))
    assert (whole.rows, whole.versions, whole.service.fallback) == (6, {"1": 4, "2": 2}, 1)
    assert {p.edges_digest for p in found.values()} == {edges_digest(EDGES)}


def test_a_repeated_id_is_one_row_the_earliest_and_the_others_are_counted(tmp_path):
    again = [row("p", served_at=NINE + timedelta(minutes=m), income=float(m)) for m in (5, 0, 9)]
    found = only(scanned(tmp_path, [*again, row("q", income=1.0)]))
    assert (found.rows, found.duplicates) == (2, 2)
    assert found.columns.numeric["income"].total == 1.0


def test_a_challenger_in_shadow_under_the_same_ids_takes_nothing_from_the_champion(tmp_path):
    shadow = rows(3, role="challenger", model_version="2", served_at=NINE - timedelta(minutes=1))
    found = scanned(tmp_path, [*rows(3), *shadow], [outcome("p0", 1)])
    assert {k.role: (p.rows, p.duplicates, p.outcome.labelled) for k, p in found.items()} == {
        Role.CHAMPION: (3, 0, 1), Role.CHALLENGER: (3, 0, 1),
    }  # fmt: skip


def test_a_fallback_that_answered_again_under_the_same_id_is_a_duplicate(tmp_path):
    again = row("p", served_at=NINE + timedelta(seconds=1), role="fallback")
    assert [(k.role, p.rows) for k, p in scanned(tmp_path, [row("p"), again]).items()] == [(Role.CHAMPION, 1)]


def test_pipelines_are_counted_and_a_missing_one_has_an_empty_name(tmp_path):
    given = [*rows(2, prefix="a"), row("b", pipeline_version="p2"), row("c", pipeline_version=None)]
    assert only(scanned(tmp_path, given)).pipelines == {"": 1, "p1": 2, "p2": 1}


def test_contradictory_labels_are_counted_and_the_latest_is_used(tmp_path):
    truth = [outcome("p0", 1, LATER), outcome("p0", 0, LATER - timedelta(days=1)), outcome("p1", 0), outcome("p1", 0)]
    found = only(scanned(tmp_path, rows(3), truth)).outcome
    assert (found.labelled, found.contradictory) == (2, 1)
    assert found.confusion == {"not 1\t1": 1, "not 1\tnot 1": 1}


def test_labels_that_contradict_each_other_at_one_time_give_the_same_answer_in_any_order(tmp_path):
    found = []
    for n, labels in enumerate([(0, 1), (1, 0)]):
        truth = [outcome("p0", label) for label in labels]
        found.append(only(scanned(tmp_path / str(n), rows(1), truth)).outcome.confusion)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("night", "first", "expected"),
    [
        ("2026-03-29", datetime.fromisoformat("2026-03-28T22:30:00+00:00"), {h: 1 for h in range(24) if h != 2}),
        ("2026-10-25", datetime.fromisoformat("2026-10-24T21:30:00+00:00"), {h: 2 if h == 2 else 1 for h in range(24)}),
        ("2026-11-20", datetime.fromisoformat("2026-11-19T22:30:00+00:00"), dict.fromkeys(range(24), 1)),
    ],
    ids=["23 hours", "25 hours", "24 hours"],
)
def test_hours_are_those_of_the_local_clock_on_the_night_that_it_changes(tmp_path, night, first, expected):
    berlin, day = monitor(timezone="Europe/Berlin"), date.fromisoformat(night)
    given = [row(f"p{n}", served_at=first + timedelta(hours=n)) for n in range(28)]
    window = night_window(day, "Europe/Berlin")
    found = only(scanned(tmp_path, given, watched=berlin, window=window, night=day))
    assert {int(h): groups["all"][0] for h, groups in found.hours.items()} == expected
    assert found.rows == sum(expected.values())


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"])
def test_hours_are_right_where_clocks_differ_by_quarters_or_change_by_half_an_hour(tmp_path, zone):
    local, day = monitor(timezone=zone), date(2026, 4, 5)  # Lord Howe and Chatham change their clocks on this day
    window = night_window(day, zone)
    count = int((window.end - window.start) / timedelta(minutes=15))
    given = [row(f"p{n}", served_at=window.start + timedelta(minutes=15 * n + 7)) for n in range(count)]
    found = only(scanned(tmp_path, given, watched=local, window=window, night=day))
    oracle = pd.Series([r["served_at"].astimezone(ZoneInfo(zone)).hour for r in given]).value_counts()
    assert {int(h): g["all"][0] for h, g in found.hours.items()} == oracle.to_dict()


def test_hours_count_decisions_by_group(tmp_path):
    given = [row("a"), row("b", sex="m", prediction="1"), row("c", sex="o'x"), row("d", prediction=None)]
    assert only(scanned(tmp_path, given)).hours == {
        "9": {"all": (3, 2), "sex=f": (1, 1), "sex=m": (1, 0), "sex=o'x": (1, 1)}
    }


def test_broken_files_do_not_stop_the_scan(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(2)), batch_id="good")
    (bad,) = log.write_predictions("credit", table(rows(2, prefix="x")), batch_id="bad")
    with open(bad, "r+b") as file:  # noqa: PTH123
        file.truncate(100)
    partition = log.partition(monitor(), WINDOW)
    assert len(partition.broken) == 1
    assert only(DuckDBScanner().scan(monitor(), partition, EDGES, NIGHT)).rows == 2


def test_a_night_without_files_or_without_rows_has_no_profiles(tmp_path):
    log = ParquetLog(tmp_path)
    assert DuckDBScanner().scan(monitor(), log.partition(monitor(), WINDOW), EDGES, NIGHT) == {}
    assert scanned(tmp_path, rows(2, environment="production")) == {}


def test_rows_without_a_version_in_a_foreign_log_are_said_to_lack_one(tmp_path):
    given = table([row("p"), row("q", model_version=None)])
    folder = tmp_path / "predictions" / "model=credit" / "date=2026-11-20"
    folder.mkdir(parents=True)
    pq.write_table(given, folder / "f.parquet")
    log = ParquetLog(tmp_path)
    found = DuckDBScanner().scan(monitor(), log.partition(monitor(), WINDOW), EDGES, NIGHT)
    assert {k.version for k in found} == {"1", "(missing)"}


def test_a_role_that_nobody_knows_in_a_foreign_log_is_an_error_that_names_it(tmp_path):
    folder = tmp_path / "predictions" / "model=credit" / "date=2026-11-20"
    folder.mkdir(parents=True)
    pq.write_table(table([row("p", role="shadow")]), folder / "f.parquet")
    log = ParquetLog(tmp_path)
    with pytest.raises(DataError, match=r"role is 'shadow'.*one of champion"):
        DuckDBScanner().scan(monitor(), log.partition(monitor(), WINDOW), EDGES, NIGHT)


@pytest.mark.parametrize("lost", ["income", "city", "sex", "score", "prediction"])
def test_a_missing_column_is_named_with_the_columns_there_are_and_what_was_meant(tmp_path, lost):
    given = [{(c.upper() if c == lost else c): v for c, v in r.items()} for r in rows(2)]
    with pytest.raises(DataError) as caught:
        scanned(tmp_path, given)
    assert f"column '{lost}' is missing from the prediction log of credit on 2026-11-20" in str(caught.value)
    assert f"did you mean '{lost.upper()}'" in str(caught.value)
    assert "latency_ms" in str(caught.value)


def test_a_feature_without_edges_says_what_to_do():
    with pytest.raises(DataError, match=r"'age' has no bin edges.*fit new edges"):
        profiled(rows(1, age=3.0), watched=monitor(features={"income": "numeric", "age": "numeric"}))


def test_column_names_with_any_characters_are_only_names():
    name = "in\"come'; DROP TABLE night --"
    given = [{**row("p"), name: 3.0, "sé x": "f"}]
    watched = monitor(features={name: "numeric"}, protected=[{"attribute": "sé x", "reference": "m"}])
    found = profiled(given, watched=watched, edges=Edges(numeric={name: (1.0, 5.0)}))
    assert found.columns.numeric[name].bins == (0, 1, 0)
    assert found.groups["sé x"]["f"].n == 1


# rows in memory


def test_rows_in_memory_need_nothing_that_only_a_service_knows():
    bare = pa.table({"income": [1.0, 2.0], "city": ["Bonn", "Ulm"], "sex": ["f", "m"], "score": [0.1, 0.9],
                     "prediction": ["0", "1"], "label": [0, 1]})  # fmt: skip
    found = profiled(bare, version="7", role=Role.CHALLENGER)
    assert (found.versions, found.roles, found.rows, found.duplicates) == ({"7": 2}, (Role.CHALLENGER,), 2, 0)
    assert (found.hours, found.pipelines, sum(found.service.latency_bins)) == ({}, {"": 2}, 0)
    assert found.outcome.confusion == {"not 1\tnot 1": 1, "1\t1": 1}


def test_no_rows_in_memory_are_an_empty_profile_on_the_same_edges():
    found = profiled(pa.table({}))
    assert (found.rows, found.edges_digest) == (0, edges_digest(EDGES))


def test_a_sampled_night_profiled_again_has_the_same_counts(tmp_path):
    found = only(scanned(tmp_path, rows(30), [outcome("p1", 1), outcome("p2", 0)]))
    log = ParquetLog(tmp_path)
    again = profiled(log.sample(monitor(), log.partition(monitor(), WINDOW), rows=30))
    assert again == found.model_copy(update={"hours": {}, "hours_service": {}})


def test_rows_in_memory_that_lack_a_feature_say_which():
    with pytest.raises(DataError, match="column 'city' is missing from the rows for version 1 of credit"):
        profiled(table(rows(1)).drop_columns(["city"]))


# edges


def test_edges_are_fitted_from_the_reference_and_put_it_inside():
    reference = [(1.0, "Bonn"), (2.0, "Köln"), (math.nan, None), (math.inf, "Bonn"), (9.0, "Ulm")]
    given = table([row(f"p{i}", income=v, city=c) for i, (v, c) in enumerate(reference)])
    edges = DuckDBScanner().fit_edges(monitor(bins=4), given)
    assert edges.levels == {"city": ("Bonn", "Köln", "Ulm")}
    found = profiled(given, edges=edges)
    assert found.columns.numeric["income"].bins[0] == 0 == found.columns.numeric["income"].bins[-1]
    assert sum(found.columns.numeric["income"].bins) == 3
    assert found.columns.category["city"].new == 0


def test_levels_of_a_float_column_are_met_again_when_it_is_an_integer_column_at_night():
    edges = DuckDBScanner().fit_edges(monitor(), table([row("a", city=1.0), row("b", city=2.0)]))
    assert edges.levels["city"] == ("1", "2")
    assert profiled([row("p", city=2)], edges=edges).columns.category["city"].levels == {"2": 1}


def test_the_most_frequent_levels_are_counted_one_by_one_and_the_others_are_known_by_name():
    many = [row(f"p{i}", city=f"c{i:03}") for i in range(20)]
    often = [row(f"q{i}", city="c019") for i in range(3)]
    edges = DuckDBScanner().fit_edges(monitor(levels=5), table(many + often))
    assert edges.levels["city"] == ("c000", "c001", "c002", "c003", "c019")
    assert edges.tails["city"] == tuple(f"c{i:03}" for i in range(4, 19))
    assert edges.open == ()


def test_a_level_of_the_long_tail_is_no_new_level_on_any_night():
    reference = table([row(f"p{i}", city=f"c{i:03}") for i in range(20)])
    watched = monitor(levels=5)
    edges = DuckDBScanner().fit_edges(watched, reference)
    same = profiled(reference, watched=watched, edges=edges).columns.category["city"]
    assert (sum(same.levels.values()), same.other, same.new, same.new_hashes) == (5, 15, 0, ())
    tonight = profiled(
        [row("a", city="c000"), row("b", city="c007"), row("c", city="Ulm")], watched=watched, edges=edges
    )
    city = tonight.columns.category["city"]
    assert (city.levels, city.other, city.new, city.new_examples) == ({"c000": 1}, 1, 1, ("Ulm",))


def test_on_edges_without_a_tail_what_is_not_a_level_is_new_as_it_always_was():
    city = profiled([row("a", city="Bonn"), row("b", city="Ulm")]).columns.category["city"]
    assert (city.levels, city.other, city.new) == ({"Bonn": 1}, 0, 1)


def test_new_levels_can_be_counted_up_to_the_number_of_hashes_that_are_kept():
    few = profiled([row(f"p{i}", city=f"new{i % HASHES}") for i in range(100)]).columns.category["city"]
    assert (few.new, len(few.new_hashes)) == (100, HASHES)
    many = profiled([row(f"p{i}", city=f"new{i}") for i in range(5000)]).columns.category["city"]
    hashes = sorted(int.from_bytes(hashlib.md5(f"new{i}".encode()).digest()[8:], "little") for i in range(5000))
    assert many.new_hashes == tuple(hashes[:HASHES])
    assert (HASHES - 1) / (many.new_hashes[-1] / 2**64) == pytest.approx(5000, rel=0.5)


def test_a_regression_has_edges_for_its_prediction_too():
    price = monitor(task="regression", data={}, decision=None, protected=[])
    edges = DuckDBScanner().fit_edges(price, table([row("a", prediction=1.0), row("b", prediction=5.0)]))
    assert edges.numeric["prediction"][-1] == 5.0


def test_a_reference_column_without_a_finite_value_cannot_be_fitted():
    with pytest.raises(DataError, match=r"credit: reference column 'income': no finite value"):
        DuckDBScanner().fit_edges(monitor(), table(rows(2, income=None)))


def test_a_reference_that_lacks_a_feature_says_which():
    with pytest.raises(DataError, match="column 'city' is missing from the reference rows of credit"):
        DuckDBScanner().fit_edges(monitor(), table(rows(2)).drop_columns(["city"]))
