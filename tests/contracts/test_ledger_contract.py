"""What every Ledger does; what the SQL one does when several processes write, and when somebody tampers."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from vigil.adapters.memory import MemoryLedger
from vigil.adapters.sql_engine import open_engine
from vigil.adapters.sql_ledger import SqlLedger
from vigil.core.errors import BrokenChain, Conflict, LedgerError

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
STREAM = "incident/credit-1"


def grow(ledger, stream=STREAM, count=3):
    start = len(ledger.read(stream))
    for n in range(start, start + count):
        ledger.append(stream, expected=n, key=f"k{n + 1}", type="noted", at=AT, payload={"n": n + 1})


def tamper(sql, *statements):
    """What somebody with the database's password can do: they also drop the triggers."""
    engine = open_engine(sql.url)
    on = " ON events" if engine.dialect.name == "postgresql" else ""
    triggers = ("events_append_only",) if on else ("events_no_update", "events_no_delete")
    with engine.begin() as db:
        for trigger in triggers:
            db.execute(text(f"DROP TRIGGER {trigger}{on}"))
        for statement in statements:
            db.exec_driver_sql(statement)
    engine.dispose()


# every ledger


def test_events_are_numbered_from_one_and_read_back_as_they_were_returned(state):
    made = state.ledger.append(STREAM, expected=0, key="a", type="opened", at=AT, payload={"é": [1.5, None, {"x": 2}]})
    assert (made.sequence, made.previous) == (1, "0" * 64)
    assert state.ledger.read(STREAM) == (made,)
    assert state.ledger.read("incident/other") == ()


def test_each_event_carries_the_hash_of_the_one_before(state):
    grow(state.ledger)
    events = state.ledger.read(STREAM)
    assert [e.previous for e in events[1:]] == [e.hash for e in events[:-1]]
    assert state.ledger.verify() == ()


def test_a_key_that_is_there_already_returns_its_event_whatever_was_expected(state):
    grow(state.ledger)
    again = state.ledger.append(STREAM, expected=0, key="k2", type="other", at=AT, payload={"n": 99})
    assert again == state.ledger.read(STREAM)[1]
    assert len(state.ledger.read(STREAM)) == 3


@pytest.mark.parametrize("expected", [0, 2, 4])
def test_an_append_at_the_wrong_place_is_a_conflict_that_says_how_long_the_stream_is(state, expected):
    grow(state.ledger)
    with pytest.raises(Conflict, match=f"it has 3 events, not {expected}; read it again"):
        state.ledger.append(STREAM, expected=expected, key="new", type="noted", at=AT, payload={})
    assert len(state.ledger.read(STREAM)) == 3


def test_a_time_without_a_zone_is_refused(state):
    with pytest.raises(LedgerError, match="a time with a zone, not 2026-11-21T02:00:00"):
        state.ledger.append(STREAM, expected=0, key="a", type="noted", at=AT.replace(tzinfo=None), payload={})


def test_a_time_in_another_zone_is_the_same_instant_with_the_same_hash(state):
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    one = state.ledger.append("a", expected=0, key="k", type="noted", at=berlin, payload={})
    assert one.at == AT
    assert state.ledger.verify() == ()


def test_streams_are_listed_by_prefix_in_order_and_case_counts(state):
    for stream in ("model/b", "incident/2", "incident/1", "Incident/3"):
        grow(state.ledger, stream, 1)
    assert state.ledger.streams("incident/") == ("incident/1", "incident/2")
    assert state.ledger.streams() == ("Incident/3", "incident/1", "incident/2", "model/b")


def test_changing_a_payload_after_the_append_changes_nothing_stored(state):
    payload = {"list": [1]}
    state.ledger.append(STREAM, expected=0, key="a", type="noted", at=AT, payload=payload)
    payload["list"].append(2)
    assert state.ledger.read(STREAM)[0].payload == {"list": [1]}


def test_a_checkpoint_holds_the_heads_of_all_other_streams_and_is_an_event_itself(state):
    grow(state.ledger)
    grow(state.ledger, "model/iris", 1)
    heads = state.ledger.checkpoint(AT)
    last = {s: state.ledger.read(s)[-1] for s in (STREAM, "model/iris")}
    assert dict(heads) == {s: (e.sequence, e.hash) for s, e in last.items()}
    noted = state.ledger.read("system")[-1]
    assert noted.type == "checkpoint"
    assert noted.payload["heads"] == {s: [e.sequence, e.hash] for s, e in last.items()}
    assert state.ledger.verify() == ()


def test_the_same_checkpoint_again_is_one_event(state):
    grow(state.ledger)
    state.ledger.checkpoint(AT)
    state.ledger.checkpoint(AT)
    assert len(state.ledger.read("system")) == 1
    assert state.ledger.verify() == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), JSON, max_size=4))
def test_whatever_json_an_event_says_its_chain_holds_and_memory_gives_the_same_hash(sqlite_template, payload, tmp_path):
    path = tmp_path / "law.db"
    if not path.exists():
        path.write_bytes(sqlite_template.read_bytes())
    ledger = SqlLedger(open_engine(f"sqlite:///{path}"), tmp_path / "c.jsonl")
    stream = f"s{len(ledger.streams())}"
    made = ledger.append(stream, expected=0, key="k", type="noted", at=AT, payload=payload)
    assert ledger.read(stream) == (made,)
    assert ledger.verify() == ()
    assert MemoryLedger().append(stream, expected=0, key="k", type="noted", at=AT, payload=payload) == made


# several writers


def _append_many(url: str, file: Path, writer: int, count: int, start) -> None:
    ledger = SqlLedger(open_engine(url), file)
    start.wait()
    for n in range(count):
        while True:
            at = len(ledger.read(STREAM))
            try:
                ledger.append(STREAM, expected=at, key=f"{writer}/{n}", type="noted", at=AT, payload={"writer": writer})
                break
            except Conflict:
                continue


def _append_once(url: str, file: Path, key: str, start, answers) -> None:
    ledger = SqlLedger(open_engine(url), file)
    start.wait()
    try:
        made = ledger.append(STREAM, expected=0, key=key, type="noted", at=AT, payload={})
        answers.put(made.hash)
    except Conflict:
        answers.put("conflict")


@pytest.mark.slow
def test_processes_that_append_to_one_stream_leave_no_gap_and_lose_nothing(sql):
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(3)
    workers = [spawn.Process(target=_append_many, args=(sql.url, sql.file, w, 15, start)) for w in range(3)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    events = sql.ledger.read(STREAM)
    assert [e.sequence for e in events] == list(range(1, 46))
    assert {e.key for e in events} == {f"{w}/{n}" for w in range(3) for n in range(15)}
    assert sql.ledger.verify() == ()


@pytest.mark.slow
@pytest.mark.parametrize("keys", [("a", "b", "c", "d"), ("a", "a", "a", "a")], ids=["own keys", "one key"])
def test_of_processes_that_decided_on_the_same_length_one_appends(sql, keys):
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(len(keys)), spawn.Queue()
    workers = [spawn.Process(target=_append_once, args=(sql.url, sql.file, key, start, answers)) for key in keys]
    [w.start() for w in workers]
    told = [answers.get(timeout=120) for _ in workers]
    [w.join() for w in workers]
    made = sql.ledger.read(STREAM)
    assert len(made) == 1
    winners = 1 if len(set(keys)) > 1 else len(keys)  # the same key: everybody gets the one event
    assert told.count(made[0].hash) == winners
    assert told.count("conflict") == len(keys) - winners


# tampering


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "DELETE FROM events WHERE sequence = 3",
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_events(sql, statement):
    grow(sql.ledger)
    engine = open_engine(sql.url)
    with pytest.raises(DBAPIError, match="events is append-only"), engine.begin() as db:
        db.execute(text(statement))
    assert len(sql.ledger.read(STREAM)) == 3


def test_the_database_refuses_what_only_its_dialect_can_do(sql):
    grow(sql.ledger)
    engine = open_engine(sql.url)
    if engine.dialect.name == "postgresql":
        statement = "TRUNCATE events"
    else:
        statement = (
            "INSERT OR REPLACE INTO events SELECT stream, 3, 'x', type, at, '{}', previous, hash "
            "FROM events WHERE sequence = 2"
        )
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as db:
        db.execute(text(statement))
    assert [e.key for e in sql.ledger.read(STREAM)] == ["k1", "k2", "k3"]


def test_a_changed_payload_is_named_by_stream_and_event(sql):
    grow(sql.ledger)
    tamper(sql, "UPDATE events SET payload = '{\"n\":7}' WHERE sequence = 2")
    assert sql.ledger.verify() == (f"{STREAM} event 2 (noted): its content was changed after it was written",)


def test_a_changed_time_is_named_too(sql):
    grow(sql.ledger)
    tamper(sql, "UPDATE events SET at = '2026-11-21 03:00:00.000000' WHERE sequence = 3")
    assert sql.ledger.verify() == (f"{STREAM} event 3 (noted): its content was changed after it was written",)


def test_a_payload_that_is_no_json_any_more_is_named_and_stops_reading_but_not_verifying(sql):
    grow(sql.ledger)
    grow(sql.ledger, "model/iris", 1)
    tamper(sql, f"UPDATE events SET payload = 'oops' WHERE stream = '{STREAM}' AND sequence = 2")
    sentence = f"{STREAM} event 2 (noted): its content was changed and cannot be read any more"
    assert sql.ledger.verify() == (sentence,)
    with pytest.raises(BrokenChain, match="cannot be read any more"):
        sql.ledger.read(STREAM)


def test_an_event_removed_from_the_middle_leaves_a_gap_that_is_named(sql):
    grow(sql.ledger)
    tamper(sql, "DELETE FROM events WHERE sequence = 2")
    assert sql.ledger.verify() == (f"{STREAM}: event 2 is missing; the next one found is event 3",)


def test_a_removed_last_event_shows_by_the_checkpoint(sql):
    grow(sql.ledger)
    sql.ledger.checkpoint(AT)
    tamper(sql, f"DELETE FROM events WHERE stream = '{STREAM}' AND sequence = 3")
    assert sql.ledger.verify() == (f"{STREAM}: it ends at event 2, but event 3 was there at 2026-11-21 02:00:00 UTC",)


def test_a_removed_stream_shows_by_the_checkpoint_even_without_the_file(sql):
    grow(sql.ledger)
    grow(sql.ledger, "model/iris", 1)
    sql.ledger.checkpoint(AT)
    tamper(sql, f"DELETE FROM events WHERE stream = '{STREAM}'")
    gone = f"{STREAM}: the whole stream is gone; it had 3 events at 2026-11-21 02:00:00 UTC"
    assert sql.ledger.verify() == (gone,)
    sql.file.unlink()
    assert sql.ledger.verify() == (gone, "checkpoint file: it is gone, though 1 checkpoints were written to it")


def test_a_stream_that_was_rewritten_as_a_whole_with_right_hashes_shows_by_the_checkpoint(sql):
    grow(sql.ledger)
    sql.ledger.checkpoint(AT)
    tamper(sql, f"DELETE FROM events WHERE stream = '{STREAM}'")
    for n in range(3):
        sql.ledger.append(STREAM, expected=n, key=f"k{n + 1}", type="noted", at=AT, payload={"n": "kinder"})
    assert sql.ledger.verify() == (f"{STREAM}: event 3 is not the one that was there at 2026-11-21 02:00:00 UTC",)


def test_a_database_started_afresh_shows_by_the_file(sql):
    grow(sql.ledger)
    sql.ledger.checkpoint(AT)
    tamper(sql, "DELETE FROM events")
    assert sql.ledger.verify() == (
        f"{STREAM}: the whole stream is gone; it had 3 events at 2026-11-21 02:00:00 UTC",
        "system: the whole stream is gone; it had 1 events at 2026-11-21 02:00:00 UTC",
    )


def test_a_line_taken_out_of_the_file_shows_by_the_system_stream(sql):
    for hour in range(3):
        grow(sql.ledger, count=1)
        sql.ledger.checkpoint(AT + timedelta(hours=hour))
    lines = sql.file.read_text().splitlines(keepends=True)
    sql.file.write_text(lines[0] + lines[2])
    assert sql.ledger.verify() == (
        "system event 2: its checkpoint of 2026-11-21 03:00:00 UTC is not in the checkpoint file",
    )


def test_a_line_of_the_file_with_other_heads_shows(sql):
    grow(sql.ledger)
    sql.ledger.checkpoint(AT)
    line = json.loads(sql.file.read_text())
    sql.file.write_text(json.dumps({**line, "heads": {}}) + "\n")
    assert sql.ledger.verify() == (
        "checkpoint file: the line of 2026-11-21 02:00:00 UTC names other heads than system event 1",
    )


def test_a_torn_line_is_named_and_takes_no_other_line_with_it(sql):
    grow(sql.ledger)
    sql.ledger.checkpoint(AT)
    whole = sql.file.read_text()
    sql.file.write_text(whole[:40])
    sql.ledger.checkpoint(AT + timedelta(days=1))
    assert sql.file.read_text().splitlines()[1] == whole.strip()
    assert sql.ledger.verify() == (
        "checkpoint file line 1: it cannot be read; it was torn by a crash, or changed",
    )  # fmt: skip


def test_a_crash_between_the_event_and_the_file_is_made_good_by_the_next_checkpoint(sql, monkeypatch):
    grow(sql.ledger)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SqlLedger, "_note", killed)
        with pytest.raises(KeyboardInterrupt):
            sql.ledger.checkpoint(AT)
    assert not sql.file.exists()
    sql.ledger.checkpoint(AT + timedelta(days=1))
    assert len(sql.file.read_text().splitlines()) == 2
    assert sql.ledger.verify() == ()
