"""The ledger in SQL, with checkpoints of all stream heads in a file outside the database."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from vigil.adapters.sql_engine import writing
from vigil.adapters.sql_tables import events
from vigil.core.errors import Conflict
from vigil.core.ids import canonical
from vigil.incidents.chain import GENESIS, event_hash, problems
from vigil.incidents.types import Event

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

SYSTEM = "system"


class SqlLedger:
    """Implements the Ledger port."""

    def __init__(self, engine: Engine, checkpoints: Path) -> None:
        self._engine = engine
        self._checkpoints = Path(checkpoints)

    def read(self, stream: str) -> tuple[Event, ...]:
        """All events of a stream, oldest first."""
        with self._engine.connect() as db:
            rows = db.execute(select(events).where(events.c.stream == stream).order_by(events.c.sequence)).all()
        return tuple(_event(row) for row in rows)

    def append(
        self, stream: str, *, expected: int, key: str, type: str, at: datetime, payload: Mapping[str, Any]
    ) -> Event:
        """Event number expected + 1; the event that has the key already; or Conflict."""
        try:
            with writing(self._engine) as db:
                return self._append(db, stream, expected=expected, key=key, type=type, at=at, payload=payload)
        except IntegrityError as error:
            raise Conflict(
                f"{stream}: somebody else appended event {expected + 1} first; read and decide again"
            ) from error

    def _append(
        self,
        db: Connection,
        stream: str,
        *,
        expected: int,
        key: str,
        type: str,
        at: datetime,
        payload: Mapping[str, Any],
    ) -> Event:
        same = db.execute(select(events).where(events.c.stream == stream, events.c.key == key)).first()
        if same is not None:
            return _event(same)
        last = db.execute(
            select(events.c.sequence, events.c.hash).where(events.c.stream == stream).order_by(events.c.sequence.desc())
        ).first()
        at_now = last.sequence if last else 0
        if at_now != expected:
            raise Conflict(f"{stream}: it has {at_now} events, not {expected}; read it again and decide again")
        facts = {
            "stream": stream,
            "sequence": expected + 1,
            "key": key,
            "type": type,
            "at": at,
            "payload": json.loads(canonical(payload)),
            "previous": last.hash if last else GENESIS,
        }
        event = Event(**facts, hash=event_hash(**facts))
        db.execute(events.insert().values(**{**event.model_dump(), "payload": canonical(event.payload)}))
        return event

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of all streams that begin with `prefix`, in order."""
        with self._engine.connect() as db:
            names = db.execute(select(events.c.stream).distinct().order_by(events.c.stream)).scalars().all()
        return tuple(n for n in names if n.startswith(prefix))

    def _heads(self) -> dict[str, tuple[int, str]]:
        last = select(events.c.stream, func.max(events.c.sequence).label("last")).group_by(events.c.stream).subquery()
        query = select(events.c.stream, events.c.sequence, events.c.hash).join(
            last, (events.c.stream == last.c.stream) & (events.c.sequence == last.c.last)
        )
        with self._engine.connect() as db:
            return {row.stream: (row.sequence, row.hash) for row in db.execute(query).all()}

    def checkpoint(self, at: datetime) -> Mapping[str, tuple[int, str]]:
        """Records the heads of all streams in the system stream, then in the file outside the database."""
        heads = {s: h for s, h in self._heads().items() if s != SYSTEM}
        for _ in range(8):
            expected = len(self.read(SYSTEM))
            try:
                made = self.append(
                    SYSTEM,
                    expected=expected,
                    key=f"checkpoint/{at.isoformat()}",
                    type="checkpoint",
                    at=at,
                    payload={"heads": {s: list(h) for s, h in heads.items()}},
                )
                break
            except Conflict:
                continue
        else:
            raise Conflict("system: too many writers at once; the checkpoint is tried again with the task")
        line = {
            "at": at.isoformat(),
            "heads": {s: list(h) for s, h in heads.items()},
            "system": [made.sequence, made.hash],
        }
        self._write(json.dumps(line, sort_keys=True))
        return heads

    def _write(self, line: str) -> None:
        self._checkpoints.parent.mkdir(parents=True, exist_ok=True)
        with self._checkpoints.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def verify(self) -> tuple[str, ...]:
        """Every chain, then every checkpoint outside the database against what is stored."""
        found: list[str] = []
        stored: dict[str, dict[int, str]] = {}
        for stream in self.streams():
            told = self.read(stream)
            found += problems(stream, told)
            stored[stream] = {e.sequence: e.hash for e in told}
        for number, line in enumerate(self._lines(), 1):
            try:
                noted = json.loads(line)
            except ValueError:
                found.append(f"checkpoint file line {number} cannot be read")
                continue
            for stream, (sequence, hash_) in {**noted["heads"], SYSTEM: noted["system"]}.items():
                have = stored.get(stream, {}).get(sequence)
                if have is None:
                    found.append(f"{stream}: event {sequence} was there at {noted['at']} and is gone")
                elif have != hash_:
                    found.append(f"{stream}: event {sequence} is not the one that was there at {noted['at']}")
        return tuple(dict.fromkeys(found))

    def _lines(self) -> list[str]:
        return self._checkpoints.read_text().splitlines() if self._checkpoints.exists() else []


def _event(row: Row[Any]) -> Event:
    return Event(**{**row._mapping, "payload": json.loads(row.payload)})
