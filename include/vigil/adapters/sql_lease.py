"""Leases with fencing tokens in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from vigil.adapters.sql_engine import in_turn, writing
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
            in_turn(db, f"leases/{name}")
            row = db.execute(select(leases).where(leases.c.name == name)).first()
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
            whose = f"{row.holder} has the lease" if row is not None and row.holder else "the lease was given back"
            raise LeaseLost(f"{grant.name}: {whose} now; {grant.holder} may write nothing more, take it again first")
        if row.expires_at <= now:
            raise LeaseLost(
                f"{grant.name}: the lease of {grant.holder} expired at {row.expires_at:%H:%M:%S} UTC; "
                "take it again first"
            )

    def release(self, grant: Grant) -> None:
        """Gives the lease back; harmless when it is already lost."""
        t = leases
        with writing(self._engine) as db:
            in_turn(db, f"leases/{grant.name}")
            db.execute(
                t.update()
                .where(t.c.name == grant.name, t.c.holder == grant.holder, t.c.token == grant.token)
                .values(holder="")
            )
