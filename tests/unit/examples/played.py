"""An example's nights judged by the real engine, in memory: scan, measure, judge. No files, no servers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.core.words import Role
from vigil.metrics.evaluate import evaluate
from vigil.usecases.nights import view
from vigil.verdicts.judge import Facts, judge, ruled
from vigil.verdicts.types import NightResult, State, Verdict

HOME = Path(__file__).resolve().parents[3]
FIRST = date(2026, 9, 1)
HOLDOUT_ROWS = 3000


def monitor_of(example: ModuleType) -> Monitor:
    return load_monitor(HOME / "monitors" / f"{example.MODEL}.yaml")


def logged(example: ModuleType, model: Any, night: date, *, seed: int = 7, fault: object = None) -> pd.DataFrame:
    """What the prediction log holds of a night."""
    rows = example.night_rows(night, seed=seed, fault=fault)
    latency = np.random.default_rng(night.toordinal()).gamma(3, 8, len(rows))
    said = model.predict(None, rows).reset_index(drop=True)
    both = pd.concat([rows, said], axis=1)
    return both.assign(
        environment=example.ENVIRONMENT, model_version="2", role="champion", status="ok", latency_ms=latency
    )


@dataclass
class Played:
    """One model's nights in order; each judged one teaches the next."""

    example: ModuleType
    holdout: pd.DataFrame  # with the model's answers
    results: list[NightResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.monitor = monitor_of(self.example)
        self.scanner = DuckDBScanner()
        self.reference = pa.Table.from_pandas(self.holdout, preserve_index=False)
        self.edges = self.scanner.fit_edges(self.monitor, self.reference)
        self.baseline = self._profile(self.reference, FIRST)

    def _profile(self, rows: pa.Table, night: date) -> Any:
        return self.scanner.scan_table(self.monitor, rows, self.edges, night=night, version="2", role=Role.CHAMPION)

    def night(self, model: Any, night: date, *, seed: int = 7, fault: object = None, keep: bool = True) -> NightResult:
        """Judges a night with all its labels known; `keep` lets it teach the nights after it."""
        rows = pa.Table.from_pandas(logged(self.example, model, night, seed=seed, fault=fault), preserve_index=False)
        made = self._profile(rows, night)
        numbers = evaluate(made, self.baseline, view(self.monitor), yardstick="holdout of version 2")
        facts = Facts(night=night, as_of=night + timedelta(days=8), labels=self.monitor.labels, labelled_share=1.0)
        verdicts = judge(numbers, self.monitor.rules, self.results[-28:], facts)
        result = NightResult(
            monitor=self.monitor.model,
            environment=self.monitor.environment,
            night=night,
            partition_digest=f"{night}-{seed}-{fault}",
            config_digest=self.monitor.digest,
            edges_digest=made.edges_digest,
            versions={"2": made.rows},
            champion_rows=made.rows,
            rows=made.rows,
            verdicts=verdicts,
            measurements=ruled(numbers, verdicts),
        )
        if keep:
            self.results.append(result)
        return result

    def quiet(self, model: Any, nights: int, *, seed: int = 7) -> list[NightResult]:
        """So many further nights without a fault."""
        start = len(self.results)
        return [self.night(model, FIRST + timedelta(days=start + n), seed=seed) for n in range(nights)]


def in_state(result: NightResult, *states: State) -> list[Verdict]:
    return [v for v in result.verdicts if v.state in states]


def verdict(result: NightResult, id: str) -> Verdict:
    return next(v for v in result.verdicts if v.id == id)


def ids(verdicts: Sequence[Verdict]) -> set[str]:
    return {v.id for v in verdicts}
