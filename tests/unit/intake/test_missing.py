"""Words for missing cost neither a column of numbers nor the labels, and take no category its values."""

import pandas as pd
import pytest

from tests.unit.intake.made_source import log, source, wanted
from vigil.core.errors import DataError
from vigil.intake.missing import cleaned
from vigil.intake.normalise import normalise, normalise_outcomes, normalise_reference

WORDS = ["NULL", "NA", "N/A", "nan", "None", "\\N", "-", "", " null "]
BINARY = {"classes": frozenset({"1", "0", "grant"})}
INSIDE = {"where": "inside", "label": "paid"}


def taken(count=3, *, of=None, want=None, **columns):
    return normalise(log(count, **columns), source(**(of or {})), wanted(**(want or {})), origin="loans.csv")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_missing_leaves_a_column_its_numbers(word):
    found = taken(income=["1", word, "2.5"], risk=["0.1", "0.2", word]).predictions
    assert found["income"].dtype == float
    assert found["income"].isna().tolist() == [False, True, False]
    assert found["score"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_missing_is_no_answer_and_no_label_of_two_classes(word):
    found = taken(prediction=["grant", word, "deny"], paid=["1", "0", word], of={"outcomes": INSIDE}, want=BINARY)
    assert found.predictions["prediction"].tolist() == ["grant", None, "deny"]
    assert found.outcomes.rows["label"].tolist() == ["1", "0"]
    apart = source(outcomes={"where": "x", "label": "paid", "prediction_id": "ref",
                             "observed_at": {"column": "asked_on"}})  # fmt: skip
    labels = normalise_outcomes(log(paid=["1", word, "0"]), apart, wanted(**BINARY), origin="paid.csv")
    assert labels.rows["label"].tolist() == ["1", "0"]
    holdout = normalise_reference(log(paid=["1", word, "0"]), apart, wanted(**BINARY), origin="holdout.csv")
    assert holdout["label"].tolist() == ["1", None, "0"]


def test_a_declared_word_is_a_class_whatever_else_it_says():
    want = {"classes": frozenset({"None", "fault"})}
    found = taken(prediction=["None", "fault", "NULL"], paid=["None", "fault", "-"], of={"outcomes": INSIDE}, want=want)
    assert found.predictions["prediction"].tolist() == ["None", "fault", None]
    assert found.outcomes.rows["label"].tolist() == ["None", "fault"]


def test_of_many_classes_one_may_be_none():
    found = taken(prediction=["none", "NA", "NULL"], want={"open": True}).predictions
    assert found["prediction"].tolist() == ["none", "NA", None]


def test_a_category_keeps_all_its_values_unless_the_source_names_words_for_missing():
    countries = ["NA", "NULL", "DE"]  # NA is Namibia
    assert taken(city=countries).predictions["city"].tolist() == countries
    named = taken(city=countries, of={"missing": ["null", "?"]}).predictions
    assert named["city"].tolist() == ["NA", None, "DE"]
    assert taken(income=["1", "?", "2"], of={"missing": ["?"]}).predictions["income"].dtype == float


def test_a_translation_of_a_word_for_missing_goes_before():
    found = taken(prediction=["NULL", "grant", "N/A"], of={"values": {"prediction": {"NULL": "deny"}}}).predictions
    assert found["prediction"].tolist() == ["deny", "grant", None]


def test_what_is_neither_a_number_nor_missing_stays_for_the_night_to_count():
    found = taken(income=["1.5", "abc", "NULL"]).predictions["income"]
    assert found.tolist() == ["1.5", "abc", None]


def test_a_status_in_capitals_is_known_and_another_word_rejects_its_row():
    found = taken(state=["OK", "success", "Timeout"], of={"columns": {
        "prediction_id": "ref", "score": "risk", "status": "state"}})  # fmt: skip
    assert found.predictions["status"].tolist() == ["ok", "timeout"]
    assert [(r.row, r.why[:20]) for r in found.rejected] == [(2, "status is 'success',")]
    assert "values: {status:" in found.rejected[0].why


def test_a_nested_column_is_refused_by_name():
    with pytest.raises(DataError, match="column 'city' cannot be read as text: it holds lists"):
        taken(city=[["a"], ["b"], None])


def test_an_unknown_log_is_looked_at_without_its_words_for_missing():
    frame = pd.DataFrame({
        "number": ["1", "NA", "2", "-"], "country": ["NA", "DE", "NULL", "FR"], "plain": ["a", "b", "c", "d"],
        "n": [1, 2, 3, 4],
    })  # fmt: skip
    found = cleaned(frame)
    assert found.frame["number"].tolist() == ["1", None, "2", None]
    assert found.frame["country"].tolist() == ["NA", "DE", None, "FR"]
    assert found.words == ("NULL",)


def test_booleans_in_a_column_of_numbers_are_one_and_nought():
    assert taken(income=["True", "false", "NA"]).predictions["income"].tolist()[:2] == [1.0, 0.0]
