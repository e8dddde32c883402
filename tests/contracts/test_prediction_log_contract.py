"""What every PredictionLog does, whatever it is stored in."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from tests.unit.adapters.log_stage import LATER, NIGHT, NINE, monitor, outcome, row, rows, table
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import DataError
from vigil.core.window import night_window

WINDOW = night_window(NIGHT, "UTC")
NEXT_DAY = NINE + timedelta(days=1)


@pytest.fixture(params=[ParquetLog], ids=["parquet"])
def log(request, tmp_path):
    return request.param(tmp_path)


def ids(log, window=WINDOW, watched=None) -> list[str]:
    watched = watched or monitor()
    found = log.sample(watched, log.partition(watched, window), rows=10**6)
    return sorted(found.column("prediction_id").to_pylist()) if found.num_columns else []


def label_of(log, prediction_id: str) -> str | None:
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10**6).to_pylist()
    return next(r["label"] for r in found if r["prediction_id"] == prediction_id)


def digest(log, window=WINDOW, watched=None) -> str:
    return log.partition(watched or monitor(), window).digest


# batches


def test_what_is_written_is_found_in_its_night(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    assert ids(log) == ["p0", "p1", "p2"]


def test_the_same_batch_twice_is_one_batch(log):
    first = log.write_predictions("credit", table(rows(3)), batch_id="b")
    before = digest(log)
    assert log.write_predictions("credit", table(rows(3)), batch_id="b") == first
    assert digest(log) == before
    assert len(log.partition(monitor(), WINDOW).files) == 1


def test_a_batch_that_is_committed_is_not_replaced_by_other_rows_under_its_name(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    over_two_days = rows(1, prefix="q") + rows(1, prefix="r", served_at=NEXT_DAY)
    log.write_predictions("credit", table(over_two_days), batch_id="b")
    assert ids(log) == ["p0", "p1", "p2"]
    assert ids(log, night_window(NEXT_DAY.date(), "UTC")) == []


def test_batches_whose_names_read_alike_are_two_batches(log):
    log.write_predictions("credit", table([row("p1")]), batch_id="job 1")
    log.write_predictions("credit", table([row("p2")]), batch_id="job/1")
    assert ids(log) == ["p1", "p2"]


def test_a_batch_over_midnight_is_split_by_utc_date_and_seen_whole(log):
    across = rows(2, prefix="a") + rows(2, prefix="b", served_at=NEXT_DAY)
    assert len(log.write_predictions("credit", table(across), batch_id="b")) == 2
    assert ids(log) == ["a0", "a1"]
    assert ids(log, night_window(NEXT_DAY.date(), "UTC")) == ["b0", "b1"]


def test_an_empty_batch_writes_nothing(log):
    assert log.write_predictions("credit", table(rows(1))[:0], batch_id="b") == ()
    assert log.partition(monitor(), WINDOW).files == ()


# nights


def test_a_missing_log_is_an_empty_partition(log):
    partition = log.partition(monitor(), WINDOW)
    assert (partition.files, partition.outcome_files, partition.broken) == ((), (), ())
    assert log.sample(monitor(), partition, rows=10).num_rows == 0
    assert log.find("p0") is None


def test_rows_outside_the_window_or_of_another_environment_are_not_of_the_night(log):
    log.write_predictions("credit", table([
        row("first", served_at=WINDOW.start), row("last", served_at=WINDOW.end - timedelta(microseconds=1)),
        row("before", served_at=WINDOW.start - timedelta(microseconds=1)), row("after", served_at=WINDOW.end),
        row("elsewhere", environment="production"),
    ]), batch_id="b")  # fmt: skip
    assert ids(log) == ["first", "last"]


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)])
def test_a_local_night_has_its_own_hours_when_clocks_change(log, night, hours):
    window = night_window(datetime.fromisoformat(night).date(), "Europe/Berlin")
    first = window.start - timedelta(hours=3)
    served = [row(f"h{n:02}", served_at=first + timedelta(hours=n)) for n in range(32)]
    log.write_predictions("credit", table(served), batch_id="b")
    found = ids(log, window, monitor(timezone="Europe/Berlin"))
    assert found == [f"h{n:02}" for n in range(3, 3 + hours)]


def test_nights_tile_so_that_no_row_is_lost_or_counted_twice(log):
    start = datetime(2026, 10, 24, 0, tzinfo=UTC)
    served = [row(f"h{n:03}", served_at=start + timedelta(minutes=30 * n)) for n in range(144)]
    log.write_predictions("credit", table(served), batch_id="b")
    nights = [night_window(start.date() + timedelta(days=n), "Europe/Berlin") for n in range(-1, 4)]
    assert [i for w in nights for i in ids(log, w)] == [r["prediction_id"] for r in served]


# labels


def test_a_label_is_joined_as_text_whatever_type_it_was_logged_in(log):
    log.write_predictions("credit", table(rows(4)), batch_id="b")
    for n, label in enumerate([1, 1.0, True, "1"]):
        log.write_outcomes("credit", table([outcome(f"p{n}", label)]), batch_id=f"t{n}")
    assert [label_of(log, f"p{n}") for n in range(4)] == ["1"] * 4


def test_of_labels_that_contradict_each_other_the_latest_observed_wins(log):
    log.write_predictions("credit", table([row("p")]), batch_id="b")
    log.write_outcomes("credit", table([outcome("p", 1, LATER)]), batch_id="late")
    log.write_outcomes("credit", table([outcome("p", 0, LATER - timedelta(days=1))]), batch_id="early")
    assert label_of(log, "p") == "1"


def test_labels_for_unknown_ids_are_harmless_and_counted_as_orphans(log):
    log.write_predictions("credit", table([row("p")]), batch_id="b")
    before = digest(log)
    log.write_outcomes("credit", table([outcome("nobody", 1), outcome("nobody", 0), outcome("none", 1)]), batch_id="t")
    assert digest(log) == before
    assert label_of(log, "p") is None
    assert log.orphans(monitor()) == 2


def test_every_label_is_an_orphan_before_the_first_prediction(log):
    log.write_outcomes("credit", table([outcome("p", 1)]), batch_id="t")
    assert log.orphans(monitor()) == 1


# digests


def test_a_digest_tells_late_rows_and_is_otherwise_steady(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    before = digest(log)
    assert digest(log) == before
    log.write_predictions("credit", table(rows(1, prefix="late")), batch_id="c")
    assert digest(log) != before


def test_late_labels_change_only_the_digest_of_the_night_they_belong_to(log):
    other = night_window(NEXT_DAY.date(), "UTC")
    log.write_predictions("credit", table(rows(3) + rows(3, prefix="q", served_at=NEXT_DAY)), batch_id="b")
    mine, theirs = digest(log), digest(log, other)
    log.write_outcomes("credit", table([outcome("p1", 1)]), batch_id="t")
    assert digest(log) != mine
    assert digest(log, other) == theirs


def test_the_same_label_delivered_again_changes_nothing(log):
    log.write_predictions("credit", table(rows(2)), batch_id="b")
    log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
    before = digest(log)
    log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="again")
    assert digest(log) == before
    log.write_outcomes("credit", table([outcome("p0", 0)]), batch_id="corrected")
    assert digest(log) != before


def test_rows_of_another_night_leave_the_digest_alone_and_those_of_another_environment_are_counted_in_it(log):
    zone = monitor(timezone="Europe/Berlin")
    window = night_window(NIGHT, "Europe/Berlin")  # 23:00 to 23:00 UTC
    log.write_predictions("credit", table(rows(2)), batch_id="b")
    before = digest(log, window, zone)
    log.write_predictions("credit", table([row("next", served_at=window.end)]), batch_id="next night, same UTC date")
    assert digest(log, window, zone) == before
    log.write_predictions("credit", table(rows(2, prefix="x", environment="production")), batch_id="elsewhere")
    assert digest(log, window, zone) != before  # the ledger of rows says how many there are


# find and sample


def test_find_looks_across_models_and_says_whose_row_it_is(log):
    log.write_predictions("credit", table([row("p")]), batch_id="b")
    log.write_predictions("fraud", table([row("q", model="a feature of that name")]), batch_id="b")
    assert log.find("q")["model"] == "fraud"
    assert log.find("p")["served_at"] == NINE
    assert log.find("q", model="credit") is None


def test_find_returns_the_earliest_row_of_a_repeated_id(log):
    log.write_predictions("credit", table([row("p", served_at=NINE + timedelta(hours=1), income=2.0)]), batch_id="b")
    log.write_predictions("credit", table([row("p", income=1.0)]), batch_id="c")
    assert log.find("p")["income"] == 1.0


def test_a_sample_is_always_the_same_rows_and_grows_without_losing_any(log):
    log.write_predictions("credit", table(rows(60)), batch_id="b")
    partition = log.partition(monitor(), WINDOW)
    few, more, every = (log.sample(monitor(), partition, rows=n) for n in (10, 20, 60))
    assert few.equals(log.sample(monitor(), partition, rows=10))
    assert set(few["prediction_id"].to_pylist()) < set(more["prediction_id"].to_pylist())
    assert every.num_rows == 60
    assert few["prediction_id"].to_pylist() != [f"p{n}" for n in range(10)]


def test_a_sample_has_the_columns_of_the_log_and_the_label_and_no_others(log):
    log.write_predictions("credit", table(rows(2)), batch_id="b")
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=2)
    assert set(found.column_names) == {*row("p"), "label"}


def test_a_repeated_id_appears_once_in_the_sample_as_it_was_first_served(log):
    log.write_predictions("credit", table([row("p", income=1.0)]), batch_id="b")
    log.write_predictions("credit", table([row("p", served_at=NINE + timedelta(hours=1), income=2.0)]), batch_id="c")
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10)
    assert found["income"].to_pylist() == [1.0]


def test_a_request_that_the_challenger_answered_too_is_sampled_as_it_was_served(log):
    early = row("p", served_at=NINE - timedelta(seconds=1), role="challenger", income=2.0)
    log.write_predictions("credit", table([row("p", income=1.0), early]), batch_id="b")
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=10)
    assert found["role"].to_pylist() == ["champion"]


# refusals: nothing is written


@pytest.mark.parametrize("column", ["prediction_id", "served_at", "environment", "model_version", "role", "status"])
def test_a_required_value_must_not_be_null(log, column):
    spoiled = pa.Table.from_pylist([row("p"), row("q")])
    holes = pa.array([spoiled[column][0].as_py(), None], type=spoiled[column].type)
    spoiled = spoiled.set_column(spoiled.column_names.index(column), column, holes)
    with pytest.raises(DataError, match=f"{column} is null in 1 of 2"):
        log.write_predictions("credit", spoiled, batch_id="b")
    assert log.partition(monitor(), WINDOW).files == ()


@pytest.mark.parametrize(
    "column", ["prediction_id", "served_at", "environment", "model_version", "role", "status", "latency_ms"]
)
def test_a_required_column_must_be_there(log, column):
    with pytest.raises(DataError, match=f"missing column.*{column}.*there are"):
        log.write_predictions("credit", table(rows(2)).drop_columns([column]), batch_id="b")


def test_a_log_without_pipeline_versions_is_fine(log):
    log.write_predictions("credit", table(rows(2)).drop_columns(["pipeline_version"]), batch_id="b")
    assert ids(log) == ["p0", "p1"]


@pytest.mark.parametrize("served_at", [datetime(2026, 11, 20, 9), "2026-11-20T09:00:00Z", 1_700_000_000])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused_with_the_remedy(log, served_at):
    with pytest.raises(DataError, match=r"served_at .* with a time zone.*localise"):
        log.write_predictions("credit", table([row("p", served_at=served_at)]), batch_id="b")


def test_a_role_that_nobody_knows_is_refused_with_those_there_are(log):
    with pytest.raises(DataError, match=r"'shadow'.*champion, challenger, fallback"):
        log.write_predictions("credit", table([row("p", role="shadow")]), batch_id="b")


def test_latency_must_be_a_number(log):
    with pytest.raises(DataError, match="latency_ms is string; it must be a number"):
        log.write_predictions("credit", table([row("p", latency_ms="fast")]), batch_id="b")


def test_outcomes_need_their_three_columns(log):
    with pytest.raises(DataError, match=r"missing column.*observed_at"):
        log.write_outcomes("credit", pa.table({"prediction_id": ["p"], "label": ["1"]}), batch_id="t")


@pytest.mark.parametrize("model", ["../credit", "a/b", "", ".hidden", "model name"])
def test_a_model_name_that_is_no_folder_name_is_refused(log, model):
    with pytest.raises(DataError, match="cannot name a model's log"):
        log.write_predictions(model, table([row("p")]), batch_id="b")


# what was known when


def test_a_label_that_was_observed_later_is_not_there_and_the_digest_is_that_of_a_log_without_it(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    before = digest(log)
    log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="o")
    then = log.partition(monitor(), WINDOW, labels_through=LATER - timedelta(seconds=1))
    assert then.digest == before != digest(log)
    assert log.sample(monitor(), then, rows=9).column("label").null_count == 3


def test_labels_that_were_all_known_by_then_make_no_difference(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    log.write_outcomes("credit", table([outcome("p0", 1), outcome("p1", 0)]), batch_id="o")
    then = log.partition(monitor(), WINDOW, labels_through=LATER)
    assert then.digest == digest(log)
    assert log.sample(monitor(), then, rows=9).column("label").null_count == 1


def test_a_label_that_was_corrected_later_is_the_first_one_until_then(log):
    log.write_predictions("credit", table(rows(1)), batch_id="b")
    corrected = [outcome("p0", 1), outcome("p0", 0, LATER + timedelta(days=3))]
    log.write_outcomes("credit", table(corrected), batch_id="o")
    then = log.partition(monitor(), WINDOW, labels_through=LATER + timedelta(days=1))
    assert log.sample(monitor(), then, rows=9).column("label").to_pylist() == ["1"]
    assert label_of(log, "p0") == "0"


def test_the_hours_in_which_labels_came_are_known(log):
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    assert log.label_times(monitor(), WINDOW) == ()
    late = LATER + timedelta(days=2, minutes=1)
    told = [outcome("p0", 1), outcome("p1", 1), outcome("p2", 0, late), outcome("elsewhere", 1, NEXT_DAY)]
    log.write_outcomes("credit", table(told), batch_id="o")
    assert log.label_times(monitor(), WINDOW) == (LATER, LATER + timedelta(days=2, hours=1))
