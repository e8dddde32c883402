"""Leases with fencing tokens in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from vigil.adapters.sql_engine import writing
from vigil.adapters.sql_tables import leases
from vigil.core.errors import LeaseLost
from vigil.ports import Grant

if TYPE_CHECKING:
    from sqlalchemy import Engine


class SqlLease:
    """Implements the Lease port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def acquire(self, name: str, holder: str, *, now: datetime, seconds: int) -> Grant | None:
        """A grant, or None while somebody else holds the lease. The same holder gets its own grant back."""
        until = now + timedelta(seconds=seconds)
        with writing(self._engine) as db:
            row = db.execute(select(leases).where(leases.c.name == name).with_for_update()).first()
            if row is None:
                db.execute(leases.insert().values(name=name, holder=holder, token=1, expires_at=until))
                return Grant(name=name, holder=holder, token=1, expires_at=until)
            held = bool(row.holder) and row.expires_at > now
            if held and row.holder != holder:
                return None
            token = row.token if held else row.token + 1
            db.execute(
                leases.update().where(leases.c.name == name).values(holder=holder, token=token, expires_at=until)
            )
            return Grant(name=name, holder=holder, token=token, expires_at=until)

    def check(self, grant: Grant, *, now: datetime) -> None:
        """Raises LeaseLost when the grant is no longer the valid one."""
        with self._engine.connect() as db:
            row = db.execute(select(leases).where(leases.c.name == grant.name)).first()
        if row is None or row.holder != grant.holder or row.token != grant.token:
            raise LeaseLost(
                f"{grant.name}: another holder has the lease now; nothing more may be written by {grant.holder}"
            )
        if row.expires_at <= now:
            raise LeaseLost(f"{grant.name}: the lease expired at {row.expires_at}; take it again before writing")

    def release(self, grant: Grant) -> None:
        """Gives the lease back; harmless when it is already lost."""
        t = leases
        with writing(self._engine) as db:
            db.execute(
                t.update()
                .where(t.c.name == grant.name, t.c.holder == grant.holder, t.c.token == grant.token)
                .values(holder="")
            )
