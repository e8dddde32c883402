"""Nights resampled from a real log, with the same faults in them.

A night takes a quiet day (a weekend's for a weekend, where there are any) and draws its rows from it with replacement:
what differs between days stays, and what differs between rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.window import night_window
from vigil.simulation.draft import Happens
from vigil.simulation.faults import Fault, Known, planned
from vigil.simulation.inject import Solved
from vigil.simulation.logged import Logged
from vigil.simulation.nights import START, NightRows, checked
from vigil.simulation.world import FAULT, REFERENCE, ROWS, SATURDAY, stream

if TYPE_CHECKING:
    import pyarrow as pa

MICROSECOND = timedelta(microseconds=1)


class Resampled:
    """As `Simulation`, from quiet days of a log. past: local day -> its rows in the log's columns, with `label`.

    rows: of a night; None: as many as the day had that it is drawn from.
    """

    def __init__(
        self,
        monitor: Monitor,
        past: Mapping[date, pa.Table],
        seed: int,
        *,
        nights: int,
        rows: int | None = None,
        faults: Sequence[str | Fault] = (),
        start: date = START,
    ) -> None:
        import pyarrow as pa

        checked(seed=seed, rows=rows, nights=nights)
        self.monitor, self.seed, self.rows, self.nights, self.start = monitor, seed, rows, nights, start
        self.model = monitor.model
        order = [(monitor.data.served_at, "ascending"), (monitor.data.prediction_id, "ascending")]
        self.past = {day: past[day].sort_by(order) for day in sorted(past) if past[day].num_rows}
        if not self.past:
            raise DataError(f"{monitor.model}: the log has no quiet night to draw from; see --from and --to")
        self._pool = pa.concat_tables(self.past.values(), promote_options="permissive")
        self._logged = Logged(monitor, self._pool)
        kinds = {n: k.value for n, k in monitor.features.items() if n in self._pool.column_names}
        self.faults = planned(faults, Known(features=kinds, groups=tuple(self._logged.groups), nights=nights))
        self._solved: Solved = {}

    @property
    def truth(self) -> list[dict[str, Any]]:
        """What went wrong, since when, and what should come of it."""
        return [fault.truth(self.start, self.nights) for fault in self.faults]

    def __iter__(self) -> Iterator[NightRows]:
        return (self.night(index) for index in range(self.nights))

    def night(self, index: int) -> NightRows:
        """One night, without those before it."""
        day, rng = self.start + timedelta(days=index), stream(self.seed, ROWS, index)
        alike = [d for d in self.past if (d.weekday() >= SATURDAY) == (day.weekday() >= SATURDAY)] or list(self.past)
        source = alike[int(rng.integers(len(alike)))]
        rows = self.past[source]
        rows = rows.take(np.sort(rng.integers(0, rows.num_rows, self.rows or rows.num_rows)))
        rows = self._dated(rows, source, day)
        for n, fault in enumerate(self.faults):
            if fault.on(index):
                rows = self._logged.inject(
                    rows, Happens(fault, index, stream(self.seed, FAULT, index, n), self._solved)
                )
        return NightRows(index, day, rows.drop_columns(["label"]), self._outcomes(rows))

    def reference(self, rows: int) -> pa.Table:
        """Rows of all quiet days, with `label`: each of them at most once."""
        pool = self._pool
        if pool.num_rows > rows:
            pool = pool.take(np.sort(stream(self.seed, REFERENCE).choice(pool.num_rows, rows, replace=False)))
        return pool

    def _dated(self, rows: pa.Table, source: date, day: date) -> pa.Table:
        """At the same time of another day, under ids of its own."""
        import pyarrow as pa
        import pyarrow.compute as pc

        data, zone = self.monitor.data, self.monitor.timezone
        old, new = night_window(source, zone), night_window(day, zone)
        kind = pa.timestamp("us", tz="UTC")
        at = pc.cast(pc.cast(rows.column(data.served_at), kind, safe=False), pa.int64()).to_numpy()
        place = (at - _micros(old.start)) / (_micros(old.end) - _micros(old.start))
        moved = _micros(new.start) + (place * (_micros(new.end) - _micros(new.start))).astype(np.int64)
        ids = pa.array([f"{self.model}-{day}-{n:06d}" for n in range(rows.num_rows)])
        for name, values in ((data.served_at, pa.array(moved).cast(kind)), (data.prediction_id, ids)):
            rows = rows.set_column(rows.column_names.index(name), name, values)
        return rows

    def _outcomes(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        data, late = self.monitor.data, timedelta(days=self.monitor.labels.delay_nights)
        told = rows.filter(pc.is_valid(rows.column("label")))
        columns = {
            "prediction_id": told.column(data.prediction_id),
            "label": pc.cast(told.column("label"), pa.string()),
            "observed_at": pc.add(told.column(data.served_at), pa.scalar(late, pa.duration("us"))),
        }
        return pa.table(columns)


def _micros(instant: Any) -> int:
    """Microseconds since 1970."""
    from datetime import UTC, datetime

    return int((instant - datetime(1970, 1, 1, tzinfo=UTC)) / MICROSECOND)
