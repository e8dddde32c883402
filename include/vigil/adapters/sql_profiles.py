"""Profiles, bin edges and baselines in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true

from vigil.adapters.sql_engine import in_turn, writing
from vigil.adapters.sql_tables import baselines, profiles
from vigil.adapters.sql_tables import edges as edges_table
from vigil.core.errors import DataError
from vigil.core.words import Role
from vigil.profiles.codec import decode, encode
from vigil.profiles.edges import edges_digest
from vigil.profiles.types import Edges, Key, Profile

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Select


class SqlProfiles:
    """Implements the Profiles port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None:
        """Keeps a profile; the same key and digest twice is once."""
        self.put_night({key: profile}, partition_digest=partition_digest)

    def put_night(self, found: Mapping[Key, Profile], *, partition_digest: str) -> None:
        """Keeps all profiles of a scan in one transaction; what is the newest already is not written again."""
        with writing(self._engine) as db:
            for key, profile in found.items():
                in_turn(db, f"profiles/{key.monitor}/{key.environment}/{key.night}")
                self._put(db, key, profile, partition_digest)

    @staticmethod
    def _put(db: Connection, key: Key, profile: Profile, partition_digest: str) -> None:
        t = profiles
        names = {**key.model_dump(), "role": key.role.value}
        newest = select(t.c.partition_digest, t.c.edges_digest).where(*(t.c[k] == v for k, v in names.items()))
        row = db.execute(newest.order_by(t.c.id.desc()).limit(1)).first()
        if row is None or (row.partition_digest, row.edges_digest) != (partition_digest, profile.edges_digest):
            facts = {"partition_digest": partition_digest, "edges_digest": profile.edges_digest}
            db.execute(t.insert().values(**names, **facts, profile=encode(profile)))

    def night(
        self, monitor: str, environment: str, night: date, *, partition_digest: str | None = None
    ) -> Mapping[Key, Profile]:
        """The latest profile of each version and role among the rows that the night has now, or had with a digest.

        A version that the latest partition digest knows nothing of has no rows any more: it is left out.
        """
        t = profiles
        newest = _newest_digest(monitor, environment, night).scalar_subquery()
        query = (
            select(t.c.version, t.c.role, t.c.profile)
            .where(t.c.monitor == monitor, t.c.environment == environment, t.c.night == night)
            .where(t.c.partition_digest == (newest if partition_digest is None else partition_digest))
            .order_by(t.c.id)
        )
        with self._engine.connect() as db:
            rows = db.execute(query).all()
        return {
            Key(monitor=monitor, environment=environment, night=night, version=r.version, role=Role(r.role)): decode(
                r.profile
            )
            for r in rows
        }

    def partition_digest(self, monitor: str, environment: str, night: date) -> str | None:
        """Of which rows and labels the latest profile of the night is."""
        with self._engine.connect() as db:
            return db.execute(_newest_digest(monitor, environment, night)).scalar()

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Freezes edges; the same ones again change nothing, other ones need a reason (DataError)."""
        digest = edges_digest(edges)
        with writing(self._engine) as db:
            in_turn(db, f"edges/{monitor}")
            newest = select(edges_table.c.digest).where(edges_table.c.monitor == monitor)
            present = db.execute(newest.order_by(edges_table.c.id.desc()).limit(1)).scalar()
            if present is not None and present != digest and not reason.strip():
                raise DataError(f"{monitor}: its bin edges are frozen; other ones need a reason, for the record")
            if present != digest:
                body = edges.model_dump_json()
                db.execute(edges_table.insert().values(monitor=monitor, digest=digest, reason=reason, edges=body))
        return digest

    def edges(self, monitor: str, *, digest: str | None = None) -> Edges | None:
        """The monitor's present edges, or those with a digest."""
        t = edges_table
        query = select(t.c.edges).where(t.c.monitor == monitor, true() if digest is None else t.c.digest == digest)
        query = query.order_by(t.c.id.desc()).limit(1)
        with self._engine.connect() as db:
            found = db.execute(query).scalar()
        return Edges.model_validate_json(found) if found is not None else None

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None:
        """The profile of a version's holdout; a second put replaces the first."""
        t = baselines
        with writing(self._engine) as db:
            in_turn(db, f"baselines/{monitor}")
            db.execute(t.delete().where(t.c.monitor == monitor, t.c.version == version))
            db.execute(t.insert().values(monitor=monitor, version=version, profile=encode(profile)))

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """The recorded baseline of a version."""
        query = select(baselines.c.profile).where(baselines.c.monitor == monitor, baselines.c.version == version)
        with self._engine.connect() as db:
            found = db.execute(query).scalar()
        return decode(found) if found is not None else None

    @contextmanager
    def replacing(self, monitor: str, version: str) -> Iterator[None]:
        """Edges and the version's baseline are as before where the block raises."""
        t, b = edges_table, baselines
        mine = (b.c.monitor == monitor, b.c.version == version)
        with self._engine.connect() as db:
            newest = db.execute(select(func.max(t.c.id)).where(t.c.monitor == monitor)).scalar()
            kept = db.execute(select(b.c.profile).where(*mine)).scalar()
        try:
            yield
        except BaseException:
            with writing(self._engine) as db:
                db.execute(t.delete().where(t.c.monitor == monitor, t.c.id > (newest or 0)))
                db.execute(b.delete().where(*mine))
                if kept is not None:
                    db.execute(b.insert().values(monitor=monitor, version=version, profile=kept))
            raise


def _newest_digest(monitor: str, environment: str, night: date) -> Select[str]:
    t = profiles
    return (
        select(t.c.partition_digest)
        .where(t.c.monitor == monitor, t.c.environment == environment, t.c.night == night)
        .order_by(t.c.id.desc())
        .limit(1)
    )
