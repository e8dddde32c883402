"""`make bench-detection`: Vigil's default rules beside other tools' rules on the same simulated nights.

Quick by default: a few models, fixed seeds, a report and not a gate. `FULL=1` plays more than 5,000 model-nights of 20
models in each of four regimes, and at least 200 runs of each fault of the bars. What was played is kept below
.bench/detection, so that a run that was interrupted goes on, and a changed judge judges the same nights again without
drawing them anew. Results: benchmarks/results/detection.json and the table of docs/detection.md.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from detection_play import LEARNT, Drafted, Model, Watch, about, alarms
from detection_report import REGIMES, summary, table, written
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vigil.core.ids import digest as id_of
from vigil.core.words import Family
from vigil.simulation.faults import Fault, trial
from vigil.simulation.regimes import digest, load
from vigil.verdicts.types import State

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".bench" / "detection"
RESULTS = ROOT / "benchmarks" / "results" / "detection.json"
ONSET = 60
BARS = ("mean_0.25", "mix_5_points", "subgroup_8_0.5", "nulls_3_points", "mean_0.1")
out = Console(highlight=False)


@dataclass(frozen=True)
class Quiet:
    """Nights without a fault, of one model."""

    regime: str
    seed: int
    rows: int
    nights: int
    peers: bool
    drafted: bool = False


@dataclass(frozen=True)
class Runs:
    """Faults in nights of one model of the regime `real`: (trial, number that chooses the feature)."""

    seed: int
    rows: int
    faults: tuple[tuple[str, int], ...]
    peers: bool
    drafted: bool = False


def plan(*, full: bool) -> list[Quiet | Runs]:
    """What is played. Seeds from 101 on report; smaller ones, and `hard` up to 106, were looked at beforehand."""
    models, nights, per_model = (20, 106, 10) if full else (2, 80, 2)
    others = [t for t in load().trials if t not in BARS]
    jobs: list[Quiet | Runs] = []
    for n in range(models):
        seed, rows, peers = 101 + n, (2_000, 10_000)[n % 2], n < 4
        jobs += [Quiet(regime, seed, rows, nights, peers) for regime in REGIMES]
        faults = [(name, n * per_model + k) for name in BARS for k in range(per_model)]
        faults += [(name, n) for name in others] if peers else []  # the faults that no bar speaks of: fewer runs
        jobs.append(Runs(seed, 10_000, tuple(faults), peers))
    drafted: list[Quiet | Runs] = [replace(job, peers=False, drafted=True) for job in jobs]
    return sorted([*jobs, *drafted], key=lambda job: job.seed)  # all there is of a model before the next one


def play(job: Quiet | Runs, code: str) -> dict[str, Any]:
    """One job, in a process of its own; what the same code played before is not played anew."""
    path = CACHE / "played" / f"{id_of([repr(job), code])}.json"
    if not path.exists():
        played = quiet(job) if isinstance(job, Quiet) else faulty(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        draft.write_text(json.dumps(played, default=str))
        draft.replace(path)
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def code_digest() -> str:
    """Identifies the code that judges."""
    files = sorted([*(ROOT / "include").rglob("*.py"), *Path(__file__).parent.glob("detection*.py")])
    return id_of([file.read_text() for file in files])


def quiet(job: Quiet) -> dict[str, Any]:
    """Night by night: what each method said."""
    model = (Drafted if job.drafted else Model)(job.regime, job.seed, job.rows, CACHE)
    watch = Watch(model.monitor, model.baseline)
    record: dict[str, Any] = {
        "drafted": job.drafted,
        "regime": job.regime,
        "rows": job.rows,
        "seed": job.seed,
        "nights": [],
        "peers": {},
    }
    for index in range(job.nights):
        day, profile, _ = model.night(index)
        result = watch.judge(day, profile)
        if index >= LEARNT:
            record["nights"].append(_said(result))
    began = watch.results[LEARNT].night
    late = [i for i in watch.incidents if i.opened_night >= began]
    record["incidents"] = [(i.opened_night.isoformat(), int(i.severity), sorted(_ids(i))) for i in late]
    if job.peers:
        record["peers"] = peers_of_quiet(model, job)
    return record


def _said(result: Any) -> dict[str, Any]:
    night_alarms = alarms(result)
    due = [v for v in result.verdicts if v.metric != "burn"]
    return {
        "night": result.night.isoformat(), "rows": result.rows,
        "alarms": [f"{v.id} {v.state.value}" for v in night_alarms if not v.ticket],
        "tickets": [v.id for v in night_alarms if v.ticket], "due": len(due),
        "unknown": [v.id for v in due if v.state is State.UNKNOWN],
    }  # fmt: skip


def _ids(incident: Any) -> Iterator[str]:
    return (s.verdict.id for f in incident.findings for s in f.signals)


def faulty(job: Runs) -> dict[str, Any]:
    """Each fault in the same quiet nights: the night on which it was seen first, and how."""
    model = (Drafted if job.drafted else Model)("real", job.seed, job.rows, CACHE)
    watch = Watch(model.monitor, model.baseline)
    for index in range(ONSET):
        day, profile, _ = model.night(index)
        watch.judge(day, profile)
    before = pickle.dumps((watch.results, watch.streams))
    runs = []
    for name, number in job.faults:
        fault = trial(name, seed=number, onset=ONSET)
        watch.results, watch.streams = pickle.loads(before)
        runs.append({"fault": name, "feature": fault.feature, **_run(model, watch, fault, f"{name}-{number}")})
    record = {"drafted": job.drafted, "seed": job.seed, "rows": job.rows, "regime": "real", "runs": runs, "peers": []}
    if job.peers:
        record["peers"] = peers_of_faults(model, job)
    return record


def _run(model: Model, watch: Watch, fault: Fault, name: str) -> dict[str, Any]:
    """Nights are played until the fault has become a breach or a ticket, or its trial is over."""
    first_alarms: dict[str, int | None] = {"warn": None, "breach": None, "ticket": None}
    last = (fault.until or ONSET) + 1
    for index in range(ONSET, last):
        day, profile, _ = model.night(index, fault, name)
        for v in alarms(watch.judge(day, profile)):
            if concerns(v, fault):
                word = "ticket" if v.ticket else v.state.value
                first_alarms[word] = first_alarms[word] or index - ONSET + 1
                if word == "breach":
                    first_alarms["warn"] = first_alarms["warn"] or index - ONSET + 1
        if first_alarms["breach"] or (first_alarms["ticket"] and first_alarms["warn"]):
            break
    return {**first_alarms, "trial_nights": last - ONSET}


def concerns(verdict: Any, fault: Fault) -> bool:
    """Whether an alarm is about the fault: its feature; for a fault of the model, the family that it breaks."""
    if fault.feature is not None:
        return about(verdict) == fault.feature
    families = {
        "outage": (Family.SERVICE,), "latency": (Family.SERVICE,), "concept": (Family.PERFORMANCE,),
        "bad_version": (Family.PERFORMANCE, Family.DRIFT, Family.FAIRNESS),
        "label_shift": (Family.PERFORMANCE, Family.DRIFT),
    }  # fmt: skip
    return verdict.family in families[fault.kind.value]


def peers_of_quiet(model: Model, job: Quiet) -> dict[str, list[list[str]]]:
    """Method -> for each night that counts, the features it flags."""
    from detection_peers import METHODS, Peers, checked, columns

    features = load().features
    run = model.simulation(job.nights)
    tables = [columns(run.night(i).predictions, features) for i in range(job.nights)]
    peers = Peers(tables[:LEARNT], features, job.seed)
    record: dict[str, list[Any]] = {m: [] for m in METHODS}
    for rows in tables[LEARNT:]:
        for method, flagged in peers.flagged(rows).items():
            record[method].append(sorted(flagged))
    record["checked"] = list(checked(peers, tables[LEARNT : LEARNT + 1]))
    return record


def peers_of_faults(model: Model, job: Runs) -> list[dict[str, Any]]:
    """The same faults, seen by the other rules: the first night on which the feature is flagged."""
    from detection_peers import METHODS, Peers, columns

    features = load().features
    run = model.simulation(LEARNT)
    peers = Peers([columns(run.night(i).predictions, features) for i in range(LEARNT)], features, job.seed)
    records = []
    for name, number in [f for f in job.faults if f[0] in BARS][:: max(1, len(job.faults) // 20)]:
        fault = trial(name, seed=number, onset=ONSET)
        drawn = model.simulation(ONSET + 10, [fault])
        first: dict[str, int] = {}
        for index in range(ONSET, ONSET + 10):
            flagged = peers.flagged(columns(drawn.night(index).predictions, features))
            for method in METHODS:
                if fault.feature in flagged[method]:
                    first.setdefault(method, index - ONSET + 1)
        records.append({"fault": name, "first": first})
    return records


def main(
    workers: int = typer.Option(2, help="Processes."),
    keep: bool = typer.Option(True, help="Write the results and the page."),
) -> None:
    """Plays, judges, and tells."""
    full = os.environ.get("FULL", "") not in ("", "0")
    jobs = plan(full=full)
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results, code = [], code_digest()
    with ProcessPoolExecutor(workers) as pool, Progress(*bars, console=out) as progress:
        task = progress.add_task("models", total=len(jobs))
        for future in as_completed([pool.submit(play, job, code) for job in jobs]):
            results.append(future.result())
            progress.advance(task)
            if len(results) % 5 == 0:
                _tell(results, full=full, keep=False)
    _tell(results, full=full, keep=keep)


def _tell(results: Sequence[Mapping[str, Any]], *, full: bool, keep: bool) -> None:
    rows = summary(sorted(results, key=lambda t: (t["drafted"], t["seed"], t["regime"], t["rows"])))
    lines = table(rows)
    out.print("\n".join(lines), soft_wrap=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "told.json").write_text(json.dumps(results, default=str))
    if keep:
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        document = {"full": full, "regimes_digest": digest(), "machine": machine, "results": rows}
        RESULTS.write_text(json.dumps(document, indent=1) + "\n")
        written(lines)


if __name__ == "__main__":
    typer.run(main)
