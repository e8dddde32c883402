"""What was confirmed is on disk, whatever happens next; what is on disk reaches the log once."""

import itertools
import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.serving.serving_stage import KeptLog
from vigil.core.errors import VigilError
from vigil.serving.compaction import Compactor
from vigil.serving.segments import MAGIC, decode, encode, frame, read_segment
from vigil.serving.spool import Spool, SpoolFailed

payloads = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


def rows(*ids: str, **columns: object) -> pa.Table:
    return pa.table({"prediction_id": list(ids), **{name: [value] * len(ids) for name, value in columns.items()}})


class Stage:
    """Spools and compactors on one folder, with names that count and rounds that come only when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.names = folder / "spool", KeptLog(), itertools.count()

    def name(self) -> str:
        return f"{next(self.names):04d}"

    def spool(self) -> Spool:
        return Spool(self.folder, new_name=self.name)

    def compactor(self, rows: int = 10**9) -> Compactor:
        made = Compactor(self.folder, self.log, new_name=self.name, seconds=10**6, rows=rows)
        made.flush()  # the first round, over what was left behind, is over
        return made

    def ids(self) -> list[str]:
        return sorted(row["prediction_id"] for row in self.log.rows())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@given(payloads, st.integers(min_value=0))
def test_a_segment_cut_anywhere_gives_exactly_the_frames_that_are_whole(
    tmp_path_factory: pytest.TempPathFactory, written: list[bytes], cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "0.spool"
    whole = MAGIC + b"".join(map(frame, written))
    size = cut % (len(whole) + 1)
    path.write_bytes(whole[:size])
    ends = list(itertools.accumulate((len(frame(p)) for p in written), initial=len(MAGIC)))[1:]
    contents = read_segment(path)
    assert list(contents.payloads) == [p for p, end in zip(written, ends, strict=True) if end <= size]
    assert contents.damaged == 0


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=2, max_size=6), st.data())
def test_a_flipped_bit_costs_its_own_frame_and_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, written: list[bytes], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("flip") / "0.spool"
    hit = data.draw(st.integers(0, len(written) - 2))
    frames = [bytearray(frame(p)) for p in written]
    at = data.draw(st.integers(8, len(frames[hit]) - 1))
    frames[hit][at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(MAGIC + b"".join(frames))
    contents = read_segment(path)
    assert list(contents.payloads) == [p for n, p in enumerate(written) if n != hit]
    assert contents.damaged == 1


def test_rows_keep_their_model_types_and_values() -> None:
    table = pa.table({"x": pa.array([1.5, None]), "n": pa.array([1, 2], pa.int32()), "s": ["é", None]})
    assert decode(encode("iris", table)) == ("iris", table)


def test_nobody_is_told_before_the_disk_has_it_and_one_fsync_serves_all_who_wait(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, real, entered, may_end, synced = stage.spool(), os.fsync, threading.Event(), threading.Event(), []

    def slow(handle: int) -> None:
        entered.set()
        assert may_end.wait(30)
        synced.append(handle)
        real(handle)

    spool.append(encode("m", rows("warm-up")), rows=1).result()  # the segment and its folder entry exist
    monkeypatch.setattr(os, "fsync", slow)
    first = spool.append(encode("m", rows("first")), rows=1)
    assert entered.wait(30)
    others = [spool.append(encode("m", rows(f"other-{n}")), rows=1) for n in range(50)]
    assert not first.done()
    assert not any(f.done() for f in others)
    may_end.set()
    for future in (first, *others):
        future.result()
    assert len(synced) == 2  # the first, and the fifty together
    spool.close()
    assert len(read_segment(spool.sealed()[0]).payloads) == 52


def test_a_failed_write_refuses_those_who_wait_and_the_next_one_starts_a_new_segment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, real = stage.spool(), os.fsync
    spool.append(encode("m", rows("before")), rows=1).result()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolFailed, match="No space left"):
        spool.append(encode("m", rows("lost")), rows=1).result()
    monkeypatch.setattr(os, "fsync", real)
    spool.append(encode("m", rows("after")), rows=1).result()
    spool.close()
    segments = spool.sealed()
    assert len(segments) == 2
    assert [decode(p)[1].to_pylist()[0]["prediction_id"] for p in read_segment(segments[1]).payloads] == ["after"]


def test_a_caller_that_goes_away_does_not_stop_the_writer(stage: Stage) -> None:
    spool = stage.spool()
    assert not spool.append(encode("m", rows("gone")), rows=1).cancel()
    spool.append(encode("m", rows("here")), rows=1).result()
    spool.close()


def test_after_closing_nothing_is_taken(stage: Stage) -> None:
    spool = stage.spool()
    spool.close()
    spool.close()
    with pytest.raises(SpoolFailed, match="shutting down"):
        spool.append(b"x", rows=1)


def test_a_second_gateway_on_the_same_folder_is_refused_until_the_first_is_gone(stage: Stage) -> None:
    first = stage.spool()
    with pytest.raises(VigilError, match="another gateway writes to it"):
        stage.spool()
    first.close()
    stage.spool().close()


def test_flush_moves_everything_confirmed_before_it_and_empties_the_spool(stage: Stage) -> None:
    compactor = stage.compactor()
    for n in range(5):
        compactor.spool.append(encode("iris", rows(f"i{n}")), rows=1).result()
        compactor.spool.append(encode("credit", rows(f"c{n}", sex="f")), rows=1).result()
    assert compactor.flush() == 1
    assert stage.ids() == [f"c{n}" for n in range(5)] + [f"i{n}" for n in range(5)]
    assert sorted(model for model, _ in stage.log.batches.values()) == ["credit", "iris"]
    assert compactor.spool.depth() == (0, 0, 0)
    compactor.close()


def test_rows_of_different_columns_or_types_become_batches_of_their_own(stage: Stage) -> None:
    compactor = stage.compactor()
    for table in (rows("a", x=1.0), rows("b", x="text"), rows("c"), rows("d", x=2.0)):
        compactor.spool.append(encode("m", table), rows=1).result()
    compactor.flush()
    assert sorted(t.column("prediction_id").to_pylist() for _, t in stage.log.batches.values()) == [
        ["a", "d"],
        ["b"],
        ["c"],
    ]
    compactor.close()


def test_a_log_that_is_away_keeps_the_rows_in_the_spool_and_the_problem_in_sight(stage: Stage) -> None:
    compactor = stage.compactor()
    compactor.spool.append(encode("m", rows("a")), rows=1).result()
    stage.log.fails_before = 1
    assert compactor.flush() == 0
    assert "the log is away" in compactor.problem
    assert compactor.spool.depth().segments == 1
    assert compactor.flush() == 1
    assert compactor.problem == ""
    assert stage.ids() == ["a"]
    compactor.close()


def test_a_lost_answer_of_the_log_does_not_double_rows(stage: Stage) -> None:
    compactor = stage.compactor()
    compactor.spool.append(encode("m", rows("a", "b")), rows=2).result()
    stage.log.fails_after = 1
    compactor.flush()
    compactor.flush()
    assert stage.ids() == ["a", "b"]
    compactor.close()


def test_a_segment_that_the_log_refuses_does_not_hold_up_the_next(stage: Stage) -> None:
    compactor = stage.compactor()
    stage.log.fails_before = 1
    compactor.spool.append(encode("m", rows("a")), rows=1).result()
    compactor.flush()
    compactor.spool.append(encode("m", rows("b")), rows=1).result()
    stage.log.fails_before = 1
    assert compactor.flush() == 1
    assert stage.ids() == ["b"]
    compactor.close()


def test_what_a_dead_process_left_is_moved_at_the_next_start_without_its_torn_tail(stage: Stage) -> None:
    stage.folder.mkdir()
    whole = MAGIC + frame(encode("m", rows("a"))) + frame(encode("m", rows("b")))
    (stage.folder / "left.spool").write_bytes(whole + frame(encode("m", rows("never answered")))[:-3])
    (stage.folder / "newborn.spool").write_bytes(MAGIC[:4])
    compactor = stage.compactor()
    assert stage.ids() == ["a", "b"]
    assert compactor.spool.depth() == (0, 0, 0)
    assert [path.name for path in (stage.folder / "damaged").iterdir()] == ["left.spool"]
    compactor.close()


def test_rows_that_wait_are_counted_those_of_a_dead_process_too(stage: Stage) -> None:
    stage.folder.mkdir()
    (stage.folder / "left.spool").write_bytes(MAGIC + frame(encode("m", rows("a", "b"))))
    spool = stage.spool()
    spool.append(encode("m", rows("c")), rows=1).result()
    assert spool.depth()[::2] == (2, 3)
    (stage.folder / "left.spool").unlink()
    assert spool.depth()[::2] == (1, 1)
    spool.close()


def test_a_damaged_segment_gives_its_good_rows_and_is_kept_for_people(stage: Stage) -> None:
    stage.folder.mkdir()
    bad = bytearray(frame(encode("m", rows("b"))))
    bad[-1] ^= 1
    written = MAGIC + frame(encode("m", rows("a"))) + bytes(bad) + frame(encode("m", rows("c")))
    (stage.folder / "left.spool").write_bytes(written)
    compactor = stage.compactor()
    assert stage.ids() == ["a", "c"]
    assert (stage.folder / "damaged" / "left.spool").read_bytes() == written
    compactor.close()


def test_enough_rows_are_moved_without_being_told(stage: Stage) -> None:
    compactor, written = stage.compactor(rows=3), threading.Event()
    real = stage.log.write_predictions

    def noticed(model: str, table: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        done = real(model, table, batch_id=batch_id)
        written.set()
        return done

    stage.log.write_predictions = noticed  # type: ignore[method-assign]
    compactor.spool.append(encode("m", rows("a", "b")), rows=2).result()
    compactor.spool.append(encode("m", rows("c")), rows=1).result()
    assert written.wait(30)
    assert stage.ids() == ["a", "b", "c"]
    compactor.close()


def test_a_round_that_fails_as_a_whole_is_said_and_not_the_last_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    compactor, failed, written = stage.compactor(rows=1), threading.Event(), threading.Event()
    sealed, write = compactor.spool.sealed, stage.log.write_predictions

    def unreadable() -> list[Path]:
        failed.set()
        raise OSError("the folder is away")

    def noticed(model: str, table: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        done = write(model, table, batch_id=batch_id)
        written.set()
        return done

    monkeypatch.setattr(compactor.spool, "sealed", unreadable)
    compactor.spool.append(encode("m", rows("a")), rows=1).result()
    assert failed.wait(30)
    monkeypatch.setattr(compactor.spool, "sealed", sealed)
    monkeypatch.setattr(stage.log, "write_predictions", noticed)
    compactor.spool.append(encode("m", rows("b")), rows=1).result()
    assert written.wait(30)
    compactor.close()
    assert stage.ids() == ["a", "b"]


def test_closing_moves_the_rest(stage: Stage) -> None:
    compactor = stage.compactor()
    compactor.spool.append(encode("m", rows("a")), rows=1).result()
    compactor.close()
    assert stage.ids() == ["a"]
    assert not list(stage.folder.glob("*.spool"))
