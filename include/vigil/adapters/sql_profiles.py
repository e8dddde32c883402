"""Profiles, bin edges and baselines in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from vigil.adapters.sql_engine import writing
from vigil.adapters.sql_tables import baselines, profiles
from vigil.adapters.sql_tables import edges as edges_table
from vigil.core.words import Role
from vigil.profiles.codec import decode, encode
from vigil.profiles.edges import edges_digest
from vigil.profiles.types import Edges, Key, Profile

if TYPE_CHECKING:
    from sqlalchemy import Engine


class SqlProfiles:
    """Implements the Profiles port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, key: Key, profile: Profile, *, partition_digest: str) -> None:
        """Keeps a profile; the same key and digest twice is once."""
        t = profiles
        same = select(t.c.id).where(
            t.c.monitor == key.monitor,
            t.c.environment == key.environment,
            t.c.night == key.night,
            t.c.version == key.version,
            t.c.role == key.role.value,
            t.c.partition_digest == partition_digest,
            t.c.edges_digest == profile.edges_digest,
        )
        with writing(self._engine) as db:
            if db.execute(same).first() is None:
                db.execute(
                    t.insert().values(
                        **{**key.model_dump(), "role": key.role.value},
                        partition_digest=partition_digest,
                        edges_digest=profile.edges_digest,
                        profile=encode(profile),
                    )
                )

    def night(self, monitor: str, environment: str, night: date) -> Mapping[Key, Profile]:
        """The profiles of the latest partition digest of that night."""
        digest = self.partition_digest(monitor, environment, night)
        t = profiles
        query = (
            select(t)
            .where(t.c.monitor == monitor, t.c.environment == environment, t.c.night == night)
            .where(t.c.partition_digest == digest)
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
        t = profiles
        query = (
            select(t.c.partition_digest)
            .where(t.c.monitor == monitor, t.c.environment == environment, t.c.night == night)
            .order_by(t.c.id.desc())
        )
        with self._engine.connect() as db:
            return db.execute(query).scalar()

    def put_edges(self, monitor: str, edges: Edges, *, reason: str) -> str:
        """Freezes edges; the same ones again change nothing."""
        digest = edges_digest(edges)
        with writing(self._engine) as db:
            newest = select(edges_table.c.digest).where(edges_table.c.monitor == monitor)
            if db.execute(newest.order_by(edges_table.c.id.desc())).scalar() != digest:
                body = edges.model_dump_json()
                db.execute(edges_table.insert().values(monitor=monitor, digest=digest, reason=reason, edges=body))
        return digest

    def edges(self, monitor: str) -> Edges | None:
        """The monitor's present edges."""
        query = select(edges_table.c.edges).where(edges_table.c.monitor == monitor).order_by(edges_table.c.id.desc())
        with self._engine.connect() as db:
            found = db.execute(query).scalar()
        return Edges.model_validate_json(found) if found is not None else None

    def put_baseline(self, monitor: str, version: str, profile: Profile) -> None:
        """The profile of a version's holdout; a second put replaces the first."""
        t = baselines
        with writing(self._engine) as db:
            db.execute(t.delete().where(t.c.monitor == monitor, t.c.version == version))
            db.execute(t.insert().values(monitor=monitor, version=version, profile=encode(profile)))

    def baseline(self, monitor: str, version: str) -> Profile | None:
        """The recorded baseline of a version."""
        query = select(baselines.c.profile).where(baselines.c.monitor == monitor, baselines.c.version == version)
        with self._engine.connect() as db:
            found = db.execute(query).scalar()
        return decode(found) if found is not None else None
