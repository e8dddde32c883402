"""The ledger in SQL, with checkpoints of all stream heads in a file outside the database."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from vigil.adapters.sql_engine import in_turn, writing
from vigil.adapters.sql_tables import events
from vigil.core.errors import BrokenChain, Conflict, LedgerError
from vigil.core.ids import canonical
from vigil.incidents.chain import (
    CHECKPOINT,
    GENESIS,
    SYSTEM,
    Checkpoint,
    Head,
    as_checkpoint,
    event_hash,
    verify_chain,
    verify_checkpoints,
)
from vigil.incidents.types import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

ATTEMPTS = 8  # a checkpoint competes with every other writer of the system stream
TAIL = 1 << 20  # bytes at the end of the checkpoint file in which its newest lines are looked for


class SqlLedger:
    """Implements the Ledger port. `checkpoints` is a JSONL file that grows by a line a checkpoint.

    Keep that file where the database's owner cannot rewrite it (another volume, an object store with a
    retention lock): it is what shows that a stream was cut short.
    """

    def __init__(self, engine: Engine, checkpoints: Path) -> None:
        self._engine = engine
        self._file = Path(checkpoints)

    def read(self, stream: str) -> tuple[Event, ...]:
        """All events of a stream, oldest first. Raises BrokenChain where a row is no event any more."""
        with self._engine.connect() as db:
            rows = db.execute(select(events).where(events.c.stream == stream).order_by(events.c.sequence)).all()
        return tuple(_event(row) for row in rows)

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, Any]
    ) -> Event:
        """Event number expected + 1; the event that has the key already; or Conflict.

        Raises LedgerError for a time without a zone: nobody could say later when it was.
        """
        if at.tzinfo is None:
            raise LedgerError(f"{stream} {key}: an event needs a time with a zone, not {at.isoformat()}")
        facts = {"stream": stream, "key": key, "type": type, "at": at.astimezone(UTC)}
        try:
            with writing(self._engine) as db:
                in_turn(db, f"events/{stream}")
                return self._append(db, expected, {**facts, "payload": json.loads(canonical(payload))})
        except IntegrityError as error:  # a writer that took no turn, such as an older Vigil
            with self._engine.connect() as db:
                same = self._with_key(db, stream, key)
            if same is not None:
                return same
            raise Conflict(
                f"{stream}: somebody else wrote event {expected + 1} first; read and decide again"
            ) from error

    def _append(self, db: Connection, expected: int, facts: Mapping[str, Any]) -> Event:
        stream = facts["stream"]
        same = self._with_key(db, stream, facts["key"])
        if same is not None:
            return same
        last = db.execute(
            select(events.c.sequence, events.c.hash)
            .where(events.c.stream == stream)
            .order_by(events.c.sequence.desc())
            .limit(1)
        ).first()
        length = last.sequence if last else 0
        if length != expected:
            raise Conflict(f"{stream}: it has {length} events, not {expected}; read it again and decide again")
        whole = {**facts, "sequence": expected + 1, "previous": last.hash if last else GENESIS}
        event = Event(**whole, hash=event_hash(**whole))
        db.execute(events.insert().values(**{**event.model_dump(), "payload": canonical(event.payload)}))
        return event

    @staticmethod
    def _with_key(db: Connection, stream: str, key: str) -> Event | None:
        row = db.execute(select(events).where(events.c.stream == stream, events.c.key == key)).first()
        return _event(row) if row is not None else None

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of all streams that begin with `prefix`, in order."""
        with self._engine.connect() as db:
            names = db.execute(select(events.c.stream).distinct()).scalars().all()
        return tuple(sorted(name for name in names if name.startswith(prefix)))  # LIKE would fold case on SQLite

    def checkpoint(self, at: datetime) -> Mapping[str, Head]:
        """Records the heads of all streams in the system stream, then in the file outside the database.

        A process that dies between the two leaves its line to the next checkpoint, which writes it first.
        """
        self._note_last()
        for _ in range(ATTEMPTS):
            heads = self._heads()
            length = heads.pop(SYSTEM, (0, GENESIS))[0]
            try:
                made = self.append(
                    SYSTEM,
                    expected=length,
                    key=f"{CHECKPOINT}/{at.astimezone(UTC).isoformat()}",
                    type=CHECKPOINT,
                    at=at,
                    payload={"heads": heads},
                )
            except Conflict:
                continue
            self._note(made)
            return heads
        raise Conflict(f"{SYSTEM}: too many writers at once; run the step again, nothing was half-written")

    def _heads(self) -> dict[str, Head]:
        last = select(events.c.stream, func.max(events.c.sequence).label("last")).group_by(events.c.stream).subquery()
        query = select(events.c.stream, events.c.sequence, events.c.hash).join(
            last, (events.c.stream == last.c.stream) & (events.c.sequence == last.c.last)
        )
        with self._engine.connect() as db:
            return {row.stream: (row.sequence, row.hash) for row in db.execute(query).all()}

    def _note_last(self) -> None:
        """Writes the line of the newest checkpoint event, where a crash kept it from the file."""
        query = select(events).where(events.c.stream == SYSTEM, events.c.type == CHECKPOINT)
        with self._engine.connect() as db:
            row = db.execute(query.order_by(events.c.sequence.desc()).limit(1)).first()
        if row is not None:
            self._note(_event(row))

    def _note(self, made: Event) -> None:
        """Appends the checkpoint's line, unless the file has it: one write, on the disk before it returns."""
        point = as_checkpoint(made)
        if point is None:
            raise BrokenChain(f"{SYSTEM} event {made.sequence} holds no heads any more; run `vigil ledger verify`")
        line = canonical(point).encode() + b"\n"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab+") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL, 0))
            tail = file.read()
            if line in tail:
                return
            torn = tail and not tail.endswith(b"\n")  # a crash within a line must not take the next one with it
            file.write(b"\n" + line if torn else line)
            file.flush()
            os.fsync(file.fileno())

    def _noted(self) -> tuple[list[Checkpoint] | None, list[str]]:
        """The checkpoints of the file (None: there is no file), and a sentence for each line that is none."""
        if not self._file.exists():
            return None, []
        found: list[Checkpoint] = []
        problems: list[str] = []
        for number, line in enumerate(self._file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                found.append(Checkpoint.model_validate_json(line))
            except ValueError:
                problems.append(f"checkpoint file line {number}: it cannot be read; it was torn by a crash, or changed")
        return found, problems

    def verify(self) -> tuple[str, ...]:
        """Recomputes every chain, and compares checkpoints inside and outside the database with what is stored."""
        found: list[str] = []
        stored: dict[str, dict[int, str]] = {}
        made: list[Event] = []
        for stream in self.streams():
            try:
                told = self.read(stream)
            except BrokenChain as error:
                found.append(str(error))
                stored[stream] = self._hashes(stream)
                continue
            found += verify_chain(stream, told)
            stored[stream] = {e.sequence: e.hash for e in told}
            made += [e for e in told if stream == SYSTEM and e.type == CHECKPOINT]
        noted, unreadable = self._noted()
        return (*found, *unreadable, *verify_checkpoints(stored, made, noted))

    def _hashes(self, stream: str) -> dict[int, str]:
        with self._engine.connect() as db:
            rows = db.execute(select(events.c.sequence, events.c.hash).where(events.c.stream == stream)).all()
        return {row.sequence: row.hash for row in rows}


def _event(row: Row[Any]) -> Event:
    try:
        return Event(**{**row._mapping, "payload": json.loads(row.payload)})
    except (TypeError, ValueError) as error:
        raise BrokenChain(
            f"{row.stream} event {row.sequence} ({row.type}): its content was changed and cannot be read any more"
        ) from error
