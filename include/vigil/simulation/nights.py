"""Nights of a prediction log, drawn: rows as the log holds them, and what came true.

>>> run = Simulation("real", 7, rows=500, nights=3, faults=["mean:amount:0.5@2"])
>>> [night.day.isoformat() for night in run]
['2026-01-05', '2026-01-06', '2026-01-07']
>>> run.truth[0]["fault"], run.truth[0]["onset"]
('mean', '2026-01-07')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vigil.config.explain import near
from vigil.core.errors import DataError
from vigil.core.words import Role
from vigil.simulation.draft import Draft, Happens, drawn, inject
from vigil.simulation.faults import Fault, Known, planned
from vigil.simulation.inject import UNSEEN, Solved
from vigil.simulation.marginals import Array
from vigil.simulation.regimes import load
from vigil.simulation.world import FAULT, REFERENCE, ROWS, World, stream

if TYPE_CHECKING:
    import pyarrow as pa

MODEL, ENVIRONMENT = "simulated", "production"
START = date(2026, 1, 5)  # a Monday
VERSIONS = ("1", "2")  # the second one answers where a bad version was promoted
APPROVE, DENY = "approve", "deny"
DAY = 86_400_000_000  # microseconds
LATEST = 1 - 1e-9  # place of the last request of a day


class NightRows(NamedTuple):
    """One night of a log, in the log's columns."""

    number: int  # from 0
    day: date
    predictions: pa.Table
    outcomes: pa.Table


class Simulation:
    """Nights of one model in one regime. The same arguments give the same rows, whichever night is asked for first.

    rows: of a usual night; faults: written as `mean:amount:0.5@50`, or `Fault`s. Raises DataError with what to write
    instead.
    """

    def __init__(
        self,
        regime: str,
        seed: int,
        *,
        rows: int,
        nights: int,
        faults: Sequence[str | Fault] = (),
        start: date = START,
        model: str = MODEL,
    ) -> None:
        self.spec = load()
        if regime not in self.spec.regimes:
            raise DataError(f"unknown regime {regime!r}; {near(regime, self.spec.regimes)}")
        checked(seed=seed, rows=rows, nights=nights)
        self.regime, self.seed, self.rows, self.nights = regime, seed, rows, nights
        self.start, self.model = start, model
        known = Known(features=self.spec.features, groups=tuple(self.spec.population.groups), nights=nights)
        self.faults = planned(faults, known)
        self.world = World(self.spec, self.spec.regimes[regime], seed)
        self._solved: Solved = {}

    @property
    def truth(self) -> list[dict[str, Any]]:
        """What went wrong, since when, and what should come of it."""
        return [fault.truth(self.start, self.nights) for fault in self.faults]

    def __iter__(self) -> Iterator[NightRows]:
        return (self.night(index) for index in range(self.nights))

    def night(self, index: int) -> NightRows:
        """One night, without those before it."""
        day, world = self.start + timedelta(days=index), self.world
        rng = stream(self.seed, ROWS, index)
        draft = drawn(world, rng, world.volume(index, self.rows), world.effects(index, day))
        for n, fault in enumerate(self.faults):
            if fault.on(index):
                inject(draft, Happens(fault, index, stream(self.seed, FAULT, index, n), self._solved))
        rows = self._rows(draft, day)
        told = draft.known & draft.kept
        return NightRows(index, day, rows.filter(_mask(draft.kept)), self._outcomes(draft, rows, told))

    def reference(self, rows: int) -> pa.Table:
        """Rows of the population without any night's effects, with `label`: what a holdout would be."""
        nothing = np.zeros(len(self.world.names) + 2)
        draft = drawn(self.world, stream(self.seed, REFERENCE), rows, nothing)
        made = self._rows(draft, self.start - timedelta(days=1))
        return made.append_column("label", texts(("0", "1"), draft.label()))

    def _rows(self, draft: Draft, day: date) -> pa.Table:
        import pyarrow as pa

        score, population = draft.score(), self.spec.population
        start = int(datetime.combine(day, time(0), UTC).timestamp()) * 1_000_000
        at = start + (np.minimum(draft.place, LATEST) * DAY).astype(np.int64)
        columns: dict[str, Any] = {
            "prediction_id": [f"{self.model}-{day}-{n:06d}" for n in range(draft.rows)],
            "served_at": pa.array(at, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "environment": pa.repeat(ENVIRONMENT, draft.rows),
            "model_version": pa.repeat(VERSIONS[draft.noise > 0], draft.rows),
            "role": pa.repeat(Role.CHAMPION.value, draft.rows),
            "status": pa.repeat("ok", draft.rows),
            "latency_ms": draft.latency,
            "pipeline_version": pa.repeat(draft.pipeline, draft.rows),
            population.attribute: texts(list(population.groups), draft.groups),
            **{name: pa.array(draft.values(name), mask=draft.missing.get(name)) for name in self.spec.numeric},
            **{name: self._levels(draft, name) for name in self.spec.category},
            "score": score,
            "prediction": texts((APPROVE, DENY), (score >= self.spec.model.threshold).astype(int)),
        }
        return pa.table(columns)

    def _levels(self, draft: Draft, name: str) -> pa.Array:
        codes = draft.levels(name)
        return texts([*self.spec.category[name], UNSEEN], codes, missing=draft.missing.get(name))

    def _outcomes(self, draft: Draft, rows: pa.Table, told: Array) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        late = pa.scalar(self.spec.outcome.delay_nights * DAY, pa.duration("us"))
        columns = {
            "prediction_id": rows.column("prediction_id"),
            "label": texts(("0", "1"), draft.label()),
            "observed_at": pc.add(rows.column("served_at"), late),
        }
        return pa.table(columns).filter(_mask(told))


def checked(*, seed: int, rows: int | None, nights: int) -> None:
    """Raises DataError for numbers that no night can have."""
    if seed < 0 or nights < 1 or (rows is not None and rows < 1):
        raise DataError(f"seed {seed}, rows {rows}, nights {nights}: the seed is 0 or more, the others 1 or more")


def texts(levels: Sequence[str], codes: Array, *, missing: Array | None = None) -> pa.Array:
    """Level numbers as text."""
    import pyarrow as pa

    return pa.array(levels, pa.string()).take(pa.array(codes, mask=missing))


def _mask(rows: Array) -> pa.Array:
    import pyarrow as pa

    return pa.array(rows)
