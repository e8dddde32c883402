"""`make bench-field`: public data as real logs have it, through `vigil init` with the usual answers, then judged.

Quick by default: two streams, a few faults, one comparison of the four ways, nothing kept. `FULL=1` plays all of it
and writes benchmarks/results/field.json and the tables of docs/field.md. `--only PART` plays the jobs whose name has
that part ("stream", "faults", "ways", "credit_sparse"), and keeps nothing.
"""

from __future__ import annotations

import json
import os
import platform
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import Any

import typer
from field_data import CHRONIC, STREAMS
from field_faults import FAULTS, ONSETS, runs
from field_measure import measured, ways
from field_play import Failed, Home
from field_report import bars, tables, written
from field_streams import Stream
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".bench" / "field"
RESULTS, PAGE = ROOT / "benchmarks" / "results" / "field.json", ROOT / "docs" / "field.md"
WAYS = ("credit_sparse", "credit_24", "credit_apart", "credit_weekly", "calls_2008", "bikes_2012",
        "chatbot")  # fmt: skip
out = Console(highlight=False)


@dataclass(frozen=True)
class Job:
    """What one process does. nights: a stream is cut there; step: every so manieth fault is played."""

    kind: str  # "stream", "ways" or "faults"
    name: str
    condition: str = ""
    nights: int | None = None
    onsets: tuple[int, ...] = ()
    step: int = 1

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, self.name, self.condition]))


def plan(*, full: bool) -> list[Job]:
    """The longest jobs first."""
    if not full:
        faults = [Job("faults", "calls", condition, onsets=(24,), step=3) for condition in ("", "beyond")]
        return [Job("ways", "chatbot", nights=12), *faults, Job("stream", "credit_sparse", nights=32),
                Job("stream", "chatbot", nights=32)]  # fmt: skip
    faults = [Job("faults", base, condition, onsets=ONSETS) for base in CHRONIC for condition in ("", *CHRONIC[base])]
    compared = [Job("ways", name, nights=50 if name == "credit_weekly" else 20) for name in WAYS]
    return [*faults, *compared, *(Job("stream", name) for name in STREAMS)]


def cut(stream: Stream, nights: int | None) -> Stream:
    """The first nights of a stream, to the last of them that has rows."""
    if nights is None or nights >= len(stream.nights):
        return stream
    return replace(stream, rows=stream.rows[stream.rows["day"] <= stream.nights[nights - 1]])


def play(job: Job) -> dict[str, Any]:
    """One job, in a process of its own. What fails is told, and the others go on."""
    began = time.monotonic()
    try:
        with TemporaryDirectory(dir=WORK, prefix="home-") as folder:
            result = _play(job, Path(folder))
    except Failed as error:
        result = {"failed": str(error)}
    except Exception:  # noqa: BLE001 - a benchmark of an hour does not end with one of its parts
        result = {"failed": traceback.format_exc()}
    used = sum(sum(getrusage(who)[:2]) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    spent = {"seconds": round(time.monotonic() - began, 1), "cpu": round(used, 1)}
    return {"job": str(job), "kind": job.kind, "stream": job.name, **result, **spent}


def _play(job: Job, folder: Path) -> dict[str, Any]:
    if job.kind == "faults":
        return runs(job.name, job.condition, folder / "home", job.onsets, FAULTS[job.name][:: job.step])
    stream = cut(STREAMS[job.name](), job.nights)
    if job.kind == "ways":
        return ways(stream, folder)
    home = Home(folder / "home", stream).whole_log()
    home.onboarded(0)
    return measured(stream, home.rehearsed())


def main(
    workers: int = typer.Option(2, help="Processes."),
    keep: bool = typer.Option(True, help="Write the results and the page."),
    only: str = typer.Option("", help="Play the jobs whose name has this part, and keep nothing."),
) -> None:
    """Plays, measures, and tells."""
    full = os.environ.get("FULL", "") not in ("", "0")
    jobs = [job for job in plan(full=full) if only in str(job)]
    WORK.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with ProcessPoolExecutor(workers, max_tasks_per_child=1) as pool, Progress(*columns, console=out) as progress:
        task = progress.add_task("jobs", total=len(jobs))
        for future in as_completed([pool.submit(play, job) for job in jobs]):
            results.append(future.result())
            progress.advance(task)
            last = results[-1]
            line = f"{last['job']}: {last['seconds']} s ({last['cpu']} s of processor time)"
            progress.print(line, last.get("failed", "")[-300:], markup=False)
            (WORK / "told.json").write_text(json.dumps(results, indent=1, default=str))
    order = {str(job): n for n, job in enumerate(jobs)}
    results.sort(key=lambda t: order[t["job"]])
    _tell(results, full=full, keep=keep and not only, minutes=(time.monotonic() - began) / 60)


def _tell(results: Sequence[Mapping[str, Any]], *, full: bool, keep: bool, minutes: float) -> None:
    lines = tables(results)
    out.print("\n".join(lines), soft_wrap=True, markup=False)
    if keep:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "minutes": round(minutes, 1)}
        document = {"full": full, "machine": machine, "bars": bars(results), "jobs": results}
        RESULTS.write_text(json.dumps(document, indent=1, default=str) + "\n")
        written(PAGE, lines)


if __name__ == "__main__":
    typer.run(main)
