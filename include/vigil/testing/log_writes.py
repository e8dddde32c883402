"""What is written into a prediction log: batches, and what is refused."""

from datetime import datetime

import pyarrow as pa
import pytest

from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.ports import PredictionLog
from vigil.testing.credit_log import NEXT_DAY, WINDOW, digest, ids, monitor, row, rows, table


class LogWrites:
    """Whole batches, once each; a refused batch leaves nothing."""

    def test_what_is_written_is_found_in_its_night(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        assert ids(log) == ["p0", "p1", "p2"]

    def test_the_same_batch_twice_is_one_batch(self, log: PredictionLog) -> None:
        first = log.write_predictions("credit", table(rows(3)), batch_id="b")
        before = digest(log)
        assert log.write_predictions("credit", table(rows(3)), batch_id="b") == first
        assert digest(log) == before
        assert len(log.partition(monitor(), WINDOW).files) == 1

    def test_a_batch_that_is_committed_is_not_replaced_by_other_rows_under_its_name(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        over_two_days = rows(1, prefix="q") + rows(1, prefix="r", served_at=NEXT_DAY)
        log.write_predictions("credit", table(over_two_days), batch_id="b")
        assert ids(log) == ["p0", "p1", "p2"]
        assert ids(log, night_window(NEXT_DAY.date(), "UTC")) == []

    def test_batches_whose_names_read_alike_are_two_batches(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("p1")]), batch_id="job 1")
        log.write_predictions("credit", table([row("p2")]), batch_id="job/1")
        assert ids(log) == ["p1", "p2"]

    def test_a_batch_over_midnight_is_split_by_utc_date_and_seen_whole(self, log: PredictionLog) -> None:
        across = rows(2, prefix="a") + rows(2, prefix="b", served_at=NEXT_DAY)
        assert len(log.write_predictions("credit", table(across), batch_id="b")) == 2
        assert ids(log) == ["a0", "a1"]
        assert ids(log, night_window(NEXT_DAY.date(), "UTC")) == ["b0", "b1"]

    def test_an_empty_batch_writes_nothing(self, log: PredictionLog) -> None:
        assert log.write_predictions("credit", table(rows(1))[:0], batch_id="b") == ()
        assert log.partition(monitor(), WINDOW).files == ()

    @pytest.mark.parametrize("column", ["prediction_id", "served_at", "environment", "model_version", "role", "status"])
    def test_a_required_value_must_not_be_null(self, log: PredictionLog, column: str) -> None:
        spoiled = pa.Table.from_pylist([row("p"), row("q")])
        holes = pa.array([spoiled[column][0].as_py(), None], type=spoiled[column].type)
        spoiled = spoiled.set_column(spoiled.column_names.index(column), column, holes)
        with pytest.raises(DataError, match=f"{column} is null in 1 of 2"):
            log.write_predictions("credit", spoiled, batch_id="b")
        assert log.partition(monitor(), WINDOW).files == ()

    @pytest.mark.parametrize(
        "column", ["prediction_id", "served_at", "environment", "model_version", "role", "status", "latency_ms"]
    )
    def test_a_required_column_must_be_there(self, log: PredictionLog, column: str) -> None:
        with pytest.raises(DataError, match=f"missing column.*{column}.*there are"):
            log.write_predictions("credit", table(rows(2)).drop_columns([column]), batch_id="b")

    def test_a_log_without_pipeline_versions_is_fine(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(2)).drop_columns(["pipeline_version"]), batch_id="b")
        assert ids(log) == ["p0", "p1"]

    @pytest.mark.parametrize("served_at", [datetime(2026, 11, 20, 9), "2026-11-20T09:00:00Z", 1_700_000_000])  # noqa: DTZ001
    def test_a_time_without_a_zone_is_refused_with_the_remedy(self, log: PredictionLog, served_at: object) -> None:
        with pytest.raises(DataError, match=r"served_at .* with a time zone.*localise"):
            log.write_predictions("credit", table([row("p", served_at=served_at)]), batch_id="b")

    def test_a_role_that_nobody_knows_is_refused_with_those_there_are(self, log: PredictionLog) -> None:
        with pytest.raises(DataError, match=r"'shadow'.*champion, challenger, fallback"):
            log.write_predictions("credit", table([row("p", role="shadow")]), batch_id="b")

    def test_latency_must_be_a_number(self, log: PredictionLog) -> None:
        with pytest.raises(DataError, match="latency_ms is string; it must be a number"):
            log.write_predictions("credit", table([row("p", latency_ms="fast")]), batch_id="b")

    def test_outcomes_need_their_three_columns(self, log: PredictionLog) -> None:
        with pytest.raises(DataError, match=r"missing column.*observed_at"):
            log.write_outcomes("credit", pa.table({"prediction_id": ["p"], "label": ["1"]}), batch_id="t")

    @pytest.mark.parametrize("model", ["../credit", "a/b", "", ".hidden", "model name"])
    def test_a_model_name_that_is_no_folder_name_is_refused(self, log: PredictionLog, model: str) -> None:
        with pytest.raises(DataError, match="cannot name a model's log"):
            log.write_predictions(model, table([row("p")]), batch_id="b")
