"""How long judging one night takes: 200 features in 5 groups, 90 nights of history; drawn numbers, the real judge.

`python benchmarks/judging.py` prints seconds of wall and processor time: measurements at hand, history read from
SQLite, and judged.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from vigil.adapters import sql_engine, sql_results
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import NightResult, Rule, Rules

FEATURES, GROUPS, NIGHTS = 200, 5, 90
LAST = date(2026, 6, 1)
NAMES = ("position_shift", "missing_shift", "width_shift")
RULES = Rules(drift=tuple(Rule(metric=m, surprise=True) for m in (*NAMES, *(f"group_{m}" for m in NAMES[:2]))))


def night(rng: np.random.Generator) -> Iterator[Measurement]:
    """All scores of a night."""
    for name in NAMES:
        for feature in range(FEATURES):
            yield _score(name, f"f{feature}", rng)
            if name in NAMES[:2]:
                for group in range(GROUPS):
                    yield _score(f"group_{name}", f"f{feature}|region=r{group}", rng)


def _score(metric: str, subject: str, rng: np.random.Generator) -> Measurement:
    return Measurement(metric=metric, subject=subject, family=Family.DRIFT, kind=Kind.NUMBER, value=rng.normal(0, 0.03),
                       n=10_000, unit="sd", worse=Worse.AWAY, variance=1e-4, baseline=0.0, yardstick="h")  # fmt: skip


def main() -> None:
    """Draws, stores, reads, judges."""
    rng = np.random.default_rng(1)
    engine = sql_engine.open_engine(f"sqlite:///{Path(tempfile.mkdtemp()) / 'vigil.db'}")
    sql_engine.upgrade(engine)
    results = sql_results.SqlResults(engine)
    past: list[NightResult] = []
    for back in range(NIGHTS, 0, -1):
        day = LAST - timedelta(days=back)
        verdicts = judge(list(night(rng)), RULES, past[-3:], Facts(night=day, as_of=day))
        past.append(NightResult(monitor="m", environment="production", night=day, partition_digest=str(day),
                                config_digest="c", edges_digest="e", verdicts=verdicts, rows=10_000))  # fmt: skip
        results.append(past[-1], evaluated_at=datetime(2026, 6, 1, tzinfo=UTC), labels_through=None)
    tonight = list(night(rng))
    timings: dict[str, float] = {"scores": len(tonight), "history_nights": NIGHTS}
    works: dict[str, Callable[[], object]] = {
        "read_history": lambda: results.history("m", "production", LAST, NIGHTS),
        "judge": lambda: judge(tonight, RULES, past, Facts(night=LAST, as_of=LAST)),
        "judge_again": lambda: judge(tonight, RULES, past, Facts(night=LAST, as_of=LAST)),
    }
    for name, work in works.items():
        wall, used = time.perf_counter(), time.process_time()
        work()
        timings |= {
            f"{name}_s": round(time.perf_counter() - wall, 2),
            f"{name}_cpu_s": round(time.process_time() - used, 2),
        }
    print(json.dumps(timings))


if __name__ == "__main__":
    main()
