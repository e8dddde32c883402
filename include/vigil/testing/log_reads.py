"""How rows of a prediction log are found, sampled, sifted and replaced."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from vigil.ports import INTAKE, PredictionLog
from vigil.testing.credit_log import LATER, NEXT_DAY, NINE, WINDOW, digest, ids, monitor, outcome, row, rows, table


def row_of(log: PredictionLog, prediction_id: str) -> Mapping[str, object]:
    """The row with an id, which must be there."""
    row = log.find(prediction_id)
    assert row is not None
    return row


def _replace_in_vain(log: PredictionLog) -> None:
    with log.replacing("credit", at=datetime(2026, 12, 1, tzinfo=UTC)):
        log.write_predictions("credit", table([row("anew")]), batch_id=f"{INTAKE}-3")
        log.write_reference("credit", pa.table({"income": [2.0]}))
        raise KeyboardInterrupt


class LogReads:
    """Find, sample, sift, the reference, and rows that make room for others."""

    def test_find_looks_across_models_and_says_whose_row_it_is(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("p")]), batch_id="b")
        log.write_predictions("fraud", table([row("q", model="a feature of that name")]), batch_id="b")
        assert row_of(log, "q")["model"] == "fraud"
        assert row_of(log, "p")["served_at"] == NINE
        assert log.find("q", model="credit") is None

    def test_find_returns_the_earliest_row_of_a_repeated_id(self, log: PredictionLog) -> None:
        log.write_predictions(
            "credit", table([row("p", served_at=NINE + timedelta(hours=1), income=2.0)]), batch_id="b"
        )
        log.write_predictions("credit", table([row("p", income=1.0)]), batch_id="c")
        assert row_of(log, "p")["income"] == 1.0

    def test_a_sample_is_always_the_same_rows_and_grows_without_losing_any(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(60)), batch_id="b")
        partition = log.partition(monitor(), WINDOW)
        few, more, every = (log.sample(monitor(), partition, rows=n) for n in (10, 20, 60))
        assert few.equals(log.sample(monitor(), partition, rows=10))
        assert set(few["prediction_id"].to_pylist()) < set(more["prediction_id"].to_pylist())
        assert every.num_rows == 60
        assert few["prediction_id"].to_pylist() != [f"p{n}" for n in range(10)]

    def test_a_sample_has_the_columns_of_the_log_and_the_label_and_no_others(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(2)), batch_id="b")
        found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=2)
        assert set(found.column_names) == {*row("p"), "label"}

    def test_a_repeated_id_appears_once_in_the_sample_as_it_was_first_served(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("p", income=1.0)]), batch_id="b")
        log.write_predictions(
            "credit", table([row("p", served_at=NINE + timedelta(hours=1), income=2.0)]), batch_id="c"
        )
        found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10)
        assert found["income"].to_pylist() == [1.0]

    def test_a_request_that_the_challenger_answered_too_is_sampled_as_it_was_served(self, log: PredictionLog) -> None:
        early = row("p", served_at=NINE - timedelta(seconds=1), role="challenger", income=2.0)
        log.write_predictions("credit", table([row("p", income=1.0), early]), batch_id="b")
        found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10)
        assert found["role"].to_pylist() == ["champion"]

    def test_the_dates_of_a_log_are_the_utc_dates_of_its_predictions_in_order(self, log: PredictionLog) -> None:
        assert log.dates("credit") == ()
        log.write_predictions("credit", table([row("q", served_at=NEXT_DAY), row("p")]), batch_id="b")
        log.write_predictions("fraud", table([row("r", served_at=NINE + timedelta(days=9))]), batch_id="b")
        assert log.dates("credit") == (date(2026, 11, 20), date(2026, 11, 21))

    def test_reference_rows_come_back_and_others_take_their_place(self, log: PredictionLog) -> None:
        assert log.reference("credit") is None
        first = log.write_reference("credit", pa.table({"income": [1.0, 2.0]}))
        assert log.write_reference("credit", pa.table({"income": [1.0, 2.0]})) == first
        other = log.write_reference("credit", pa.table({"income": [3.0]}))
        kept = log.reference("credit")
        assert other != first
        assert kept is not None
        assert kept["income"].to_pylist() == [3.0]
        assert log.reference("fraud") is None

    def test_rows_that_are_known_are_sifted_from_those_that_are_not(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(2)), batch_id="b")
        sifted = log.sift_predictions("credit", table([*rows(1), row("p1", income=7.0), row("new")]))
        assert (sifted.unknown["prediction_id"].to_pylist(), sifted.known, sifted.differing) == (["new"], 1, 1)

    def test_a_label_is_known_where_its_time_and_its_value_are(self, log: PredictionLog) -> None:
        log.write_outcomes("credit", table([outcome("p0", "1")]), batch_id="o")
        again = [outcome("p0", "1"), outcome("p0", "0", LATER + timedelta(hours=1))]
        sifted = log.sift_outcomes("credit", table(again))
        assert (sifted.unknown["label"].to_pylist(), sifted.known) == (["0"], 1)

    def test_rows_of_a_source_make_room_and_others_stay(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("own")]), batch_id="job")
        log.write_predictions("credit", table([row("read")]), batch_id=f"{INTAKE}-1")
        with log.replacing("credit", at=datetime(2026, 12, 1, tzinfo=UTC)):
            assert ids(log) == ["own"]
            log.write_predictions("credit", table([row("anew")]), batch_id=f"{INTAKE}-1")
        assert ids(log) == ["anew", "own"]

    def test_a_replacement_that_fails_leaves_everything_as_it_was(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("read")]), batch_id=f"{INTAKE}-1")
        log.write_outcomes("credit", table([outcome("read", "1")]), batch_id=f"{INTAKE}-2")
        log.write_reference("credit", pa.table({"income": [1.0]}))
        before = digest(log)
        with pytest.raises(KeyboardInterrupt):
            _replace_in_vain(log)
        kept = log.reference("credit")
        assert (ids(log), digest(log)) == (["read"], before)
        assert kept is not None
        assert kept["income"].to_pylist() == [1.0]
