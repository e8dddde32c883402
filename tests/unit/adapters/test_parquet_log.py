"""What the contract cannot say: crashes, files cut in half, and logs that somebody else wrote."""

import subprocess
import sys
from datetime import date, timedelta
from hashlib import md5
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.adapters.log_stage import LATER, NIGHT, NINE, monitor, outcome, row, rows, table
from vigil.adapters.duckdb_labels import outcomes_digest
from vigil.adapters.duckdb_rows import connect
from vigil.adapters.parquet_files import visible
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import DataError
from vigil.core.window import night_window

WINDOW = night_window(NIGHT, "UTC")
DAYS = [NINE + timedelta(days=n) for n in range(3)]
THREE_DAYS = [r for n, day in enumerate(DAYS) for r in rows(2, prefix=f"d{n}-", served_at=day)]


class Crash(BaseException):
    """Nothing catches a process that dies."""


def crash_at(monkeypatch, call: int) -> None:
    """The process dies at the given rename, and cleans nothing up."""
    real, calls = Path.replace, iter(range(1, 100))

    def replace(self, target):
        if next(calls) == call:
            raise Crash
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)


def seen(log) -> list[str]:
    windows = [night_window(day.date(), "UTC") for day in DAYS]
    found = [log.sample(monitor(), log.partition(monitor(), w), rows=100) for w in windows]
    return sorted(i for t in found if t.num_columns for i in t["prediction_id"].to_pylist())


# crashes


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_writer_that_dies_at_any_rename_leaves_nothing_to_read_and_its_retry_everything(tmp_path, call):
    log = ParquetLog(tmp_path)
    with pytest.MonkeyPatch.context() as dying:
        crash_at(dying, call)
        with pytest.raises(Crash):
            log.write_predictions("credit", table(THREE_DAYS), batch_id="b")
    assert seen(log) == []
    log.write_predictions("credit", table(THREE_DAYS), batch_id="b")
    assert seen(log) == sorted(r["prediction_id"] for r in THREE_DAYS)


def test_three_dates_take_four_renames_so_that_no_crash_point_is_forgotten(tmp_path, monkeypatch):
    renamed, real = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, target: (renamed.append(target), real(self, target))[1])
    ParquetLog(tmp_path).write_predictions("credit", table(THREE_DAYS), batch_id="b")
    assert len(renamed) == 4
    assert renamed[-1].parent.name == "_batches"


def test_what_a_dead_writer_left_is_replaced_when_the_retry_has_other_rows(tmp_path):
    log = ParquetLog(tmp_path)
    with pytest.MonkeyPatch.context() as dying:
        crash_at(dying, 3)
        with pytest.raises(Crash):
            log.write_predictions("credit", table(THREE_DAYS), batch_id="b")
    changed = [{**r, "prediction_id": f"new-{r['prediction_id']}"} for r in THREE_DAYS]
    log.write_predictions("credit", table(changed), batch_id="b")
    assert seen(log) == sorted(r["prediction_id"] for r in changed)


def test_a_batch_that_is_committed_while_a_reader_looks_is_seen_whole_or_not_at_all(tmp_path):
    with pytest.MonkeyPatch.context() as dying:
        crash_at(dying, 4)
        with pytest.raises(Crash):
            ParquetLog(tmp_path).write_predictions("credit", table(THREE_DAYS), batch_id="b")
    folder = tmp_path / "predictions" / "model=credit"
    part = next(folder.glob("date=*/*.part.parquet"))
    marker = folder / "_batches" / part.name.removesuffix(".part.parquet")

    def commits_in_between(day: date) -> bool:
        if day == DAYS[1].date():
            marker.touch()
        return True

    assert visible(folder, commits_in_between) == []
    assert len(visible(folder, lambda _: True)) == 3


def test_a_failed_write_leaves_no_draft_behind(tmp_path):
    log = ParquetLog(tmp_path)
    empty_struct = table([row("p")]).append_column("odd", pa.array([{}], type=pa.struct([])))
    with pytest.raises(DataError, match="cannot be stored as Parquet"):
        log.write_reference("credit", empty_struct)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_drafts_are_hidden_from_readers(tmp_path):
    log = ParquetLog(tmp_path)
    (written,) = map(Path, log.write_predictions("credit", table(rows(1)), batch_id="b"))
    written.with_name(".half.parquet").write_bytes(b"PAR1")
    written.with_name(f".{written.name}.1.2").write_bytes(b"PAR1")
    partition = log.partition(monitor(), WINDOW)
    assert (partition.files, partition.broken) == ((str(written),), ())


# files that cannot be read


def cut_in_half(name: str) -> None:
    whole = Path(name).read_bytes()
    Path(name).write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize("spoil", [cut_in_half, lambda name: Path(name).write_bytes(b"")], ids=["half", "empty"])
def test_a_file_cut_in_half_is_reported_and_the_others_stay_usable(tmp_path, spoil):
    log = ParquetLog(tmp_path)
    (good,) = log.write_predictions("credit", table(rows(2)), batch_id="good")
    (bad,) = log.write_predictions("credit", table(rows(2, prefix="lost")), batch_id="bad")
    whole = log.partition(monitor(), WINDOW).digest
    spoil(bad)
    partition = log.partition(monitor(), WINDOW)
    assert partition.files == (good,)
    assert [(name, bool(why)) for name, why in partition.broken] == [(bad, True)]
    assert partition.digest != whole
    assert log.sample(monitor(), partition, rows=9).num_rows == 2
    assert log.find("p0") is not None


def test_a_broken_file_that_is_repaired_re_evaluates_the_night(tmp_path):
    log = ParquetLog(tmp_path)
    (bad,) = log.write_predictions("credit", table(rows(2)), batch_id="b")
    content, before = Path(bad).read_bytes(), log.partition(monitor(), WINDOW).digest
    cut_in_half(bad)
    broken = log.partition(monitor(), WINDOW)
    assert (broken.files, len(broken.broken)) == ((), 1)
    Path(bad).write_bytes(content)
    assert log.partition(monitor(), WINDOW).digest == before != broken.digest


def test_an_outcome_file_cut_in_half_is_reported_too_for_its_labels_are_missing(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(2)), batch_id="b")
    (bad,) = log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
    cut_in_half(bad)
    partition = log.partition(monitor(), WINDOW)
    assert [name for name, _ in partition.broken] == [bad]
    assert partition.outcome_files == ()


# which files


def test_a_night_reads_only_the_files_that_may_hold_its_rows_and_the_outcomes_since(tmp_path):
    log = ParquetLog(tmp_path)
    (mine,) = log.write_predictions("credit", table(rows(1)), batch_id="mine")
    log.write_predictions("credit", table(rows(1, served_at=DAYS[1])), batch_id="tomorrow")
    log.write_predictions("credit", table(rows(1, environment="production")), batch_id="elsewhere")
    log.write_outcomes("credit", table([outcome("p0", 1, NINE - timedelta(days=2))]), batch_id="before")
    (since,) = log.write_outcomes("credit", table([outcome("p0", 0, NINE - timedelta(days=1))]), batch_id="since")
    partition = log.partition(monitor(), WINDOW)
    assert partition.files == (mine,)
    assert partition.outcome_files == (since,)


def test_the_digest_does_not_depend_on_where_the_log_is(tmp_path):
    found = []
    for place in ("here", "there"):
        log = ParquetLog(tmp_path / place)
        log.write_predictions("credit", table(rows(3)), batch_id="b")
        log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
        found.append(log.partition(monitor(), WINDOW).digest)
    assert found[0] == found[1]


def md5_number(text: str) -> int:
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[8:], "little")


def test_samples_are_chosen_by_md5_so_that_an_upgrade_of_duckdb_chooses_the_same_rows(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(50)), batch_id="b")
    sampled = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=7)
    ids = [f"p{n}" for n in range(50)]
    assert sampled["prediction_id"].to_pylist() == sorted(ids, key=md5_number)[:7]


def test_labels_are_digested_by_md5_so_that_an_upgrade_of_duckdb_re_evaluates_no_night(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    log.write_outcomes("credit", table([outcome("p0", 1), outcome("p1", 0), outcome("orphan", 0)]), batch_id="t")
    partition = log.partition(monitor(), WINDOW)
    seen_us = int(LATER.timestamp() * 1e6)
    one, two = (md5_number(f"{i}\x1f{label}\x1f{seen_us}") for i, label in (("p0", "1"), ("p1", "0")))
    assert outcomes_digest(monitor(), WINDOW, partition.files, partition.outcome_files) == f"2:{one ^ two}"


# logs that somebody else wrote


def foreign(root: Path, given: pa.Table, *, day: str = "2026-11-20", kind: str = "predictions", name: str = "spark-0"):
    folder = root / kind / "model=credit" / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(given, folder / f"{name}.parquet")


def test_a_log_with_other_column_names_is_read_through_the_data_map(tmp_path):
    names = {"prediction_id": "request_id", "served_at": "ts"}
    foreign(tmp_path, table(rows(3)).rename_columns([names.get(c, c) for c in table(rows(1)).column_names]))
    mapped = monitor(data={"score": "score", **names})
    log = ParquetLog(tmp_path)
    log.write_outcomes("credit", table([outcome("p1", 1)]), batch_id="t")
    found = log.sample(mapped, log.partition(mapped, WINDOW), rows=9)
    assert {r["request_id"]: r["label"] for r in found.to_pylist()} == {"p0": None, "p1": "1", "p2": None}
    assert log.find("p1") is None  # no column of that name: not here, and no crash


def test_times_without_a_zone_in_a_foreign_log_are_utc(tmp_path):
    naive = table(rows(2)).to_pandas()
    naive["served_at"] = naive["served_at"].dt.tz_localize(None)
    foreign(tmp_path, pa.Table.from_pandas(naive))
    log = ParquetLog(tmp_path)
    assert log.sample(monitor(), log.partition(monitor(), WINDOW), rows=9).num_rows == 2


def test_ids_that_are_numbers_meet_labels_that_are_logged_as_text(tmp_path):
    foreign(tmp_path, table([{**row("x"), "prediction_id": 7}]))
    log = ParquetLog(tmp_path)
    log.write_outcomes("credit", table([outcome("7", 1)]), batch_id="t")
    assert log.sample(monitor(), log.partition(monitor(), WINDOW), rows=9)["label"].to_pylist() == ["1"]
    assert log.find("7") is not None


def test_rows_without_an_id_are_all_kept(tmp_path):
    nameless = table([row("a"), row("b"), row("c")])
    foreign(tmp_path, nameless.set_column(0, "prediction_id", pa.array(["a", None, None], type=pa.string())))
    log = ParquetLog(tmp_path)
    assert log.sample(monitor(), log.partition(monitor(), WINDOW), rows=9).num_rows == 3


def test_a_column_that_became_text_over_night_is_read_beside_the_numbers(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table([row("p")]), batch_id="b")
    log.write_predictions("credit", table([row("q", income="12 Zoll", extra=1)]), batch_id="c")
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=9)
    assert {r["prediction_id"]: r["income"] for r in found.to_pylist()} == {"p": "100.0", "q": "12 Zoll"}


@pytest.mark.parametrize("lost", ["environment", "served_at", "prediction_id", "model_version", "role"])
def test_a_foreign_file_that_lacks_what_names_or_dates_a_row_is_broken_and_says_which_column(tmp_path, lost):
    foreign(tmp_path, table(rows(1)).drop_columns([lost]))
    log = ParquetLog(tmp_path)
    (good,) = log.write_predictions("credit", table(rows(2)), batch_id="good")
    log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
    partition = log.partition(monitor(), WINDOW)
    assert partition.files == (good,)
    ((name, why),) = partition.broken
    assert name.endswith("spark-0.parquet")
    assert why.startswith(f"column '{lost}' is missing from the file")


def test_foreign_outcomes_without_labels_are_broken_and_take_no_prediction_along(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(1)), batch_id="b")
    foreign(tmp_path, pa.table({"prediction_id": ["p0"], "Label": ["1"], "observed_at": [LATER]}), kind="outcomes")
    partition = log.partition(monitor(), WINDOW)
    ((_, why),) = partition.broken
    assert why.startswith("column 'label' is missing from the file; did you mean 'Label'?")
    assert log.sample(monitor(), partition, rows=9).num_rows == 1


def without(given: pa.Table, **missing: range) -> pa.Table:
    """The rows; of each column these values are missing."""
    for name, places in missing.items():
        values = [None if i in places else v for i, v in enumerate(given[name].to_pylist())]
        given = given.set_column(given.column_names.index(name), name, pa.array(values, given[name].type))
    return given


@pytest.mark.parametrize("told", [True, False], ids=["footer says", "footer is silent"])
def test_rows_without_a_time_or_an_environment_are_told_and_the_others_are_counted(tmp_path, told):
    folder = tmp_path / "predictions" / "model=credit" / "date=2026-11-20"
    folder.mkdir(parents=True)
    given = without(table(rows(100)), served_at=range(50), environment=range(40, 75))
    pq.write_table(given, folder / "spark-0.parquet", write_statistics=told, row_group_size=40)
    log = ParquetLog(tmp_path)
    (good,) = log.write_predictions("credit", table(rows(2, prefix="q")), batch_id="good")
    partition = log.partition(monitor(), WINDOW)
    assert partition.files == (good, str(folder / "spark-0.parquet"))
    why = "of its 100 rows 50 without 'served_at' and 25 without 'environment' are in no night; the others are counted"
    assert partition.broken == ((str(folder / "spark-0.parquet"), why),)
    assert log.sample(monitor(), partition, rows=200).num_rows == 27


def test_what_rows_of_another_environment_or_night_lack_is_not_told_here(tmp_path):
    theirs = without(table(rows(4, environment="production")), served_at=range(2))
    later = table(rows(2, served_at=NINE + timedelta(days=1)))
    foreign(tmp_path, pa.concat_tables([theirs, table(rows(2)), without(later, environment=range(2))]))
    log = ParquetLog(tmp_path)
    assert log.partition(monitor(), WINDOW).broken == ()
    ((_, why),) = log.partition(monitor(environment="production"), WINDOW).broken
    assert "2 without 'served_at' are in no night" in why


@pytest.mark.parametrize("kind", ["predictions", "outcomes"])
def test_a_time_column_that_is_text_is_broken_and_the_data_are_not_quoted(tmp_path, kind):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(1)), batch_id="b")
    wrong = row("p", served_at="SECRET") if kind == "predictions" else outcome("p", 1, "SECRET")
    foreign(tmp_path, table([wrong]), kind=kind)
    ((_, why),) = log.partition(monitor(), WINDOW).broken
    assert why.endswith("_at' is string; it must be a timestamp")


def test_a_value_of_another_type_than_its_column_is_an_error_that_does_not_quote_it():
    with pytest.raises(DataError, match="a value has another type than its column") as caught, connect() as db:
        db.execute("SELECT CAST('SECRET' AS INTEGER)").fetchall()
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", None])
def test_times_in_nanoseconds_as_pandas_writes_them_are_read_beside_ours(tmp_path, zone):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(2)), batch_id="ours")
    log.write_outcomes("credit", table([outcome("p0", 1), outcome("x0", 0)]), batch_id="t")
    theirs = table(rows(3, prefix="x")).to_pandas()
    theirs["served_at"] = theirs["served_at"].dt.tz_convert(zone).dt.as_unit("ns")
    foreign(tmp_path, pa.Table.from_pandas(theirs, preserve_index=False))
    corrected = table([outcome("x0", 1, LATER + timedelta(days=1))]).to_pandas()
    corrected["observed_at"] = corrected["observed_at"].dt.as_unit("ns")
    foreign(tmp_path, pa.Table.from_pandas(corrected, preserve_index=False), kind="outcomes")
    found = log.sample(monitor(), log.partition(monitor(), WINDOW), rows=9)
    assert {r["prediction_id"]: r["label"] for r in found.to_pylist()} == {
        "p0": "1", "p1": None, "x0": "1", "x1": None, "x2": None}  # fmt: skip


def test_folders_that_are_no_dates_are_ignored(tmp_path):
    foreign(tmp_path, table(rows(1)), day="__HIVE_DEFAULT_PARTITION__")
    assert ParquetLog(tmp_path).partition(monitor(), WINDOW).files == ()


def test_a_night_is_opened_without_importing_pandas(tmp_path):
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(3)), batch_id="b")
    log.write_outcomes("credit", table([outcome("p0", 1)]), batch_id="t")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.unit.adapters.log_stage import NIGHT, monitor\n"
        "from vigil.core.window import night_window\n"
        "from vigil.adapters.parquet_log import ParquetLog\n"
        "before = 'pandas' in sys.modules\n"
        f"found = ParquetLog(Path({str(tmp_path)!r})).partition(monitor(), night_window(NIGHT, 'UTC'))\n"
        "print(len(found.files), len(found.outcome_files), before, 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "False", "False"]


@pytest.mark.parametrize(("unit", "stored"), [("us", 2**62), ("ms", -(2**60)), ("us", 0)])
def test_a_file_of_a_time_that_no_calendar_has_belongs_to_no_night_and_breaks_none(tmp_path, unit, stored):
    odd = table(rows(1)).set_column(
        table(rows(1)).column_names.index("served_at"), "served_at",
        pa.array([stored], pa.int64()).cast(pa.timestamp(unit, "UTC")),
    )  # fmt: skip
    foreign(tmp_path, odd)
    log = ParquetLog(tmp_path)
    log.write_predictions("credit", table(rows(2)), batch_id="good")
    partition = log.partition(monitor(), WINDOW)
    assert len(partition.files) == 1
    assert log.sample(monitor(), partition, rows=9).num_rows == 2
