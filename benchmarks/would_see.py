"""Whether "would have been found (80 % power)" is true of surprise verdicts: faults of just that size are played.

`python benchmarks/would_see.py` (quick) or `FULL=1`, which plays more than 500. A model's nights are quiet until night
60; there each statement of the judge is taken at its word: the same night is played with a fault that moves the
question to the place that the statement names, and the verdict on it must be a warn or worse. Models and seeds that
nothing was tuned on. Where a feature never had a null, no night tells how nulls come, and a wide spread is assumed:
those statements are told apart. Results: benchmarks/results/would_see.json.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from detection import ONSET, ROOT
from detection_play import ALARMS, Model, Watch
from detection_report import upper

from vigil.metrics.types import Measurement
from vigil.simulation.faults import Fault
from vigil.simulation.regimes import FaultKind, load
from vigil.verdicts.limits import LimitKind
from vigil.verdicts.scales import scaled, share
from vigil.verdicts.scored_nights import Asked
from vigil.verdicts.surprise import judge_surprise
from vigil.verdicts.types import NightResult

OUT = Path(__file__).parent / "results" / "would_see.json"
CACHE = ROOT / ".bench" / "would-see"
ROWS, FIRST_SEED, GROUP = 10_000, 301, "abroad"
Row = dict[str, Any]


def statements(watch: Watch, result: NightResult) -> dict[str, tuple[float, float]]:
    """Question -> (usual place, reach) of the night that was judged last, on the question's own scale."""
    from vigil.verdicts import surprise

    reaches: dict[str, tuple[float, float]] = {}
    rule = next(r for r in watch.monitor.rules.drift if r.surprise)
    questions = [
        Asked(v.measurement, rule) for v in result.verdicts if v.limited_by(LimitKind.SURPRISE) and v.measurement
    ]

    class Listening(surprise._Family):
        def outcome(self, row: int, *, again: bool) -> Any:
            reaches[self.asked[row].measurement.id] = (float(self.usual.centre[row, -1]), float(self.reach[row]))
            return super().outcome(row, again=again)

    whole, surprise._Family = surprise._Family, Listening  # type: ignore[misc]
    try:
        judge_surprise(questions, watch.results[:-1], result.night, watch.monitor.surprise)
    finally:
        surprise._Family = whole  # type: ignore[misc]
    return reaches


def trials(numeric: Sequence[str], category: Sequence[str]) -> Iterator[tuple[str, Fault]]:
    """(question, a fault that moves it): sizes are found afterwards."""
    for name in numeric:
        yield f"position_shift/{name}", Fault(kind=FaultKind.MEAN, feature=name, size=0.1, onset=ONSET)
        yield (f"group_position_shift/{name}|residence={GROUP}",
               Fault(kind=FaultKind.SUBGROUP, feature=name, group=GROUP, size=0.2, onset=ONSET))  # fmt: skip
    for name in (*numeric, *category):
        yield f"missing_shift/{name}", Fault(kind=FaultKind.NULLS, feature=name, size=0.01, onset=ONSET)


def play(seed: int) -> list[Row]:
    """Every statement of one model, taken at its word."""
    model = Model("real", seed, ROWS, CACHE)
    watch = Watch(model.monitor, model.baseline)
    for index in range(ONSET):
        watch.judge(*model.night(index)[:2])
    day, quiet, _ = model.night(ONSET)
    before = {m.id: m for m in _measured(watch.judge(day, quiet))}
    reaches = statements(watch, watch.results[-1])
    watch.results.pop()
    features = load().features
    kinds = [[n for n, kind in features.items() if kind == feature_kind] for feature_kind in ("numeric", "category")]
    rows = []
    for question, fault in trials(*kinds):
        if question in reaches:
            fitted = _sized(model, question, fault, before[question], reaches[question])
            verdicts = {v.id: v for v in _judged(model, watch, fitted).verdicts}
            verdict = verdicts[question]
            kind, _, _ = question.partition("/")
            never = kind == "missing_shift" and before[question].value == 0 and reaches[question][0] < 1e-3
            kind += ", never null before" if never else ""
            rows.append({"question": kind, "seed": seed, "size": fitted.size, "found": verdict.state in ALARMS})
    return rows


def _measured(result: NightResult) -> list[Measurement]:
    return [v.measurement for v in result.verdicts if v.measurement is not None]


def _judged(model: Model, watch: Watch, fault: Fault) -> NightResult:
    streams = {name: list(events) for name, events in watch.streams.items()}
    name = f"{fault.kind.value}-{fault.feature}-{fault.group}-{fault.size:.6f}"
    result = watch.judge(*model.night(ONSET, fault, name)[:2])
    watch.results.pop()
    watch.streams = streams
    return result


def _sized(
    model: Model, question: str, fault: Fault, quiet: Measurement, centre_and_reach: tuple[float, float]
) -> Fault:
    """The fault that moves the question by its reach: the same rows with a probe say how far a size moves it."""
    centre, reach = centre_and_reach
    if fault.kind is FaultKind.NULLS:
        from vigil.verdicts.scales import anchor

        zero = anchor(quiet)
        return fault.model_copy(update={"size": share(zero + centre + reach) - share(zero + centre)})
    from vigil.metrics.evaluate import evaluate
    from vigil.usecases.nights import view

    probe = fault.model_copy(update={"size": min(reach, 1.0)})
    _, profile, _ = model.night(ONSET, probe, f"probe-{question.replace('/', '-')}")
    edges, holdout = model.baseline
    metric, _, _ = question.partition("/")
    numbers = evaluate(profile, holdout, view(model.monitor), yardstick="", only={metric}, edges=edges)
    moved = next(m for m in numbers if m.id == question)
    was, now = scaled(quiet), scaled(moved)
    if was is None or now is None:
        raise SystemExit(f"{question} was not measured")
    return fault.model_copy(update={"size": probe.size * reach / (now.value - was.value)})


def main() -> None:
    """Plays, prints, and writes."""
    models = 17 if os.environ.get("FULL", "") not in ("", "0") else 1
    hits_by_question: dict[str, list[bool]] = defaultdict(list)
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        for rows in pool.map(play, range(FIRST_SEED, FIRST_SEED + models)):
            for row in rows:
                hits_by_question[row["question"]].append(row["found"])
                if "never" not in row["question"]:
                    hits_by_question["all"].append(row["found"])
    results = [
        {"question": name, "runs": len(hits), "found": sum(hits) / len(hits), "upper95": upper(sum(hits), len(hits)),
         "bar": [0.75, 0.85], "holds": 0.75 <= sum(hits) / len(hits) <= 0.85}
        for name, hits in hits_by_question.items()
    ]  # fmt: skip
    for row in results:
        sys.stdout.write(
            f"{row['question']:<34} {row['runs']:>5} runs  found {row['found']:.1%}  (at most {row['upper95']:.1%})\n"
        )
    OUT.write_text(json.dumps({"models": models, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
