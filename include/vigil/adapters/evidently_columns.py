"""The columns of a night's report: cleaned so that Evidently can draw them and no page takes a value for markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vigil.core.words import Family, Task
from vigil.metrics.drift.bins import NEW, grouped, same_levels
from vigil.metrics.drift.divergence import psi
from vigil.profiles.edges import SCORE_EDGES, single
from vigil.profiles.layout import FeatureType
from vigil.verdicts.types import NightResult, State

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.metrics.types import Measurement
    from vigil.profiles.types import Edges

USUAL_LIMIT = 0.25  # nats; where a PSI is usually called large (Siddiqi 2006), for columns that no rule asks about
LEVELS_SHOWN = 20  # of a category; the others are drawn as one
OTHERS = "(others)"
LONGEST = 60  # characters of a name or a level


def plain(text: object) -> str:
    """Text that neither HTML, nor a script, nor a chart's own markup can misread; people still can read it.

    >>> plain("<script>&x")
    '‹script›＆x'
    """
    kept = "".join(c if c.isprintable() else " " for c in str(text))[:LONGEST]
    return kept.replace("<", "‹").replace(">", "›").replace("&", "＆")


@dataclass(frozen=True, slots=True)
class Column:
    """One column on both sides, its PSI and whether that is too much.

    name: as shown. now, was: float64 with NaN, or text with None. value: PSI in nats, of all rows if measured.
    """

    name: str
    kind: FeatureType
    now: Any  # pandas.Series
    was: Any
    value: float
    over: bool


def columns(
    monitor: Monitor, current: pa.Table, reference: pa.Table, result: NightResult, edges: Edges
) -> tuple[list[Column], list[str]]:
    """(columns with values on both sides, those that are not ok first; names of the others as shown)."""
    found, left_out = [], []
    for name, kind in _wanted(monitor).items():
        pair = [_series(t, name, kind) for t in (current, reference)]
        if any(s is None or not s.notna().any() for s in pair):
            left_out.append(plain(name))
            continue
        value = _psi(monitor, name, kind, pair, result, edges)
        over = _over(monitor, name, value, result)
        now, was = [s.astype("float64") for s in pair] if kind is FeatureType.NUMERIC else _few_levels(pair)
        found.append(Column(name=plain(name), kind=kind, now=now, was=was, value=value, over=over))
    return sorted(found, key=lambda c: not c.over), left_out


def _wanted(monitor: Monitor) -> dict[str, FeatureType]:
    """Features, and what the model says."""
    wanted = dict(monitor.features)
    if monitor.data.score:
        wanted[monitor.data.score] = FeatureType.NUMERIC
    said = FeatureType.NUMERIC if monitor.task is Task.REGRESSION else FeatureType.CATEGORY
    wanted[monitor.data.prediction] = said
    return wanted


def _series(table: pa.Table, name: str, kind: FeatureType) -> Any:
    """The column as a pandas.Series, or None where there is none. Numbers of four bytes stay so: see `_binned`."""
    import numpy as np
    import pandas as pd

    if name not in table.column_names:
        return None
    values = table.column(name).to_pandas()
    if kind is FeatureType.NUMERIC:
        numbers = pd.to_numeric(values, errors="coerce")
        numbers = numbers if numbers.dtype == np.float32 else numbers.astype("float64")
        return numbers.replace([np.inf, -np.inf], np.nan).reset_index(drop=True)
    return values.astype("string").astype(object).where(values.notna(), None).reset_index(drop=True)


def _psi(
    monitor: Monitor, name: str, kind: FeatureType, pair: Sequence[Any], result: NightResult, edges: Edges
) -> float:
    """The PSI of all rows of the night where it was measured, else that of the rows at hand."""
    said = (monitor.data.score or monitor.data.prediction) == name
    asked = "prediction_psi/all" if said else f"psi/{name}"
    measured = next((m.value for m in _measurements(result) if m.id == asked), None)
    return measured if measured is not None else psi(*_counts(name, kind, pair, edges))


def _measurements(result: NightResult) -> Iterator[Measurement]:
    yield from result.measurements
    yield from (v.measurement for v in result.verdicts if v.measurement is not None)


def _over(monitor: Monitor, name: str, value: float, result: NightResult) -> bool:
    """What the verdicts on drift say of the column; where no rule asked, or none could tell, the usual limit."""
    about = {name}
    if name == monitor.data.score:
        about = {"score_shift/all", "prediction_psi/all"}
    elif name == monitor.data.prediction:
        about = {"prediction_shift/all", *(() if monitor.data.score else ("prediction_psi/all", "score_shift/all"))}
    states = {
        v.state
        for v in result.verdicts
        if v.family is Family.DRIFT and (v.id in about or v.subject.partition("|")[0] in about)
    } - {State.UNKNOWN}
    return states != {State.OK} if states else value >= USUAL_LIMIT


def _counts(name: str, kind: FeatureType, pair: Sequence[Any], edges: Edges) -> tuple[Sequence[float], Sequence[float]]:
    """Both sides counted on the monitor's bins, as the metrics `psi` and `prediction_psi` do."""
    import numpy as np

    if kind is FeatureType.CATEGORY:
        known = edges.levels.get(name)
        named = [s.dropna().map(lambda v: v if known is None or v in known else NEW).value_counts() for s in pair]
        return same_levels(*({str(k): int(n) for k, n in counts.items()} for counts in named))
    cuts = edges.numeric.get(name, SCORE_EDGES)
    now, was = ([int(n) for n in _binned(np.asarray(s.dropna()), cuts)] for s in pair)
    return (now, was) if name in edges.numeric else grouped(now, was)


def _binned(values: Any, cuts: Sequence[float]) -> Any:
    """Rows by bin j: edges[j-1] < x <= edges[j], as the scan compares numbers of four bytes and of eight."""
    import numpy as np

    cuts = single(cuts) if values.dtype == np.float32 else cuts
    return np.bincount(np.searchsorted(cuts, values, side="left"), minlength=len(cuts) + 1)


def _few_levels(pair: Sequence[Any]) -> list[Any]:
    """Readable levels, at most LEVELS_SHOWN of the most frequent: a column of free text is no chart."""
    import pandas as pd

    named = [s.map(plain, na_action="ignore") for s in pair]
    frequent = pd.concat(named).value_counts()
    kept = set(sorted(frequent.index, key=lambda level: (-frequent[level], level))[:LEVELS_SHOWN])
    return [s.map(lambda v: v if v in kept else OTHERS, na_action="ignore") for s in named]
