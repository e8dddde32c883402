"""Rows of somebody else's log in Vigil's words."""

from decimal import Decimal

import pandas as pd
import pytest

from tests.unit.intake.made_source import log, source, wanted
from vigil.core.errors import DataError
from vigil.intake.column_values import text
from vigil.intake.normalise import normalise, normalise_outcomes, normalise_reference


def rows(frame=None, *, first=1, asked=None, **parts):
    return normalise(log() if frame is None else frame, source(**parts), asked or wanted(), origin="l.csv", first=first)


def column(name, frame=None, **parts):
    found = rows(frame, **parts).predictions[name]
    return [None if pd.isna(v) else v for v in found]


# the same value, whatever type a file gives it


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 0], ["1", "0"]),
        ([1.0, None], ["1", None]),
        (["1.0", "1.50"], ["1", "1.50"]),
        ([True, False], ["1", "0"]),
        (pd.Series([True, None, False], dtype=object), ["1", None, "0"]),  # as Parquet gives a column with nulls
        (pd.Series([True, None], dtype="boolean"), ["1", None]),
        ([Decimal("2.00"), Decimal("2.50")], ["2", "2.5"]),
        (["007", "-0"], ["007", "-0"]),
        ([" yes ", "", "  ", None], ["yes", None, None, None]),
        (pd.Series([2**62 + 1, None], dtype=object), [str(2**62 + 1), None]),
        ([0.25, 1.0], ["0.25", "1"]),
        (pd.Series(["a", None], dtype="category"), ["a", None]),
    ],
)
def test_text_is_alike_for_all_types(values, words):
    assert list(text(pd.Series(values))) == words


# ids


def test_an_id_keeps_its_leading_zeros():
    assert column("prediction_id") == ["000", "001", "002"]


def test_rows_without_an_id_are_called_after_their_file_and_their_number_in_it():
    assert column("prediction_id", log(ref=None), columns={"score": "risk"}) == ["l.csv-1", "l.csv-2", "l.csv-3"]
    some = log(ref=["a", None, " "])
    assert list(rows(some, first=101).predictions["prediction_id"]) == ["a", "l.csv-102", "l.csv-103"]


def test_the_number_of_a_row_does_not_depend_on_the_rows_that_are_left_out_before_it():
    frame = log(ref=None, asked_on=["never", "2026-11-20", "2026-11-20"], model=["ours", "theirs", "ours"])
    assert column("prediction_id", frame, columns={"score": "risk"}, only={"model": "ours"}) == ["l.csv-3"]


# what a log does not say


def test_what_the_log_has_no_column_for_is_said_of_all_rows():
    found = rows().predictions.iloc[0]
    assert (found.environment, found.model_version, found.role, found.status) == (
        "production", "unversioned", "champion", "ok",
    )  # fmt: skip
    assert pd.isna(found.latency_ms)


def test_versions_states_and_latencies_are_taken_where_they_are():
    frame = log(scorer=["3.0", None, "4"], took=["12.5", "x", None], state=["ok", "error", None])
    names = {
        "prediction_id": "ref",
        "score": "risk",
        "model_version": "scorer",
        "latency_ms": "took",
        "status": "state",
    }
    assert column("model_version", frame, columns=names) == ["3", "unversioned", "4"]
    assert column("latency_ms", frame, columns=names) == [12.5, None, None]
    assert column("status", frame, columns=names) == ["ok", "error", "ok"]


# rows without a time


def test_a_row_without_a_time_is_handed_back_with_its_number_and_the_others_are_taken():
    found = rows(log(asked_on=["2026-11-20", "tomorrow", None]), first=11)
    assert list(found.predictions["prediction_id"]) == ["000"]
    assert [(r.row, r.why) for r in found.rejected] == [(12, "asked_on is no time"), (13, "asked_on is no time")]


# scores


def test_log_odds_become_probabilities():
    found = column("score", log(4, risk=["-800", "0", "1.0986122886681098", ""]), score_scale="logit")
    assert found[:3] == pytest.approx([0.0, 0.5, 0.75])
    assert found[3] is None


def test_scores_in_per_cent_become_shares():
    assert column("score", log(risk=["0", "50", "100"]), score_scale=100) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("values", "scale", "hint"), [
    (["-2.5", "0.5", "1"], 1, "as low as -2.5, so they are not probabilities; set `score_scale: logit`"),
    (["-2.5", "0.5", "99"], 100, "as low as -2.5"),
    (["12.5", "100", "1"], 1, "as high as 100; set `score_scale: 100`"),
    (["12.5", "640", "1"], 1, "as high as 640; set `score_scale: the maximum of the scale`"),
    (["12.5", "640", "1"], 100, "as high as 640; set `score_scale: the maximum of the scale`"),
])  # fmt: skip
def test_scores_below_nothing_or_above_certainty_say_which_scale_is_meant(values, scale, hint):
    with pytest.raises(DataError, match=f"score: some values are {hint}"):
        rows(log(risk=values), score_scale=scale)


def test_a_score_that_is_no_number_is_missing_and_so_is_what_it_would_have_decided():
    asked = wanted(threshold=0.5, above="deny", below="grant")
    frame = log(risk=["0.9", "high", "0.5"], prediction=None)
    assert list(rows(frame, asked=asked).predictions["prediction"]) == ["deny", None, "deny"]


def test_decisions_that_the_log_has_are_not_made_again():
    asked = wanted(threshold=0.5, above="deny", below="grant")
    assert list(rows(log(risk=["0.9"] * 3), asked=asked).predictions["prediction"]) == ["grant"] * 3


# values and names


def test_values_are_translated_and_what_has_no_translation_stays():
    frame = log(prediction=["yes", "no", "perhaps"], city=["1", "1.0", "2"])
    values = {"prediction": {"yes": "grant", "no": "deny"}, "city": {"1": "Bonn"}}
    assert column("prediction", frame, values=values) == ["grant", "deny", "perhaps"]
    assert column("city", frame, values=values) == ["Bonn", "Bonn", "2"]


def test_text_that_is_all_numbers_becomes_numbers_and_otherwise_stays_so_that_the_night_counts_it():
    assert column("income") == [1200.5] * 3
    assert column("income", log(income=["1", None, "3"])) == [1.0, None, 3.0]
    assert column("income", log(income=["1", "EUR 2", "3"])) == ["1", "EUR 2", "3"]


def test_a_category_of_numbers_is_text():
    assert column("city", log(city=[1.0, 2.0, None])) == ["1", "2", None]


def test_a_feature_that_the_log_has_not_is_left_out_here_and_counted_by_the_night():
    assert "city" not in rows(log(city=None)).predictions


def test_a_column_that_the_source_names_must_be_there():
    names = {"prediction_id": "ref", "score": "risc"}
    with pytest.raises(DataError, match=r"columns\.score: there is no column 'risc'; did you mean 'risk'\?"):
        rows(columns=names)


def test_only_the_rows_of_this_model_are_taken():
    frame = log(model=["ours", "theirs", "ours"])
    assert column("prediction_id", frame, only={"model": "ours"}) == ["000", "002"]
    assert column("prediction_id", log(model=[1, 2, 1]), only={"model": "2"}) == ["001"]
    assert column("prediction_id", frame, only={"model": "nobody"}) == []


def test_only_needs_its_column():
    with pytest.raises(DataError, match=r"l\.csv \(only\): there is no column 'modle'; did you mean 'model'\?"):
        rows(log(model=["a"] * 3), only={"modle": "a"})


def test_all_columns_of_a_wide_log_are_not_listed_when_one_is_missing():
    wide = pd.DataFrame({f"c{n}": ["1"] for n in range(2000)} | {"asked_on": ["2026-11-20"]})
    with pytest.raises(DataError, match="and 1961 more"):
        rows(wide)


# groups cut from numbers


AGES = {"age_band": {"column": "age", "edges": [26, 60], "labels": ["young", "middle", "old"]}}


def test_a_band_begins_at_its_edge():
    asked = wanted(columns=("age_band", "score", "prediction"))
    frame = log(6, age=["0", "25.9", "26", "59", "60", "x"])
    found = rows(frame, asked=asked, bands=AGES).predictions["age_band"]
    assert list(found) == ["young", "young", "middle", "middle", "old", None]


def test_a_band_needs_its_column():
    asked = wanted(columns=("age_band", "score"))
    with pytest.raises(DataError, match=r"bands: there is no column 'age'; did you mean 'wage'\?"):
        rows(log(wage=["1"] * 3), asked=asked, bands=AGES)


def test_bands_that_do_not_fit_their_edges_are_refused():
    with pytest.raises(ValueError, match="2 edges make 3 bands, but there are 2 labels"):
        source(bands={"b": {"column": "age", "edges": [1, 2], "labels": ["x", "y"]}})
    with pytest.raises(ValueError, match="edges must increase"):
        source(bands={"b": {"column": "age", "edges": [2, 1], "labels": ["x", "y", "z"]}})


# text


def test_text_becomes_its_length_its_words_and_its_signs_and_is_not_kept():
    frame = log(4, question=["Wo ist mein Päckchen?", "1234", "", None])
    found = rows(frame, text={"asked": "question"}).predictions
    assert found["asked__length"].tolist()[:3] == [21, 4, 0]
    assert found["asked__words"].tolist()[:3] == [4, 1, 0]
    assert found["asked__non_letters"].round(3).tolist()[:2] == [0.19, 1.0]
    assert found[["asked__length", "asked__words", "asked__non_letters"]].iloc[3].isna().all()
    assert not any("Päckchen" in str(v) for v in found.to_numpy().ravel())


def test_a_column_of_text_must_be_there():
    with pytest.raises(DataError, match=r"text\.asked: there is no column 'question'"):
        rows(text={"asked": "question"})


# outcomes


def test_outcomes_inside_are_known_when_their_column_says():
    truth = {"label": "paid", "observed_at": {"column": "paid_on", "timezone": "Europe/Berlin"}}
    frame = log(paid=["yes", None, "no"], paid_on=["2026-12-01", "2026-12-01", None])
    found = rows(frame, outcomes=truth, values={"label": {"yes": "1", "no": "0"}}).outcomes.rows
    assert found[["prediction_id", "label"]].to_numpy().tolist() == [["000", "1"]]
    assert str(found["observed_at"].iloc[0]) == "2026-11-30 23:00:00+00:00"


def test_outcomes_inside_are_known_so_many_days_later_where_no_column_says():
    found = rows(log(paid=[True, None, False]), outcomes={"label": "paid", "after_days": 30}).outcomes.rows
    assert found["label"].tolist() == ["1", "0"]
    assert str(found["observed_at"].iloc[0]) == "2026-12-20 09:00:00+00:00"


def test_the_label_of_a_row_that_was_not_taken_is_not_taken():
    frame = log(asked_on=["2026-11-20", "never", "2026-11-20"], model=["a", "a", "b"], paid=["1", "1", "1"])
    assert rows(frame, outcomes={"label": "paid"}, only={"model": "a"}).outcomes.rows["prediction_id"].tolist() == [
        "000"
    ]


def test_a_log_without_outcomes_has_none():
    assert rows().outcomes is None


APART = {"where": "paid.csv", "label": "paid", "observed_at": {"column": "on"}}


def test_outcomes_in_a_log_of_their_own_are_joined_by_the_id_of_the_predictions_or_by_another():
    truth = pd.DataFrame({"ref": ["000", "001", None], "no": ["7", "8", "9"], "paid": ["1.0", None, "1"],
                          "on": ["2026-12-01"] * 3})  # fmt: skip
    found = normalise_outcomes(truth, source(outcomes=APART), wanted(), origin="paid.csv")
    assert found[1:] == (1, 1, 0)  # without a label, without an id, without a time
    found = found.rows
    assert found[["prediction_id", "label"]].to_numpy().tolist() == [["000", "1"]]
    found = normalise_outcomes(
        truth, source(outcomes={**APART, "prediction_id": "no"}), wanted(), origin="paid.csv"
    ).rows
    assert found["prediction_id"].tolist() == ["7", "9"]


def test_outcomes_in_a_log_of_their_own_say_what_they_lack():
    truth = pd.DataFrame({"reff": ["000"], "paid": ["1"], "on": ["2026-12-01"]})
    with pytest.raises(DataError, match=r"paid\.csv \(outcomes\): there is no column 'ref'; did you mean 'reff'\?"):
        normalise_outcomes(truth, source(outcomes=APART), wanted(), origin="paid.csv")
    misspelt = source(outcomes={**APART, "label": "payed"})
    with pytest.raises(DataError, match=r"paid\.csv \(outcomes\): there is no column 'payed'; did you mean 'paid'\?"):
        normalise_outcomes(truth.rename(columns={"reff": "ref"}), misspelt, wanted(), origin="paid.csv")
    with pytest.raises(DataError, match="need `observed_at:` under `outcomes:`"):
        normalise_outcomes(truth, source(outcomes={"where": "x", "label": "paid"}), wanted(), origin="paid.csv")


# rows without times: a reference


def test_a_reference_needs_no_times_ids_or_versions_and_keeps_its_labels():
    frame = log(ref=None, asked_on=None, paid=["yes", "no", None])
    explained = source(outcomes={"label": "paid"}, values={"label": {"yes": "1", "no": "0"}}, only={"model": "a"})
    found = normalise_reference(frame, explained, wanted(), origin="holdout.csv")
    assert sorted(found) == ["city", "income", "label", "prediction", "score"]
    assert found["label"].tolist() == ["1", "0", None]


def test_a_reference_that_holds_several_models_is_cut_to_this_one():
    found = normalise_reference(log(model=["a", "b", "a"]), source(only={"model": "a"}), wanted(), origin="h")
    assert len(found) == 2
