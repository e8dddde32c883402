"""The faults of a simulation in rows that somebody logged. The real model cannot be asked again: answers stay.

Moves keep to values that the log has. A bad version's answers, and outcomes of another concept, are those of other rows
of the same night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.simulation.draft import Happens
from vigil.simulation.inject import UNSEEN, chosen, missing_piece, mixed, moved
from vigil.simulation.marginals import Array, Seen
from vigil.simulation.regimes import FaultKind

if TYPE_CHECKING:
    import pyarrow as pa


class Logged:
    """What is usual in a log: the yardstick of its faults."""

    def __init__(self, monitor: Monitor, pool: pa.Table) -> None:
        self.monitor, self._pool = monitor, pool
        self._seen: dict[str, Seen] = {}

    def inject(self, rows: pa.Table, happens: Happens) -> pa.Table:
        """The rows of a night after a fault."""
        return FAULTS[happens.fault.kind](self, rows, happens)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Group -> the protected attribute that it belongs to."""
        found: dict[str, str] = {}
        for p in self.monitor.protected:
            if p.attribute in self._pool.column_names:
                found |= dict.fromkeys((p.reference, *p.groups), p.attribute)
        return found

    def usual(self, name: str) -> Seen:
        """The distribution of a numeric feature."""
        if name not in self._seen:
            x = numbers(self._pool, name)
            if not np.isfinite(x).any():
                raise DataError(f"{name} has no numbers on the quiet nights: nothing can happen to it")
            self._seen[name] = Seen(x)
        return self._seen[name]

    def missing(self, name: str) -> float:
        """The usual share of nulls."""
        empty: int = self._pool.column(name).null_count
        return empty / max(1, int(self._pool.num_rows))

    def levels(self, name: str) -> dict[str, float]:
        """The usual share of each level."""
        import pyarrow.compute as pc

        counted = pc.value_counts(texts(self._pool, name).drop_null()).to_pylist()
        total = sum(one["counts"] for one in counted)
        return {one["values"]: one["counts"] / total for one in sorted(counted, key=lambda c: str(c["values"]))}

    def moved(self, rows: pa.Table, it: Happens) -> pa.Table:
        """Mean, scale, subgroup, gradual."""
        import pyarrow.compute as pc

        x, marginal = numbers(rows, it.feature), self.usual(it.feature)
        within = np.isfinite(x)
        if it.fault.group is not None:
            there = pc.equal(texts(rows, self.groups[it.fault.group]), it.fault.group)
            within &= pc.fill_null(there, False).to_numpy(zero_copy_only=False).astype(bool)
        z = moved(marginal.scores(x, it.rng), it.fault, it.night, marginal, within, it.solved)
        return put(rows, it.feature, np.where(within, marginal.values(z), x))

    def unit_change(self, rows: pa.Table, it: Happens) -> pa.Table:
        """Times a factor."""
        return put(rows, it.feature, numbers(rows, it.feature) * it.fault.size)

    def mixed(self, rows: pa.Table, it: Happens) -> pa.Table:
        """From the commonest level to the second."""
        shares = self.levels(it.feature)
        names = [*shares, UNSEEN]
        number = {level: n for n, level in enumerate(names)}
        now = texts(rows, it.feature).to_pylist()
        codes = np.array([number.get(v, len(shares)) for v in now])
        after = mixed(codes, np.array(list(shares.values())), it.fault.size, it.rng)
        changed = [names[b] if a != b else v for v, a, b in zip(now, codes, after, strict=True)]
        return replaced(rows, it.feature, changed)

    def new_category(self, rows: pa.Table, it: Happens) -> pa.Table:
        """A level that never occurred."""
        new = chosen(rows.num_rows, it.fault.size, it.rng)
        now = texts(rows, it.feature).to_pylist()
        return replaced(rows, it.feature, [UNSEEN if n else v for v, n in zip(now, new, strict=True)])

    def nulls(self, rows: pa.Table, it: Happens) -> pa.Table:
        """On top of the usual share."""
        import pyarrow as pa
        import pyarrow.compute as pc

        usual = self.missing(it.feature)
        lost = chosen(rows.num_rows, it.fault.size / max(1 - usual, 1e-9), it.rng)
        column = rows.column(it.feature)
        return replaced(rows, it.feature, pc.if_else(pa.array(lost), pa.scalar(None, column.type), column))

    def label_shift(self, rows: pa.Table, it: Happens) -> pa.Table:
        """Labels of one kind become the other."""
        if self.monitor.decision is None:
            raise DataError(f"{self.monitor.model} is no binary model: no share of its labels can shift")
        labels, positive = self._labels(rows), self.monitor.decision.positive
        others = [v for v in labels if v not in (None, positive)]
        if not others or positive not in labels:
            raise DataError(f"the labels of {self.monitor.model} are all alike on a night: none can shift")
        negative = max(sorted({str(v) for v in others}), key=others.count)
        source, target = (negative, positive) if it.fault.size > 0 else (positive, negative)
        share = labels.count(source) / (len(labels) - labels.count(None))
        flip = chosen(len(labels), min(1.0, abs(it.fault.size) / share), it.rng)
        return replaced(rows, "label", [target if f and v == source else v for v, f in zip(labels, flip, strict=True)])

    def concept(self, rows: pa.Table, it: Happens) -> pa.Table:
        """A share of the rows has the outcome of other rows."""
        labels = np.array(self._labels(rows), dtype=object)
        return replaced(rows, "label", list(labels[self._swapped(rows, it)]))

    def bad_version(self, rows: pa.Table, it: Happens) -> pa.Table:
        """A share of the rows has the answer of other rows, and all of them come from another version."""
        data = self.monitor.data
        order = self._swapped(rows, it)
        for name in (data.prediction, data.score, data.ranking):
            if name in rows.column_names:
                rows = replaced(rows, str(name), rows.column(name).take(order))
        versions = [None if v is None else f"{v}-bad" for v in texts(rows, data.model_version).to_pylist()]
        return replaced(rows, data.model_version, versions)

    def outage(self, rows: pa.Table, it: Happens) -> pa.Table:
        """One piece of the night is not there."""
        return rows.filter(missing_piece(rows.num_rows, it.fault.size, it.rng))

    def latency(self, rows: pa.Table, it: Happens) -> pa.Table:
        """Times a factor."""
        name = self.monitor.data.latency_ms
        return put(rows, name, numbers(rows, name) * it.fault.size)

    def _labels(self, rows: pa.Table) -> list[str | None]:
        labels: list[str | None] = rows.column("label").to_pylist()
        if all(v is None for v in labels):
            raise DataError(
                f"{self.monitor.model}: a night of the log has no labels, so none can be changed; draw from nights "
                "whose labels have come, with --to"
            )
        return labels

    @staticmethod
    def _swapped(rows: pa.Table, it: Happens) -> Array:
        """An order in which a share of the rows change places."""
        order = np.arange(rows.num_rows)
        at = np.flatnonzero(chosen(rows.num_rows, it.fault.size, it.rng))
        order[at] = it.rng.permutation(at)
        return order


FAULTS: Mapping[FaultKind, Callable[[Logged, Any, Happens], Any]] = {
    FaultKind.MEAN: Logged.moved,
    FaultKind.SCALE: Logged.moved,
    FaultKind.SUBGROUP: Logged.moved,
    FaultKind.GRADUAL: Logged.moved,
    FaultKind.UNIT_CHANGE: Logged.unit_change,
    FaultKind.MIX: Logged.mixed,
    FaultKind.NEW_CATEGORY: Logged.new_category,
    FaultKind.NULLS: Logged.nulls,
    FaultKind.LABEL_SHIFT: Logged.label_shift,
    FaultKind.CONCEPT: Logged.concept,
    FaultKind.BAD_VERSION: Logged.bad_version,
    FaultKind.OUTAGE: Logged.outage,
    FaultKind.LATENCY: Logged.latency,
}


def numbers(rows: pa.Table, name: str) -> Array:
    """A column as numbers; NaN where it has none. Raises DataError for text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        column = pc.cast(rows.column(name), pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{name} is {rows.column(name).type} in the log, and holds what is no number") from error
    found: Array = column.to_numpy().astype(float)
    return found


def texts(rows: pa.Table, name: str) -> Any:
    """A column as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(rows.column(name), pa.string())


def put(rows: pa.Table, name: str, values: Array) -> pa.Table:
    """With other numbers in a column: in its own type where that can hold them. What was null stays so."""
    import pyarrow as pa
    import pyarrow.compute as pc

    before = rows.column(name)
    made = pa.array(values, mask=pc.is_null(before).to_numpy(zero_copy_only=False).astype(bool))
    try:
        return replaced(rows, name, made.cast(before.type))
    except pa.ArrowInvalid:  # a count in another unit is none
        return replaced(rows, name, made)


def replaced(rows: pa.Table, name: str, values: Any) -> pa.Table:
    """With other values in a column."""
    import pyarrow as pa

    column = pa.array(values, pa.string()) if isinstance(values, list) else values
    return rows.set_column(rows.column_names.index(name), name, column)
