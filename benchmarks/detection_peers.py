"""What other tools' rules say of the same nights: the rules of each tool, on the same rows.

Evidently, NannyML and the naive rules are written out here, because their packages need a minute a night or
environments of their own; `checked` compares the first with the package itself. Each rule sees a pooled sample of the
reference nights. Nothing here is part of Vigil.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

if TYPE_CHECKING:
    import pyarrow as pa

Table = Mapping[str, np.ndarray]
REFERENCE_ROWS = 20_000
ALARM_SHARE = 0.05
METHODS = (
    "KS/chi-square, p < 0.05", "KS/chi-square, Bonferroni", "PSI > 0.2", "PSI > 0.1",
    "Evidently default", "NannyML default", "NannyML Wasserstein/L-infinity",
)  # fmt: skip


def columns(rows: pa.Table, features: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Features as arrays: floats, or texts with "" for what is missing."""
    arrays = {}
    for name, kind in features.items():
        values = rows.column(name).to_numpy(zero_copy_only=False)
        arrays[name] = values.astype(float) if kind == "numeric" else np.array([v or "" for v in values], dtype=str)
    return arrays


class Peers:
    """All rules, fitted to the reference nights of one model."""

    def __init__(self, nights: Sequence[Table], features: Mapping[str, str], seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.features = features
        self.reference = {}
        for name in features:
            whole = np.concatenate([n[name] for n in nights])
            self.reference[name] = whole[rng.permutation(len(whole))[:REFERENCE_ROWS]]
        night_distances = [self._nannyml(n) for n in nights]
        self.limits = [{name: _limit([t[part][name] for t in night_distances]) for name in features} for part in (0, 1)]

    def flagged(self, night: Table) -> dict[str, frozenset[str]]:
        """Method -> the features that it raises an alarm for."""
        p = {name: self._p(name, night[name]) for name in self.features}
        psi = {name: _psi(*self._shares(name, night[name])) for name in self.features}
        default, best = self._nannyml(night)
        flags = {
            METHODS[0]: [n for n in p if p[n] < ALARM_SHARE],
            METHODS[1]: [n for n in p if p[n] < ALARM_SHARE / len(p)],
            METHODS[2]: [n for n in psi if psi[n] > 0.2],
            METHODS[3]: [n for n in psi if psi[n] > 0.1],
            METHODS[4]: [n for n in self.features if self.evidently(n, night[n])],
            METHODS[5]: [n for n in self.features if default[n] > self.limits[0][n]],
            METHODS[6]: [n for n in self.features if best[n] > self.limits[1][n]],
        }
        return {method: frozenset(names) for method, names in flags.items()}

    def evidently(self, name: str, now: np.ndarray) -> bool:
        """Its default for more than 1,000 reference rows: Wasserstein / sd for numbers with more than five values,
        Jensen-Shannon distance else; drift from 0.1 on. Missing values are dropped."""
        was = self.reference[name]
        if self.features[name] == "numeric" and len(np.unique(_finite(was))) > 5:
            a, b = _finite(was), _finite(now)
            return bool(wasserstein_distance(a, b) / max(float(np.std(a)), 0.001) >= 0.1)
        return bool(jensenshannon(*_level_shares(_filled(was), _filled(now)), base=2) >= 0.1)

    def _p(self, name: str, now: np.ndarray) -> float:
        was = self.reference[name]
        if self.features[name] == "numeric":
            return float(ks_2samp(_finite(was), _finite(now), method="asymp").pvalue)
        levels = sorted({*_filled(was), *_filled(now)})
        counts = np.array([[np.sum(side == level) for level in levels] for side in (was, now)])
        return float(chi2_contingency(counts).pvalue) if len(levels) > 1 else 1.0

    def _shares(self, name: str, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        was = self.reference[name]
        if self.features[name] != "numeric":
            return _level_shares(_filled(was), _filled(now))
        inner = np.unique(np.quantile(_finite(was), np.linspace(0, 1, 11))[1:-1])
        sides = [np.bincount(np.searchsorted(inner, _finite(x)), minlength=len(inner) + 1) for x in (was, now)]
        return sides[0] / sides[0].sum(), sides[1] / max(sides[1].sum(), 1)

    def _nannyml(self, night: Table) -> tuple[dict[str, float], dict[str, float]]:
        """(Jensen-Shannon of every feature, Wasserstein or L-infinity): its default, and what its guide advises."""
        default, best = {}, {}
        for name, kind in self.features.items():
            was, now = self.reference[name], night[name]
            if kind == "numeric":
                edges = np.histogram_bin_edges(_finite(was), bins="doane")
                a, b = (np.histogram(np.clip(_finite(x), edges[0], edges[-1]), edges)[0] for x in (was, now))
                default[name] = float(jensenshannon(a, b, base=2))
                best[name] = float(wasserstein_distance(_finite(was), _finite(now)))
            else:
                a, b = _level_shares(_filled(was), _filled(now))
                default[name], best[name] = float(jensenshannon(a, b, base=2)), float(np.abs(a - b).max())
        return default, best


def _limit(values: Sequence[float]) -> float:
    """Mean plus three sd of the reference nights."""
    return float(np.mean(values) + 3 * np.std(values))


def _finite(values: np.ndarray) -> np.ndarray:
    finite: np.ndarray = values[np.isfinite(values)]
    return finite


def _filled(values: np.ndarray) -> np.ndarray:
    filled: np.ndarray = values[values != ""]
    return filled


def _level_shares(was: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    levels = sorted({*was, *now})
    a, b = (np.array([np.sum(side == level) for level in levels], dtype=float) for side in (was, now))
    return a / max(a.sum(), 1), b / max(b.sum(), 1)


def _psi(a: np.ndarray, b: np.ndarray) -> float:
    a, b = np.maximum(a, 1e-4), np.maximum(b, 1e-4)
    return float(np.sum((b - a) * np.log(b / a)))


def checked(peers: Peers, nights: Sequence[Table]) -> Iterator[bool]:
    """Whether the package Evidently says the same as its rule above, of each feature of each night."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    numeric = [n for n, kind in peers.features.items() if kind == "numeric"]
    other = [n for n in peers.features if n not in numeric]
    about = DataDefinition(numerical_columns=numeric, categorical_columns=other)

    def told(table: Table) -> Dataset:
        frame = pd.DataFrame({n: pd.Series(v, dtype=object).replace("", None) for n, v in table.items()})
        return Dataset.from_pandas(frame, data_definition=about)

    for night in nights:
        report = Report([DataDriftPreset()]).run(told(night), told(peers.reference)).dict()
        for metric in report["metrics"]:
            name = metric["config"].get("column")
            if name in peers.features:
                yield (float(metric["value"]) >= 0.1) == peers.evidently(name, night[name])
