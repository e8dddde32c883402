"""Results in SQL: append-only and bitemporal. One row a verdict to query, the whole night as JSON to read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from vigil.adapters.sql_engine import in_turn, writing
from vigil.adapters.sql_tables import night_results, stage_measurements, verdicts
from vigil.metrics.types import Measurement
from vigil.verdicts.types import NightResult

if TYPE_CHECKING:
    from sqlalchemy import Engine, Select


KEPT = 48_000_000  # characters of judgements that are kept as values; one of 300 verdicts has 250,000


class SqlResults:
    """Implements the Results port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[int, tuple[int, NightResult]] = {}
        self._lock = Lock()

    def put_measurements(
        self,
        monitor: str,
        environment: str,
        night: date,
        source: str,
        measurements: Sequence[Measurement],
        *,
        partition_digest: str,
    ) -> None:
        """Keeps what a stage measured; a second put replaces the first."""
        key = {"monitor": monitor, "environment": environment, "night": night, "source": source,
               "partition_digest": partition_digest}  # fmt: skip
        body = json.dumps([m.model_dump(mode="json") for m in measurements])
        t = stage_measurements
        with writing(self._engine) as db:
            in_turn(db, f"measurements/{monitor}/{environment}/{night}/{source}")
            db.execute(t.delete().where(*(t.c[name] == value for name, value in key.items())))
            db.execute(t.insert().values(**key, measurements=body))

    def measurements(
        self, monitor: str, environment: str, night: date, source: str, *, partition_digest: str
    ) -> tuple[Measurement, ...] | None:
        """What a stage measured of these rows, or None."""
        t = stage_measurements
        query = select(t.c.measurements).where(
            t.c.monitor == monitor,
            t.c.environment == environment,
            t.c.night == night,
            t.c.source == source,
            t.c.partition_digest == partition_digest,
        )
        with self._engine.connect() as db:
            found = db.execute(query).scalar()
        return tuple(Measurement.model_validate(m) for m in json.loads(found)) if found is not None else None

    def append(self, result: NightResult, *, evaluated_at: datetime, labels_through: datetime | None) -> bool:
        """Stores a judgement; False when the latest one of the night is the same judgement of the same facts."""
        with writing(self._engine) as db:
            in_turn(db, f"results/{result.monitor}/{result.environment}/{result.night}")
            newest = _of_night(select(night_results.c.digest_key), result.monitor, result.environment, result.night)
            if db.execute(newest.order_by(night_results.c.id.desc()).limit(1)).scalar() == result.digest_key:
                return False
            done = db.execute(
                night_results.insert().values(
                    monitor=result.monitor,
                    environment=result.environment,
                    night=result.night,
                    digest_key=result.digest_key,
                    evaluated_at=evaluated_at,
                    labels_through=labels_through,
                    result=result.model_dump_json(),
                )
            )
            number = done.inserted_primary_key[0] if done.inserted_primary_key else 0
            rows = [_row(result, v, number, evaluated_at, labels_through) for v in result.verdicts]
            if rows:
                db.execute(verdicts.insert(), rows)
        return True

    def latest(
        self, monitor: str, environment: str, night: date, *, known_at: datetime | None = None
    ) -> NightResult | None:
        """The latest judgement of a night, or the one that was the latest at `known_at`."""
        query = _of_night(select(night_results.c.result), monitor, environment, night)
        if known_at is not None:
            query = query.where(night_results.c.evaluated_at <= known_at)
        with self._engine.connect() as db:
            found = db.execute(query.order_by(night_results.c.id.desc()).limit(1)).scalar()
        return NightResult.model_validate_json(found) if found is not None else None

    def history(self, monitor: str, environment: str, before: date, nights: int) -> tuple[NightResult, ...]:
        """The latest judgement of each night in the `nights` nights before `before`, oldest first."""
        return self.between(monitor, environment, before - timedelta(days=nights), before - timedelta(days=1))

    def between(self, monitor: str, environment: str, first: date, last: date) -> tuple[NightResult, ...]:
        """The latest judgement of each night from `first` to `last`, oldest first."""
        t = night_results
        of = (t.c.monitor == monitor, t.c.environment == environment, t.c.night >= first, t.c.night <= last)
        newest = select(func.max(t.c.id)).where(*of).group_by(t.c.night)
        with self._engine.connect() as db:
            found = db.execute(select(t.c.id, t.c.result).where(t.c.id.in_(newest)).order_by(t.c.night)).all()
        return tuple(self._parsed(row.id, row.result) for row in found)

    def first(
        self,
        monitor: str,
        environment: str,
        *,
        since: date,
        before: date,
        nights: int,
    ) -> tuple[NightResult, ...]:
        """The latest judgement of the first nights that had rows, oldest first."""
        t = night_results
        of = (t.c.monitor == monitor, t.c.environment == environment, t.c.night >= since, t.c.night < before)
        newest = select(t.c.night, func.max(t.c.id).label("id")).where(*of).group_by(t.c.night).order_by(t.c.night)
        found: list[NightResult] = []
        with self._engine.connect() as db:
            left = [row.id for row in db.execute(newest)]
            while left and len(found) < nights:
                some, left = left[: nights - len(found)], left[nights - len(found) :]
                read = db.execute(select(t.c.id, t.c.result).where(t.c.id.in_(some)).order_by(t.c.night)).all()
                judged = (self._parsed(row.id, row.result) for row in read)
                found += [result for result in judged if result.rows]
        return tuple(found)

    def _parsed(self, number: int, text: str) -> NightResult:
        """A stored judgement as a value. Rows never change, and a backfill asks for the same nights again and again."""
        with self._lock:
            known = self._known.pop(number, None)
            made = known[1] if known else NightResult.model_validate_json(text)
            self._known[number] = (len(text), made)  # last used last
            while sum(size for size, _ in self._known.values()) > KEPT and len(self._known) > 1:
                self._known.pop(next(iter(self._known)))
        return made

    def oldest(self, monitor: str, environment: str) -> date | None:
        """The first night that was ever judged."""
        t = night_results
        query = select(func.min(t.c.night)).where(t.c.monitor == monitor, t.c.environment == environment)
        with self._engine.connect() as db:
            return db.execute(query).scalar()

    def versions_of_truth(
        self, monitor: str, environment: str, night: date
    ) -> tuple[tuple[datetime, NightResult], ...]:
        """Every judgement of one night with its time, oldest first."""
        t = night_results
        query = _of_night(select(t.c.evaluated_at, t.c.result), monitor, environment, night).order_by(t.c.id)
        with self._engine.connect() as db:
            return tuple((row.evaluated_at, NightResult.model_validate_json(row.result)) for row in db.execute(query))

    def newest(self, monitor: str, environment: str) -> tuple[date, datetime] | None:
        """The newest judged night and when it was last evaluated."""
        t = night_results
        query = (
            select(t.c.night, t.c.evaluated_at)
            .where(t.c.monitor == monitor, t.c.environment == environment)
            .order_by(t.c.night.desc(), t.c.id.desc())
            .limit(1)
        )
        with self._engine.connect() as db:
            row = db.execute(query).first()
        return (row.night, row.evaluated_at) if row else None


def _of_night(query: Select[Any], monitor: str, environment: str, night: date) -> Select[Any]:
    t = night_results
    return query.where(t.c.monitor == monitor, t.c.environment == environment, t.c.night == night)


def _row(
    result: NightResult, verdict: Any, number: int, evaluated_at: datetime, labels_through: datetime | None
) -> dict[str, Any]:
    m = verdict.measurement
    return {
        "result_id": number,
        "monitor": result.monitor,
        "environment": result.environment,
        "night": result.night,
        "versions": result.versions,
        "family": verdict.family.value,
        "metric": verdict.metric,
        "subject": verdict.subject[:300],
        "value": m.value if m else None,
        "low": m.low if m else None,
        "high": m.high if m else None,
        "n": m.n if m else None,
        "state": verdict.state.value,
        "cause": verdict.cause.value if verdict.cause else None,
        "reason": verdict.reason,
        "config_digest": result.config_digest,
        "edges_digest": result.edges_digest,
        "partition_digest": result.partition_digest,
        "evaluated_at": evaluated_at,
        "labels_through": labels_through,
    }
