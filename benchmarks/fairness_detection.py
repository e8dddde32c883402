"""How fair judgements behave on simulated nights of which the truth is known: counts are drawn, the real judge judges.

`python benchmarks/fairness_detection.py` (quick, fixed seeds); `FULL=1` draws ten times as many nights. Rows of dicts;
the command writes benchmarks/results/fairness.json and prints them.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core.words import Family
from vigil.incidents.correlate import signals
from vigil.incidents.episodes import NewEvent, bad_night_events, episode_of
from vigil.incidents.lifecycle import fold
from vigil.incidents.recovery import AnswerKind, Answers, Recovery, kind_of, night_events
from vigil.incidents.severity import assess
from vigil.incidents.types import Event, Incident, Risk
from vigil.metrics.intervals import auc_interval, mover_ratio, newcombe, wilson
from vigil.metrics.pool import interval
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.bounds import judge_bound, pools
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.limits import Bound
from vigil.verdicts.types import NightResult, Rule, Rules, State, Verdict

OUT = Path(__file__).parent / "results" / "fairness.json"
SEED = 20261127
FIRST = date(2026, 1, 1)
FOUR_FIFTHS = Rules(fairness=(Rule.model_validate({"metric": "selection_rate_ratio", "breach": "< 0.80"}),))
GROUPS = 8
ALARMS = (State.WARN, State.BREACH)
Row = dict[str, Any]


def measured(kind: Kind, parts: Sequence[float], subject: str, metric: str, family: Family) -> Measurement:
    """What the engine would measure from these counts."""
    value, low, high = interval(kind, parts)
    unit = {Kind.PROPORTION: "share", Kind.RATIO: "ratio", Kind.DIFFERENCE: "difference"}[kind]
    return Measurement(metric=metric, subject=subject, family=family, kind=kind, value=value, low=low, high=high,
                       n=int(parts[1]), parts=tuple(map(float, parts)), unit=unit, worse=Worse.LOWER,
                       why_not="" if value is not None else "no rows")  # fmt: skip


def ratio_of(rng: np.random.Generator, subject: str, true: float, rate: float, n: int, reference: int) -> Measurement:
    """A night's selection-rate ratio of a group with this true one."""
    parts = (rng.binomial(n, true * rate), n, rng.binomial(reference, rate), reference)
    return measured(Kind.RATIO, parts, subject, "selection_rate_ratio", Family.FAIRNESS)


class Process:
    """One model's nights through the judge and the incident process, as a night does it, in memory."""

    def __init__(self) -> None:
        self.history: list[NightResult] = []
        self.streams: dict[str, list[Event]] = {}
        self.alarm_nights = self.unknown = self.asked = 0

    @property
    def incidents(self) -> list[Incident]:
        folded = [fold(events) for events in self.streams.values()]
        return sorted((i for i in folded if i), key=lambda i: i.opened_night)

    def night(self, measurements: Sequence[Measurement], rules: Rules) -> tuple[Verdict, ...]:
        night = FIRST + timedelta(days=len(self.history))
        facts = Facts(night=night, as_of=night, labelled_share=1.0)
        verdicts = judge(measurements, rules, self.history[-90:], facts)
        result = NightResult(monitor="m", environment="production", night=night, partition_digest=str(night),
                             config_digest="c", edges_digest="e", rows=1000, verdicts=verdicts)  # fmt: skip
        self._correlate(result)
        self.history.append(result)
        self.alarm_nights += any(v.state in ALARMS for v in verdicts)
        self.unknown += sum(v.state is State.UNKNOWN for v in verdicts)
        self.asked += len(verdicts)
        return verdicts

    def _correlate(self, result: NightResult) -> None:
        new = signals(result, self.history[-1] if self.history else None)
        current = episode_of(self.incidents, result.night)
        events: Sequence[NewEvent] = ()
        if new:
            assessment = assess(new, Risk(), environment="production", has_fallback=True, mitigated=False)
            events = bad_night_events(current, new, monitor="m", environment="production", night=result.night,
                                      knowledge=result.digest_key, assessment=assessment, versions={},
                                      report_url=None)  # fmt: skip
        elif current is not None:
            good = tuple(v.id for v in result.verdicts if kind_of(v) is AnswerKind.GOOD)
            answers = Answers(night=result.night, version="1", rows=1000, good=good)
            events = night_events(current, answers, Recovery(nights=2))
        stream = current.id if current else str(result.night)
        for event in events:
            self._append(stream, event, result.night)

    def _append(self, stream: str, new: NewEvent, night: date) -> None:
        from datetime import UTC, datetime

        events = self.streams.setdefault(stream, [])
        if all(e.key != new.key for e in events):
            events.append(Event(stream=f"incident/{stream}", sequence=len(events) + 1, key=new.key, type=new.type,
                                at=datetime(night.year, night.month, night.day, tzinfo=UTC), payload=new.payload,
                                previous="0" * 64, hash="0" * 64))  # fmt: skip


def compliant(seed: int, models: int, nights: int) -> Iterator[Row]:
    """Groups that are within the law: true ratios 0.85-1.0, 50-5,000 decisions a group and night, 8 groups."""
    rng = np.random.default_rng(seed)
    alarms = opened = unknown = question_count = 0
    for _ in range(models):
        rate = rng.uniform(0.1, 0.9)
        true, size = rng.uniform(0.85, 1.0, GROUPS), np.exp(rng.uniform(np.log(50), np.log(5000), GROUPS + 1))
        process = Process()
        for _ in range(nights):
            n = [int(min(5000, max(50, rng.poisson(s)))) for s in size]
            process.night(
                [ratio_of(rng, f"a=g{i}", true[i], rate, n[i], n[GROUPS]) for i in range(GROUPS)], FOUR_FIFTHS
            )
        alarms, opened = alarms + process.alarm_nights, opened + len(process.incidents)
        unknown, question_count = unknown + process.unknown, question_count + process.asked
    total = models * nights
    yield {"what": "compliant nights with any alarm", "value": alarms / total, "upper95": wilson(alarms, total)[1],
           "bar": "<= 0.01", "holds": alarms / total <= 0.01, "model_nights": total}  # fmt: skip
    yearly = opened / (total / 365)
    yield {"what": "incidents per compliant model-year", "value": yearly,
           "upper95": _poisson_upper(opened) / (total / 365),
           "bar": "<= 0.5", "holds": yearly <= 0.5, "model_nights": total}  # fmt: skip
    yield {"what": "compliant subjects unknown: too few rows", "value": unknown / question_count, "model_nights": total}


def _poisson_upper(count: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(0.975, 2 * count + 2) / 2)


def _equal(rng: np.random.Generator, groups: int, rate: float, n: int, day: int) -> NightResult:
    """A night on which all groups were treated alike, as it was stored."""
    measurements = [ratio_of(rng, f"a=g{i}", 0.95, rate, n, 10 * n) for i in range(groups)]
    verdicts = tuple(Verdict(metric=m.metric, subject=m.subject, family=m.family, state=State.OK, reason="within",
                         measurement=m) for m in measurements)  # fmt: skip
    return NightResult(monitor="m", environment="production", night=FIRST + timedelta(days=day),
                       partition_digest=str(day), config_digest="c", edges_digest="e", rows=1000,
                       verdicts=verdicts)  # fmt: skip


def seen_at_070(seed: int, runs: int) -> Iterator[Row]:
    """A group treated at 0.70 from one night on: by selection rate, by how many groups share the rule, and by how many
    nights of equal treatment (0.95) came before."""
    rng = np.random.default_rng(seed)
    for n, groups, rate, before in [
        (500, 1, 0.5, 0), (500, 1, 0.8, 0), (500, 1, 0.95, 0), (500, 1, 0.98, 0), (500, 8, 0.5, 0), (500, 8, 0.95, 0),
        (500, 8, 0.98, 0), (2000, 8, 0.5, 0), (5000, 8, 0.3, 0), (500, 1, 0.5, 28), (500, 8, 0.5, 28),
        (500, 8, 0.95, 28), (2000, 8, 0.5, 28),
    ]:  # fmt: skip
        by_night = np.zeros(8)
        warned = calm = 0
        for _ in range(runs):
            process = Process()
            process.history = [_equal(rng, groups, rate, n, day) for day in range(before)]
            for night in range(7):
                others = [ratio_of(rng, f"a=g{i}", 0.95, rate, n, 10 * n) for i in range(1, groups)]
                verdicts = process.night([ratio_of(rng, "a=g0", 0.70, rate, n, 10 * n), *others], FOUR_FIFTHS)
                state = next(v.state for v in verdicts if v.subject == "a=g0")
                warned += night == 0 and state in ALARMS
                calm += night == 0 and state is State.OK
                if state is State.BREACH:
                    by_night[night:] += 1
                    break
        yield {"what": "ratio 0.70 found", "n": n, "groups": groups, "reference_rate": rate,
               "good_nights_before": before, "runs": runs, "ok_night1": calm / runs,
               "breach_night1": by_night[0] / runs, "warn_night1": warned / runs,
               "breach_by_night3": by_night[2] / runs,
               "breach_by_night7": by_night[6] / runs, "bar": ">= 0.99 on night 1 (n = 500)" if n == 500 else "",
               "holds": bool(by_night[0] / runs >= 0.99) if n == 500 else None}  # fmt: skip


SIZES = (30, 50, 100, 300, 1000, 5000, 50_000)
RATES = tuple(round(0.05 * i, 2) for i in range(1, 20))


def coverage(seed: int, draws: int) -> Iterator[Row]:
    """How often the nominal 95 % interval holds the truth, over p in [.05, .95] and n 30-50,000."""
    rng = np.random.default_rng(seed)
    two = [(n, p, r) for n in SIZES for p in RATES for r in (0.8, 1.0)]
    kinds: dict[str, list[float]] = {
        "proportion (Wilson)": [_exact_wilson(n, p) for n in SIZES for p in RATES],
        "difference (Newcombe)": [_covered(rng, draws, newcombe, n, r * p, p, r * p - p) for n, p, r in two],
        "ratio (MOVER-R)": [_covered(rng, draws, mover_ratio, n, r * p, p, r) for n, p, r in two],
    }
    for name, coverages in kinds.items():
        mean, least = float(np.mean(coverages)), float(np.min(coverages))
        yield {"what": "coverage", "interval": name, "mean": mean, "min": least, "cells": len(coverages),
               "bar": "mean 0.94-0.965, min >= 0.92", "holds": 0.94 <= mean <= 0.965 and least >= 0.92}  # fmt: skip
    coverages = [_auc_covered(rng, draws // 4, m, n, d) for m, n in ((50, 50), (50, 950), (200, 800), (1000, 9000))
             for d in (0.3, 0.9, 1.5, 2.5)]  # fmt: skip
    yield {"what": "coverage", "interval": "AUC (DeLong from bins)", "mean": float(np.mean(coverages)),
           "min": float(np.min(coverages)), "cells": len(coverages), "bar": "min class >= 50: >= 0.93",
           "holds": float(np.min(coverages)) >= 0.93}  # fmt: skip


def _exact_wilson(n: int, p: float) -> float:
    from scipy.stats import binom

    near = np.arange(max(0, int(n * p - 8 * np.sqrt(n)) - 5), min(n, int(n * p + 8 * np.sqrt(n)) + 5) + 1)
    inside = np.array([low <= p <= high for low, high in (wilson(int(k), n) for k in near)])
    return float(binom.pmf(near, n, p)[inside].sum())


Limits = Callable[[float, float, float, float], tuple[float, float]]


def _covered(rng: np.random.Generator, draws: int, of: Limits, n: int, p1: float, p0: float, true: float) -> float:
    reference = 10 * n
    k1, k0 = rng.binomial(n, p1, draws), rng.binomial(reference, p0, draws)
    hit_count = 0
    for a, b in zip(k1.tolist(), k0.tolist(), strict=True):
        low, high = of(a, n, b, reference)
        hit_count += low <= true <= high
    return hit_count / draws


def _auc_covered(rng: np.random.Generator, draws: int, m: int, n: int, distance: float) -> float:
    from scipy.special import expit
    from scipy.stats import norm

    from vigil.profiles.edges import SCORE_EDGES

    edges, true, hit_count = np.array(SCORE_EDGES), norm.cdf(distance / np.sqrt(2)), 0
    for _ in range(draws):
        pos, neg = (np.bincount(np.searchsorted(edges, expit(rng.normal(at, 1, size)), side="left"),
                                minlength=len(edges) + 1) for at, size in ((distance, m), (0.0, n)))  # fmt: skip
        _, low, high = auc_interval(pos.tolist(), neg.tolist())
        hit_count += low <= true <= high
    return hit_count / draws


def statements(seed: int, runs: int) -> Iterator[Row]:
    """What an `ok` says would have been found: drawn at just that size, how often is it found?"""
    rng = np.random.default_rng(seed)
    cases = [
        (Kind.PROPORTION, "< 0.80", (900, 1000)), (Kind.PROPORTION, "< 0.80", (180, 200)),
        (Kind.PROPORTION, "< 0.60", (350, 500)), (Kind.PROPORTION, "< 0.95", (4900, 5000)),
        (Kind.PROPORTION, "< 0.70", (76, 80)), (Kind.PROPORTION, "> 0.05", (20, 1000)),
        (Kind.PROPORTION, "> 0.05", (4, 200)), (Kind.RATIO, "< 0.80", (480, 1000, 5000, 10_000)),
        (Kind.RATIO, "< 0.80", (190, 500, 2000, 5000)), (Kind.RATIO, "< 0.80", (295, 300, 2900, 3000)),
        (Kind.RATIO, "< 0.80", (1000, 10_000, 1000, 10_000)), (Kind.RATIO, "< 0.80", (270, 300, 800, 900)),
        (Kind.DIFFERENCE, "< -0.10", (480, 1000, 5000, 10_000)), (Kind.DIFFERENCE, "< -0.15", (140, 200, 1450, 2000)),
        (Kind.DIFFERENCE, "< -0.05", (950, 1000, 4750, 5000)),
    ]  # fmt: skip
    for kind, text, parts in cases:
        for company in (1, 8):
            row = _statement(rng, kind, Bound.model_validate(text), parts, company, runs)
            if row is not None:
                yield row


def _statement(
    rng: np.random.Generator, kind: Kind, bound: Bound, parts: tuple[int, ...], company: int, runs: int
) -> Row | None:
    subjects = [measured(kind, parts, f"g{i}", "asked", Family.FAIRNESS) for i in range(company)]
    verdict = judge_bound([pools(m, []) for m in subjects], bound, min_difference=None, min_rows=30)[0]
    if verdict.state is not State.OK or not verdict.would_see:
        return None
    detectable = float(verdict.would_see.split(" tonight")[0].split()[-1])
    detections = sum(_finds(rng, kind, bound, parts, detectable, subjects[1:]) for _ in range(runs))
    low, high = wilson(detections, runs)
    return {"what": "would have been seen", "kind": kind.value, "bound": str(bound), "parts": list(parts),
            "subjects": company, "stated": detectable, "found": detections / runs, "low": low, "high": high,
            "runs": runs,
            "bar": "0.75-0.85", "holds": 0.75 <= detections / runs <= 0.85}  # fmt: skip


def _finds(
    rng: np.random.Generator, kind: Kind, bound: Bound, parts: tuple[int, ...], true: float, others: list[Measurement]
) -> bool:
    n1 = parts[1]
    if kind is Kind.PROPORTION:
        drawn: tuple[float, ...] = (rng.binomial(n1, true), n1)
    else:
        k0, n0 = parts[2:]
        rate = true * k0 / n0 if kind is Kind.RATIO else true + k0 / n0
        drawn = (rng.binomial(n1, min(max(rate, 0.0), 1.0)), n1, rng.binomial(n0, k0 / n0), n0)
    tonight = measured(kind, drawn, "g0", "asked", Family.FAIRNESS)
    subjects = [pools(m, []) for m in (tonight, *others)]
    return judge_bound(subjects, bound, min_difference=None, min_rows=30)[0].state is State.BREACH


def rows(*, full: bool = False) -> list[Row]:
    """Everything that is measured here."""
    models, more = (200, 5) if full else (20, 1)
    results = [*compliant(SEED, models, 180), *seen_at_070(SEED + 1, 300 * more),
             *coverage(SEED + 2, 3000 * more), *statements(SEED + 3, 600 * more)]  # fmt: skip
    return [{k: round(v, 4) if isinstance(v, float) and isfinite(v) else v for k, v in row.items()} for row in results]


def main() -> int:
    """Measures, prints, writes."""
    results = rows(full=os.environ.get("FULL") == "1")
    for row in results:
        print(json.dumps(row))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
