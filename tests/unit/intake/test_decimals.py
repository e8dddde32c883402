"""Numbers with a decimal comma: read as what they are, and nothing else is touched."""

import pandas as pd
import pytest

from tests.unit.intake.made_source import log, source, wanted
from vigil.intake.decimals import decimal_of, pointed
from vigil.intake.normalise import normalise, normalise_outcomes, normalise_reference


@pytest.mark.parametrize(
    ("column", "decimal"),
    [
        (["5,2", "8,1"], ","),
        (["5,2", None, " 17 ", "1.234,5"], ","),
        (["5.2", "8.1"], "."),
        (["1,2", "blue"], "."),  # words with a comma are words
        (["17", "18"], "."),
        ([5.2, 8.1], "."),
    ],
)
def test_a_comma_is_found_where_a_column_is_full_of_them(column, decimal):
    assert decimal_of(pd.DataFrame({"a": column, "b": ["x"] * len(column)})) == decimal


def test_a_log_that_has_points_too_has_lists_and_no_decimal_commas():
    assert decimal_of(pd.DataFrame({"codes": ["1,2", "3,4"], "amount": ["0.5", "0.7"]})) == "."


def test_rows_scores_bands_and_labels_are_numbers_again_and_words_and_times_stay():
    frame = log(
        income=["1.200,50", "900,25", "1.100"], risk=["5,2", "99,9", "17"], paid=["0,5", "1", "2,25"],
        city=["Bonn, Mitte", "Köln", "1.234"], asked_on=[f"20.11.2026 09:0{n}" for n in range(3)],
    )  # fmt: skip
    source_ = source(
        decimal=",", score_scale=100, served_at={"column": "asked_on", "format": "%d.%m.%Y %H:%M"},
        bands={"wealth": {"column": "income", "edges": [1000], "labels": ["low", "high"]}}, outcomes={"label": "paid"},
    )  # fmt: skip
    found = normalise(frame, source_, wanted(columns=("income", "city", "score", "wealth")), origin="l.csv")
    assert list(found.predictions["income"]) == [1200.5, 900.25, 1100]
    assert list(found.predictions["score"]) == pytest.approx([0.052, 0.999, 0.17])
    assert list(found.predictions["city"]) == ["Bonn, Mitte", "Köln", "1.234"]
    assert list(found.predictions["wealth"]) == ["high", "low", "high"]
    assert list(found.outcomes.rows["label"]) == ["0.5", "1", "2.25"]


def test_references_and_outcomes_of_their_own_are_read_alike():
    source_ = source(decimal=",", outcomes={"where": "t.csv", "label": "paid", "observed_at": {"column": "seen"}})
    assert list(normalise_reference(log(), source_, wanted(), origin="h.csv")["score"]) == [0.2] * 3
    commas = log(risk=["0,2", "0,3", "0,4"])
    assert list(normalise_reference(commas, source_, wanted(), origin="h.csv")["score"]) == [0.2, 0.3, 0.4]
    truth = pd.DataFrame({"ref": ["000"], "paid": ["3,5"], "seen": ["2026-11-21"]})
    assert list(normalise_outcomes(truth, source_, wanted(), origin="t.csv").rows["label"]) == ["3.5"]


def test_numbers_that_a_parquet_file_stores_are_left_alone():
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": ["1,5", "2,5"]})
    assert list(pointed(frame, ",")["a"]) == [1.5, 2.5]
    assert list(pointed(frame, ".")["b"]) == ["1,5", "2,5"]
