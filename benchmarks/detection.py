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
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import typer
from detection_play import Model, Watch, about, alarms
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vigil.core.words import Family
from vigil.incidents.types import Severity
from vigil.simulation.faults import Fault, trial
from vigil.simulation.regimes import digest, load
from vigil.verdicts.types import State

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".bench" / "detection"
RESULTS, PAGE = ROOT / "benchmarks" / "results" / "detection.json", ROOT / "docs" / "detection.md"
VIGIL = "Vigil, all default rules"
LEARNT = 42  # nights before the first one that counts
ONSET = 60
REGIMES = ("iid", "real", "common", "hard")
BARS = ("mean_0.25", "mix_5_points", "subgroup_8_0.5", "nulls_3_points", "mean_0.1")
YEAR = 365.25
out = Console(highlight=False)


@dataclass(frozen=True)
class Quiet:
    """Nights without a fault, of one model."""

    regime: str
    seed: int
    rows: int
    nights: int
    peers: bool


@dataclass(frozen=True)
class Runs:
    """Faults in nights of one model of the regime `real`: (trial, number that chooses the feature)."""

    seed: int
    rows: int
    faults: tuple[tuple[str, int], ...]
    peers: bool


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
    return jobs


def play(job: Quiet | Runs) -> dict[str, Any]:
    """One job, in a process of its own."""
    return quiet(job) if isinstance(job, Quiet) else faulty(job)


def quiet(job: Quiet) -> dict[str, Any]:
    """Night by night: what each method said."""
    model = Model(job.regime, job.seed, job.rows, CACHE)
    watch = Watch(model.monitor, model.baseline)
    told: dict[str, Any] = {"regime": job.regime, "rows": job.rows, "seed": job.seed, "nights": [], "peers": {}}
    for index in range(job.nights):
        day, made, _ = model.night(index)
        result = watch.judge(day, made)
        if index >= LEARNT:
            told["nights"].append(_said(result))
    began = watch.results[LEARNT].night
    late = [i for i in watch.incidents if i.opened_night >= began]
    told["incidents"] = [(i.opened_night.isoformat(), int(i.severity), sorted(_ids(i))) for i in late]
    if job.peers:
        told["peers"] = peers_of_quiet(model, job)
    return told


def _said(result: Any) -> dict[str, Any]:
    found = alarms(result)
    due = [v for v in result.verdicts if v.metric != "burn"]
    return {
        "night": result.night.isoformat(), "rows": result.rows,
        "alarms": [f"{v.id} {v.state.value}" for v in found if not v.ticket],
        "tickets": [v.id for v in found if v.ticket], "due": len(due),
        "unknown": [v.id for v in due if v.state is State.UNKNOWN],
    }  # fmt: skip


def _ids(incident: Any) -> Iterator[str]:
    return (s.verdict.id for f in incident.findings for s in f.signals)


def faulty(job: Runs) -> dict[str, Any]:
    """Each fault in the same quiet nights: the night on which it was seen first, and how."""
    model = Model("real", job.seed, job.rows, CACHE)
    watch = Watch(model.monitor, model.baseline)
    for index in range(ONSET):
        day, made, _ = model.night(index)
        watch.judge(day, made)
    before = pickle.dumps((watch.results, watch.streams))
    runs = []
    for name, number in job.faults:
        fault = trial(name, seed=number, onset=ONSET)
        watch.results, watch.streams = pickle.loads(before)
        runs.append({"fault": name, "feature": fault.feature, **_run(model, watch, fault, f"{name}-{number}")})
    told = {"seed": job.seed, "rows": job.rows, "regime": "real", "runs": runs, "peers": []}
    if job.peers:
        told["peers"] = peers_of_faults(model, job)
    return told


def _run(model: Model, watch: Watch, fault: Fault, name: str) -> dict[str, Any]:
    """Nights are played until the fault has become a breach or a ticket, or its trial is over."""
    seen: dict[str, int | None] = {"warn": None, "breach": None, "ticket": None}
    last = (fault.until or ONSET) + 1
    for index in range(ONSET, last):
        day, made, _ = model.night(index, fault, name)
        for v in alarms(watch.judge(day, made)):
            if concerns(v, fault):
                word = "ticket" if v.ticket else v.state.value
                seen[word] = seen[word] or index - ONSET + 1
                if word == "breach":
                    seen["warn"] = seen["warn"] or index - ONSET + 1
        if seen["breach"] or (seen["ticket"] and seen["warn"]):
            break
    return {**seen, "trial_nights": last - ONSET}


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
    told: dict[str, list[Any]] = {m: [] for m in METHODS}
    for table in tables[LEARNT:]:
        for method, flagged in peers.flagged(table).items():
            told[method].append(sorted(flagged))
    told["checked"] = list(checked(peers, tables[LEARNT : LEARNT + 1]))
    return told


def peers_of_faults(model: Model, job: Runs) -> list[dict[str, Any]]:
    """The same faults, seen by the other rules: the first night on which the feature is flagged."""
    from detection_peers import METHODS, Peers, columns

    features = load().features
    run = model.simulation(LEARNT)
    peers = Peers([columns(run.night(i).predictions, features) for i in range(LEARNT)], features, job.seed)
    told = []
    for name, number in [f for f in job.faults if f[0] in BARS][:: max(1, len(job.faults) // 20)]:
        fault = trial(name, seed=number, onset=ONSET)
        drawn = model.simulation(ONSET + 10, [fault])
        first: dict[str, int] = {}
        for index in range(ONSET, ONSET + 10):
            flagged = peers.flagged(columns(drawn.night(index).predictions, features))
            for method in METHODS:
                if fault.feature in flagged[method]:
                    first.setdefault(method, index - ONSET + 1)
        told.append({"fault": name, "first": first})
    return told


def upper(bad: int, of: int) -> float:
    """Upper 95 % limit of a share (exact, one-sided 97.5 %)."""
    from scipy.stats import beta

    return 1.0 if bad >= of else float(beta.ppf(0.975, bad + 1, of - bad))


def upper_rate(count: int, years: float) -> float:
    """Upper 95 % limit of a rate a year."""
    from scipy.stats import chi2

    return float(chi2.ppf(0.975, 2 * (count + 1)) / 2 / years) if years else float("inf")


def summary(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of detection.json: by method, regime and rows a night."""
    calm = [t for t in told if "nights" in t]
    runs = [t for t in told if "runs" in t]
    rows = []
    for regime in REGIMES:
        for size in (*sorted({t["rows"] for t in calm if t["regime"] == regime}), None):
            mine = [t for t in calm if t["regime"] == regime and size in (None, t["rows"])]
            if mine:
                row = _vigil_quiet(mine, regime, size)
                if regime == "real" and size == 10_000:
                    row["detection"] = _detection([r for t in runs for r in t["runs"]])
                rows.append(row)
        rows += _peers(regime, [t for t in calm if t["regime"] == regime and t["peers"]], runs)
    return rows


def _vigil_quiet(mine: Sequence[Mapping[str, Any]], regime: str, size: int | None) -> dict[str, Any]:
    nights = [n for t in mine for n in t["nights"]]
    loud = sum(bool(n["alarms"] or n["tickets"]) for n in nights)
    years = len(nights) / YEAR
    incidents = [i for t in mine for i in t["incidents"]]
    tickets = sum(i[1] == Severity.SEV4 for i in incidents)
    due, unknown = sum(n["due"] for n in nights), sum(len(n["unknown"]) for n in nights)
    return {
        "method": VIGIL, "regime": regime, "rows": size or "all", "models": len(mine), "model_nights": len(nights),
        "quiet_alarm_share": loud / len(nights), "quiet_alarm_upper95": upper(loud, len(nights)),
        "unknown_share": unknown / due, "incidents_per_year": (len(incidents) - tickets) / years,
        "incidents_upper95": upper_rate(len(incidents) - tickets, years), "tickets_per_year": tickets / years,
        "any_incident_per_year": len(incidents) / years,
        "alarms_of": dict(sorted(_count(a.split("/")[0] for n in nights for a in n["alarms"]).items())),
    }  # fmt: skip


def _count(names: Iterator[str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name in names:
        found[name] += 1
    return found


def _detection(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in dict.fromkeys(r["fault"] for r in runs):
        mine = [r for r in runs if r["fault"] == name]
        first = [min((r[w] for w in ("warn", "ticket") if r[w]), default=None) for r in mine]
        seen = [f for f in first if f is not None]
        found[name] = {
            "runs": len(mine),
            "share_night1": sum(f == 1 for f in first) / len(mine),
            "share_by_night3": sum(f is not None and f <= 3 for f in first) / len(mine),
            "share_by_night10": sum(f is not None and f <= 10 for f in first) / len(mine),
            "breach_by_night3": sum(bool(r["breach"]) and r["breach"] <= 3 for r in mine) / len(mine),
            "median_nights": median(seen) if seen else None,
            "trial_nights": mine[0]["trial_nights"],
            "missed": sorted({r["feature"] or "" for r, f in zip(mine, first, strict=True) if f is None}),
            "night1_by_feature": _by_feature([r["feature"] or "all" for r in mine], [f == 1 for f in first]),
        }
    return found


def _by_feature(features: Sequence[str], hits: Sequence[bool]) -> dict[str, str]:
    """Feature -> "found of runs", of those where not every run found it on the first night."""
    told = {name: [h for f, h in zip(features, hits, strict=True) if f == name] for name in dict.fromkeys(features)}
    return {name: f"{sum(of)} of {len(of)}" for name, of in told.items() if not all(of)}


def _peers(regime: str, calm: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not calm:
        return []
    rows = []
    for method in [m for m in calm[0]["peers"] if m != "checked"]:
        nights = [flags for t in calm for flags in t["peers"][method]]
        loud = sum(bool(f) for f in nights)
        row: dict[str, Any] = {
            "method": method, "regime": regime, "rows": "all", "models": len(calm), "model_nights": len(nights),
            "quiet_alarm_share": loud / len(nights), "quiet_alarm_upper95": upper(loud, len(nights)),
            "unknown_share": 0.0, "incidents_per_year": None, "tickets_per_year": None,
        }  # fmt: skip
        if regime == "real":
            row["detection"] = _peer_detection(method, [r for t in runs for r in t["peers"]])
        if method == "Evidently default":
            same = [s for t in calm for s in t["peers"]["checked"]]
            row["checked_against_the_package"] = f"{sum(same)} of {len(same)} column verdicts equal"
        rows.append(row)
    return rows


def _peer_detection(method: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = {}
    for name in dict.fromkeys(r["fault"] for r in runs):
        first = [r["first"].get(method) for r in runs if r["fault"] == name]
        seen = [f for f in first if f is not None]
        found[name] = {
            "runs": len(first), "share_night1": sum(f == 1 for f in first) / len(first),
            "share_by_night3": sum(f is not None and f <= 3 for f in first) / len(first),
            "share_by_night10": len(seen) / len(first), "median_nights": median(seen) if seen else None,
        }  # fmt: skip
    return found


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Two tables in Markdown: quiet nights, and faults."""
    lines = _head("method", "regime", "rows a night", "model-nights", "quiet nights with an alarm", "incidents a year",
                  "tickets a year", "unknown")  # fmt: skip
    for r in rows:
        alarm = f"{r['quiet_alarm_share']:.1%} (at most {r['quiet_alarm_upper95']:.1%})"
        rates = [f"{r[k]:.2g}" if r[k] is not None else "" for k in ("incidents_per_year", "tickets_per_year")]
        unknown = f"{r['unknown_share']:.2%}" if r["method"] == VIGIL else ""
        lines.append(_line(r["method"], r["regime"], r["rows"], f"{r['model_nights']:,}", alarm, *rates, unknown))
    lines += ["", *_head("fault, 10,000 rows, `real`", "method", "runs", "night 1", "by night 3", "breach by night 3",
                         "by night 10", "median")]  # fmt: skip
    told = [(name, r["method"], d) for r in rows for name, d in r.get("detection", {}).items()]
    for name, method, d in sorted(told, key=lambda t: (list(load().trials).index(t[0]), t[1] != VIGIL)):
        breach = f"{d['breach_by_night3']:.0%}" if "breach_by_night3" in d else ""
        night = f"{d['median_nights']:g}" if d["median_nights"] else "never"
        shares = [f"{d[k]:.1%}" for k in ("share_night1", "share_by_night3", "share_by_night10")]
        lines.append(_line(name, method, d["runs"], *shares[:2], breach, shares[2], night))
    return lines


def _head(*names: str) -> list[str]:
    return [_line(*names), _line(*("---" for _ in names))]


def _line(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def written(lines: Sequence[str]) -> None:
    """Puts the tables between the marks of the page."""
    begin, end = "<!-- results -->", "<!-- /results -->"
    page = PAGE.read_text()
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text("\n".join([head + begin, *lines, end]) + tail)


def main(
    workers: int = typer.Option(2, help="Processes."),
    keep: bool = typer.Option(True, help="Write the results and the page."),
) -> None:
    """Plays, judges, and tells."""
    full = os.environ.get("FULL", "") not in ("", "0")
    jobs = plan(full=full)
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    told = []
    with ProcessPoolExecutor(workers) as pool, Progress(*bars, console=out) as shown:
        task = shown.add_task("models", total=len(jobs))
        for done in as_completed([pool.submit(play, job) for job in jobs]):
            told.append(done.result())
            shown.advance(task)
            if len(told) % 5 == 0:
                _tell(told, full=full, keep=False)
    _tell(told, full=full, keep=keep)


def _tell(told: Sequence[Mapping[str, Any]], *, full: bool, keep: bool) -> None:
    rows = summary(sorted(told, key=lambda t: (t["seed"], t["regime"], t["rows"])))
    lines = table(rows)
    out.print("\n".join(lines), soft_wrap=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "told.json").write_text(json.dumps(told, default=str))
    if keep:
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        kept = {"full": full, "regimes_digest": digest(), "machine": machine, "results": rows}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        written(lines)


if __name__ == "__main__":
    typer.run(main)
