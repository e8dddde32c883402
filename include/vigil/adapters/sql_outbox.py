"""The outbox in SQL: what was tried, before it was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from vigil.adapters.sql_engine import in_turn, writing
from vigil.adapters.sql_tables import outbox
from vigil.ports import OutboxEntry

if TYPE_CHECKING:
    from sqlalchemy import Engine


class SqlOutbox:
    """Implements the Outbox port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, key: str) -> OutboxEntry | None:
        """The entry of one effect."""
        with self._engine.connect() as db:
            row = db.execute(select(outbox).where(outbox.c.key == key)).first()
        return OutboxEntry(**row._mapping) if row else None

    def put(self, entry: OutboxEntry) -> None:
        """Stores an entry, replacing the one of the same key."""
        with writing(self._engine) as db:
            in_turn(db, f"outbox/{entry.key}")
            db.execute(outbox.delete().where(outbox.c.key == entry.key))
            db.execute(outbox.insert().values(**entry.model_dump()))
