"""Which rows and labels a night of a prediction log has, and had."""

from datetime import UTC, datetime, timedelta

import pytest

from vigil.core.window import night_window
from vigil.ports import PredictionLog
from vigil.testing.credit_log import (
    LATER,
    NEXT_DAY,
    NIGHT,
    WINDOW,
    digest,
    ids,
    label_of,
    monitor,
    outcome,
    row,
    rows,
    table,
)


class LogNights:
    """Windows, labels, digests, and what was known when."""

    def test_a_missing_log_is_an_empty_partition(self, log: PredictionLog) -> None:
        partition = log.partition(monitor(), WINDOW)
        assert (partition.files, partition.outcome_files, partition.broken) == ((), (), ())
        assert log.sample(monitor(), partition, rows=10).num_rows == 0
        assert log.find("p0") is None

    def test_rows_outside_the_window_or_of_another_environment_are_not_of_the_night(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([
            row("first", served_at=WINDOW.start), row("last", served_at=WINDOW.end - timedelta(microseconds=1)),
            row("before", served_at=WINDOW.start - timedelta(microseconds=1)), row("after", served_at=WINDOW.end),
            row("elsewhere", environment="production"),
        ]), batch_id="b")  # fmt: skip
        assert ids(log) == ["first", "last"]

    @pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)])
    def test_a_local_night_has_its_own_hours_when_clocks_change(
        self, log: PredictionLog, night: str, hours: int
    ) -> None:
        window = night_window(datetime.fromisoformat(night).date(), "Europe/Berlin")
        first = window.start - timedelta(hours=3)
        served = [row(f"h{n:02}", served_at=first + timedelta(hours=n)) for n in range(32)]
        log.write_predictions("credit", table(served), batch_id="b")
        found = ids(log, window, monitor(timezone="Europe/Berlin"))
        assert found == [f"h{n:02}" for n in range(3, 3 + hours)]

    def test_nights_tile_so_that_no_row_is_lost_or_counted_twice(self, log: PredictionLog) -> None:
        start = datetime(2026, 10, 24, 0, tzinfo=UTC)
        served = [row(f"h{n:03}", served_at=start + timedelta(minutes=30 * n)) for n in range(144)]
        log.write_predictions("credit", table(served), batch_id="b")
        nights = [night_window(start.date() + timedelta(days=n), "Europe/Berlin") for n in range(-1, 4)]
        assert [i for w in nights for i in ids(log, w)] == [r["prediction_id"] for r in served]

    def test_a_label_is_joined_as_text_whatever_type_it_was_logged_in(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(4)), batch_id="b")
        for n, label in enumerate([1, 1.0, True, "1"]):
            log.write_outcomes("credit", table([outcome(f"p{n}", label)]), batch_id=f"t{n}")
        assert [label_of(log, f"p{n}") for n in range(4)] == ["1"] * 4

    def test_of_labels_that_contradict_each_other_the_latest_observed_wins(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("p")]), batch_id="b")
        log.write_outcomes("credit", table([outcome("p", 1, LATER)]), batch_id="late")
        log.write_outcomes("credit", table([outcome("p", 0, LATER - timedelta(days=1))]), batch_id="early")
        assert label_of(log, "p") == "1"

    def test_labels_for_unknown_ids_are_harmless(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table([row("p")]), batch_id="b")
        before = digest(log)
        log.write_outcomes(
            "credit", table([outcome("nobody", 1), outcome("nobody", 0), outcome("none", 1)]), batch_id="t"
        )
        assert digest(log) == before
        assert label_of(log, "p") is None

    def test_a_digest_tells_late_rows_and_is_otherwise_steady(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        before = digest(log)
        assert digest(log) == before
        log.write_predictions("credit", table(rows(1, prefix="late")), batch_id="c")
        assert digest(log) != before

    def test_late_labels_change_only_the_digest_of_the_night_they_belong_to(self, log: PredictionLog) -> None:
        other = night_window(NEXT_DAY.date(), "UTC")
        log.write_predictions("credit", table(rows(3) + rows(3, prefix="q", served_at=NEXT_DAY)), batch_id="b")
        mine, theirs = digest(log), digest(log, other)
        log.write_outcomes("credit", table([outcome("p1", 1)]), batch_id="t")
        assert digest(log) != mine
        assert digest(log, other) == theirs

    def test_the_same_label_delivered_again_changes_nothing(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(2)), batch_id="b")
        log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
        before = digest(log)
        log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="again")
        assert digest(log) == before
        log.write_outcomes("credit", table([outcome("p0", 0)]), batch_id="corrected")
        assert digest(log) != before

    def test_rows_of_another_night_leave_the_digest_alone_and_those_of_another_environment_are_counted_in_it(
        self, log: PredictionLog
    ) -> None:
        zone = monitor(timezone="Europe/Berlin")
        window = night_window(NIGHT, "Europe/Berlin")  # 23:00 to 23:00 UTC
        log.write_predictions("credit", table(rows(2)), batch_id="b")
        before = digest(log, window, zone)
        log.write_predictions(
            "credit", table([row("next", served_at=window.end)]), batch_id="next night, same UTC date"
        )
        assert digest(log, window, zone) == before
        log.write_predictions("credit", table(rows(2, prefix="x", environment="production")), batch_id="elsewhere")
        assert digest(log, window, zone) != before  # the ledger of rows says how many there are

    def test_a_label_that_was_observed_later_is_not_there_and_the_digest_is_that_of_a_log_without_it(
        self, log: PredictionLog
    ) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        before = digest(log)
        log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="o")
        then = log.partition(monitor(), WINDOW, labels_through=LATER - timedelta(seconds=1))
        assert then.digest == before != digest(log)
        assert log.sample(monitor(), then, rows=9).column("label").null_count == 3

    def test_labels_that_were_all_known_by_then_make_no_difference(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        log.write_outcomes("credit", table([outcome("p0", 1), outcome("p1", 0)]), batch_id="o")
        then = log.partition(monitor(), WINDOW, labels_through=LATER)
        assert then.digest == digest(log)
        assert log.sample(monitor(), then, rows=9).column("label").null_count == 1

    def test_a_label_that_was_corrected_later_is_the_first_one_until_then(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(1)), batch_id="b")
        corrected = [outcome("p0", 1), outcome("p0", 0, LATER + timedelta(days=3))]
        log.write_outcomes("credit", table(corrected), batch_id="o")
        then = log.partition(monitor(), WINDOW, labels_through=LATER + timedelta(days=1))
        assert log.sample(monitor(), then, rows=9).column("label").to_pylist() == ["1"]
        assert label_of(log, "p0") == "0"

    def test_the_hours_in_which_labels_came_are_known(self, log: PredictionLog) -> None:
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        assert log.label_times(monitor(), WINDOW) == ()
        late = LATER + timedelta(days=2, minutes=1)
        told = [outcome("p0", 1), outcome("p1", 1), outcome("p2", 0, late), outcome("elsewhere", 1, NEXT_DAY)]
        log.write_outcomes("credit", table(told), batch_id="o")
        assert log.label_times(monitor(), WINDOW) == (LATER, LATER + timedelta(days=2, hours=1))
