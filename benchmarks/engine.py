"""`make bench`: the engine beside its peers, on the same Parquet file, each piece of work in a fresh process.

Whole process: interpreter, imports, loading, work. Peak memory is that of the process. Peers live in environments of
their own below .bench/, which are built here; modules of both sides are compiled beforehand. Runs of both sides
alternate, so that what else the machine does hits both; medians count. Results: benchmarks/results/engine.json, and the
table of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
RESULTS, PAGE = HERE / "results" / "engine.json", ROOT / "docs" / "benchmarks.md"
PEERS = ROOT / ".bench"
AIRFLOW_NIGHT, NOOP = "a monitor's night in a real Airflow", "no-op DAG of the same shape, preload on"
PINS = {
    "whylogs": ["whylogs==1.6.4", "pandas<3", "numpy<2", "pyarrow<18", "setuptools<81"],
    "nannyml": ["nannyml==0.13.1", "pandas<3", "pyarrow", "statsmodels", "setuptools<81"],
}
out = Console(highlight=False)


@dataclass(frozen=True)
class Side:
    """One way to do a piece of work: a function of engine_work.py, in an environment."""

    name: str  # as people know it
    work: str  # function in engine_work.py
    python: str = "main"  # which environment
    runs: int | None = None  # fewer, where one takes minutes


@dataclass(frozen=True)
class Case:
    """A piece of work, done by Vigil and by a peer on the same data. bar: times as fast, or at most for `limit`."""

    work: str
    data: str
    vigil: Side
    peer: Side
    bar: float | None = None
    memory: float | None = None  # at most this part of the peer's memory
    at_most: float | None = None  # Vigil takes at most this many times the peer's time (a floor)


def cases() -> list[Case]:
    """All of them."""
    evidently = Side("Evidently DataDriftPreset", "evidently_drift")
    return [
        Case("full profile, all metrics, 1M x 20, whole process", "wide20", Side("Vigil", "vigil_full"), evidently,
             bar=40, memory=0.25),
        Case("the same drift work, 1M x 20, without import and load", "wide20", Side("Vigil", "vigil_drift_warm"),
             Side("Evidently, warm", "evidently_drift_warm", runs=1), bar=100),
        Case("full profile, 1M x 20, whole process", "wide20", Side("Vigil", "vigil_full"),
             Side("whylogs", "whylogs_profile", "whylogs"), bar=8),
        Case("full profile, 1M x 20, whole process", "wide20", Side("Vigil", "vigil_full"),
             Side("NannyML", "nannyml_drift", "nannyml"), bar=5),
        Case("200k x 200, whole process", "wide200", Side("Vigil", "vigil_plain"),
             Side("Evidently DataDriftPreset", "evidently_drift", runs=1), bar=100),
        Case("200k x 200, whole process", "wide200", Side("Vigil", "vigil_plain"),
             Side("NannyML", "nannyml_drift", "nannyml", runs=1), bar=3),
        Case("profile without labels and groups against reading and summing, 1M x 20", "wide20",
             Side("Vigil", "vigil_scan_plain"), Side("DuckDB sum()", "duckdb_floor_plain"), at_most=3.5),
        Case("profile with everything against reading and summing, 1M x 20", "wide20",
             Side("Vigil", "vigil_scan_full"), Side("DuckDB sum()", "duckdb_floor_full"), at_most=6),
        Case("10M x 20 in 40 files against ten times 1M x 20 in 4", "many", Side("Vigil, 10M", "vigil_scan_many"),
             Side("Vigil, 1M, times ten", "vigil_scan_few"), at_most=1.15),
        Case("28-night window from stored profiles of 1M rows each", "wide20", Side("Vigil", "vigil_window"),
             Side("the same of 1,000 rows each", "vigil_window_small"), at_most=1.5),
        Case("fairness with intervals, 1M rows, 2 attributes, rows in memory", "fair", Side("Vigil", "vigil_fairness"),
             Side("Fairlearn MetricFrame, no intervals", "fairlearn_plain"), bar=50),
        Case("fairness with intervals, 1M rows, 2 attributes, rows in memory", "fair", Side("Vigil", "vigil_fairness"),
             Side("Fairlearn MetricFrame, n_boot=10", "fairlearn_boot", runs=1), bar=50),
        Case("suite of 50 expectations, 1M x 20, whole process", "wide20", Side("Vigil, compiled", "vigil_suite"),
             Side("Great Expectations on pandas", "gx_suite"), bar=8),
    ]  # fmt: skip


def airflow_night(folder: Path) -> dict[str, Any]:
    """The row of a night in a real Airflow beside a DAG of the same shape that does nothing."""
    out.print("a monitor's night in Airflow (its servers are started and ended here) ...")
    command = [sys.executable, str(HERE / "airflow_night.py"), str(folder)]
    process = subprocess.run(command, env=_env(), capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"a night in Airflow: {process.stdout[-500:]} {process.stderr[-3000:]}")
    timings = json.loads(process.stdout.splitlines()[-1])
    ratio = timings["noop_s"] / timings["airflow_s"]
    note = f"the whole run took {timings['night_s']:.1f} s, its functions {timings['compute_s']:.1f} s; "
    note += f"{len(timings['runs'])} runs"
    return {
        "work": AIRFLOW_NIGHT, "vigil": "Vigil, wall time minus compute", "vigil_s": round(timings["airflow_s"], 2),
        "vigil_mb": 0, "peer": NOOP, "peer_s": round(timings["noop_s"], 2), "peer_mb": 0,
        "load": round(os.getloadavg()[0], 1), "ratio": round(ratio, 2), "bar": "at most 2 x its time",
        "holds": 1 / ratio <= 2, "gave_up": False, "notes": [note],
    }  # fmt: skip


def main(
    runs: Annotated[int, typer.Option(help="Of each side; the median counts.")] = 3,
    quick: Annotated[bool, typer.Option(help="A tenth of the rows, one run, results are not kept.")] = False,
    only: Annotated[str, typer.Option(help="Only pieces of work whose name has this.")] = "",
    limit: Annotated[int, typer.Option(help="Seconds after which a run is given up.")] = 600,
    peers: Annotated[bool, typer.Option(help="Build and run the peers that need an environment.")] = True,
) -> None:
    """Measures, prints a table, and writes the results."""
    scale = 0.05 if quick else 1.0
    case_list = [c for c in cases() if only in c.work and (peers or c.peer.python == "main")]
    pythons = _environments({c.peer.python for c in case_list})
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        data = _data(Path(folder), sorted({c.data for c in case_list}), scale)
        rows = list(_measured(case_list, data, pythons, 1 if quick else runs, limit))
        if only in AIRFLOW_NIGHT and not quick:
            rows.append(airflow_night(Path(folder) / "airflow"))
    _show(rows)
    if not quick:
        _keep(rows)


def _environments(names: set[str]) -> dict[str, str]:
    """Python of each environment; those that are not there are built."""
    pythons = {"main": sys.executable}
    for name in sorted(names - {"main"}):
        python = PEERS / name / "bin" / "python"
        if not python.exists():
            out.print(f"building .bench/{name} ...")
            uv = [str(Path(sys.executable).with_name("uv"))]
            subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(PEERS / name)], check=True)
            subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *PINS[name]], check=True)
        pythons[name] = str(python)
    for compiler in pythons.values():  # as installers do: else whoever imports most would be measured as a compiler
        out.print(f"compiling what {compiler} imports ...")
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = subprocess.run([compiler, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
        compiled = [compiler, "-m", "compileall", "-qq", "-j", "0", site, str(ROOT / "include")]
        subprocess.run(compiled, check=False, env=_env(), stdout=subprocess.DEVNULL)
    return pythons


def _data(folder: Path, names: Sequence[str], scale: float) -> dict[str, Path]:
    out.print(f"making data: {', '.join(names)}")
    for name in names:
        command = [sys.executable, str(HERE / "engine_data.py"), name, str(folder / name), str(scale)]
        subprocess.run(command, check=True, env=_env())
        prepare = [sys.executable, str(HERE / "engine_work.py"), "prepare", str(folder / name)]
        subprocess.run(prepare, check=True, env=_env(), stdout=subprocess.DEVNULL)
    return {name: folder / name for name in names}


def _env() -> dict[str, str]:
    quiet = {"DO_NOT_TRACK": "true", "WHYLOGS_NO_ANALYTICS": "True", "NML_DISABLE_USAGE_LOGGING": "1",
             "GX_ANALYTICS_ENABLED": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}  # fmt: skip
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**variables, **quiet, "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "PYTHONWARNINGS": "ignore"}


def _measured(
    case_list: Sequence[Case], data: Mapping[str, Path], pythons: Mapping[str, str], runs: int, limit: int
) -> Iterator[dict[str, Any]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task("", total=len(case_list))
        for case in case_list:
            progress.update(bar, description=f"{case.work[:48]} / {case.peer.name}")
            try:
                yield _case(case, data[case.data], pythons, runs, limit)
            except RuntimeError as error:  # a peer that does not run takes no other row down
                out.print(f"[bold]not measured[/]: {case.work} / {case.peer.name}\n{error}", markup=False)
            progress.advance(bar)


def _case(case: Case, data: Path, pythons: Mapping[str, str], runs: int, limit: int) -> dict[str, Any]:
    mine: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    for n in range(runs):
        for side, side_runs in ((case.vigil, mine), (case.peer, theirs)):
            if n < (side.runs or runs):
                side_runs.append(run(side, data, pythons[side.python], limit))
    (vigil_s, vigil_cpu, vigil_mb), (peer_s, peer_cpu, peer_mb) = (
        tuple(median(r[key] for r in side_runs) for key in ("seconds", "cpu", "mb")) for side_runs in (mine, theirs)
    )
    gave_up, notes = any(r["gave_up"] for r in theirs), sorted({r["note"] for r in (*mine, *theirs) if r["note"]})
    ratio = peer_s / vigil_s
    return {
        "work": case.work, "vigil": case.vigil.name, "vigil_s": round(vigil_s, 4), "vigil_mb": round(vigil_mb),
        "peer": case.peer.name, "peer_s": round(peer_s, 4), "peer_mb": round(peer_mb),
        "vigil_cpu_s": round(vigil_cpu, 4), "peer_cpu_s": round(peer_cpu, 4), "load": round(os.getloadavg()[0], 1),
        "ratio": round(ratio, 2), "bar": _bar(case), "holds": _holds(case, ratio, vigil_mb, peer_mb),
        "gave_up": gave_up, "notes": notes,
    }  # fmt: skip


def _bar(case: Case) -> str:
    if case.at_most is not None:
        return f"at most {case.at_most:g} x its time"
    memory = f", {case.memory:g} of its memory" if case.memory else ""
    return f"{case.bar:g} x as fast{memory}"


def _holds(case: Case, ratio: float, mine: float, theirs: float) -> bool:
    if case.at_most is not None:
        return 1 / ratio <= case.at_most
    return ratio >= (case.bar or 0) and (case.memory is None or mine <= case.memory * theirs)


def run(side: Side, data: Path, python: str, limit: int) -> dict[str, Any]:
    """One run in a fresh process: its seconds (the whole process, or what the work itself says) and peak memory."""
    command = [python, str(HERE / "engine_work.py"), side.work, str(data)]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, complaints = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return {
            "seconds": float(limit),
            "cpu": 0.0,
            "mb": 0.0,
            "gave_up": True,
            "note": f"{side.name} was given up after {limit} s",
        }
    whole = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{side.name}: {complaints[-3000:]}")
    answer = json.loads(output.splitlines()[-1])
    own = answer.get("seconds")
    return {
        "seconds": own or whole,
        "cpu": answer["cpu"],
        "mb": answer["mb"],
        "gave_up": False,
        "note": answer.get("note", ""),
    }


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table("work", "Vigil", "peer", "", "ratio", "bar", "holds")
    for r in rows:
        mine, theirs = (f"{r[k + '_s']:,.3g} s, {r[k + '_mb']:,} MB" for k in ("vigil", "peer"))
        holds = "yes" if r["holds"] else "[bold]no[/]"
        table.add_row(r["work"], mine, r["peer"], theirs, f"{r['ratio']:,.3g}", r["bar"], holds)
    out.print(table)


def _keep(rows: Sequence[Mapping[str, Any]]) -> None:
    """Results of earlier runs stay where a piece of work was not measured now."""
    machine = {"cores": psutil.cpu_count(), "memory_gb": round(psutil.virtual_memory().total / 2**30),
               "python": platform.python_version(), "processor": platform.machine()}  # fmt: skip
    before = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else []
    new = {(r["work"], r["peer"]): dict(r) for r in rows}
    results_by_case = {(r["work"], r["peer"]): r for r in before} | new
    order = [*((c.work, c.peer.name) for c in cases()), (AIRFLOW_NIGHT, NOOP)]
    results = [results_by_case[key] for key in order if key in results_by_case]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    PAGE.write_text(page(PAGE.read_text(), results))


def _took(row: Mapping[str, Any], who: str) -> str:
    memory = f", {row[f'{who}_mb']:,} MB" if row[f"{who}_mb"] else ""
    return f"{row[f'{who}_s']:,.3g} s{memory}"


def _of_processor(row: Mapping[str, Any]) -> str:
    """The same ratio of the seconds that processors worked: what else runs on the machine hardly changes it."""
    mine, theirs = row.get("vigil_cpu_s"), row.get("peer_cpu_s")
    return f"{theirs / mine:,.3g}" if mine and theirs else ""


def page(text: str, results: Sequence[Mapping[str, Any]]) -> str:
    """The page with its table written anew, between its two marks."""
    start, end = "<!-- results -->", "<!-- /results -->"
    lines = [
        "| work | Vigil | peer | | ratio | of processor time | bar | holds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in results:
        cells = (
            r["work"], _took(r, "vigil"), r["peer"], f"{'more than ' if r['gave_up'] else ''}{_took(r, 'peer')}",
            f"{'> ' if r['gave_up'] else ''}{r['ratio']:,.3g}", _of_processor(r), r["bar"],
            "yes" if r["holds"] else "**no**",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    before, after = text.partition(start)[0], text.partition(end)[2]
    return before + start + "\n" + "\n".join(lines) + "\n" + end + after


if __name__ == "__main__":
    typer.run(main)
