"""What Airflow adds to a monitor's night: `python benchmarks/airflow_night.py FOLDER`, part of `make bench`.

A real Airflow on this machine (the demo's, with its preloading scheduler) runs quiet nights of iris through
`vigil_nightly`, and between them a DAG made of the very same file whose tasks do nothing. Of a night, what its task
functions take is measured inside them; the rest of the run is Airflow: starting processes, parsing, hand-over. A run of
the DAG that does nothing is the same rest alone. Prints one line of JSON. Everything it starts is ended again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from demo.places import HOME, settle
from demo.stack import AIRFLOW, Stack

if TYPE_CHECKING:
    from demo.story import Story

NIGHTS = 3  # quiet ones, each after a run of the DAG that does nothing
NOOP = "noop__iris"
HISTORY = 8  # nights before them
CHAIN = ("open_night", "judge", "report", "correlate")  # one after the other; then the longer of the two last ones
LAST = ("plan", "account")
TIMED = '''"""`task` of the measured DAGs: one with a clock around each function, the other with nothing inside."""

import functools
import json
import os
import time

from airflow.sdk import task as real
from airflow.sdk.exceptions import AirflowSkipException

ANSWERS = {"open_night": "2026-01-01", "judge": {"changed": []}, "report": None, "correlate": None, "account": ""}


def _made(wrap):
    def task(function=None, **how):
        if function is None:
            return lambda later: task(later, **how)
        return (real(**how) if how else real)(wrap(function))
    return task


def _clocked(function):
    @functools.wraps(function)
    def run(*given, **named):
        start = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            with open(os.environ["VIGIL_BENCH_CLOCK"], "a", encoding="utf-8") as clock:
                clock.write(json.dumps({"task": function.__name__, "seconds": time.perf_counter() - start}) + "\\n")
    return run


def _empty(function):
    @functools.wraps(function)
    def run(*given, **named):
        if function.__name__ not in ANSWERS:
            raise AirflowSkipException("nothing to do")
        return ANSWERS[function.__name__]
    return run


clocked, empty = _made(_clocked), _made(_empty)
'''


def measured(folder: Path) -> dict[str, Any]:
    """Both DAGs, run in turns; seconds of each run, and of the night's own functions."""
    stack = Stack(settle(folder))
    stack.prepare()
    clock = folder / "clock.jsonl"
    stack.env |= {"AIRFLOW__CORE__DAGS_FOLDER": str(_dags(folder)), "VIGIL_BENCH_CLOCK": str(clock)}
    os.environ.update({k: v for k, v in stack.env.items() if k.startswith(("VIGIL", "NO_PROXY", "MLFLOW", "GX"))})
    try:
        story = _prepared(stack)
        runs = [_pair(story, back, clock) for back in range(NIGHTS, 0, -1)]
    finally:
        stack.stop()
    medians = {name: median(run[name] for run in runs) for name in runs[0]}
    return {**medians, "runs": runs}


def _dags(folder: Path) -> Path:
    """The DAGs of the checkout, the night's with a clock, and beside it the one that does nothing."""
    to = folder / "dags"
    to.mkdir(parents=True, exist_ok=True)
    for path in (HOME / "dags").iterdir():
        if path.name != "vigil_nightly.py":
            (to / path.name).symlink_to(path)
    (to / "vigil_bench_task.py").write_text(TIMED)
    night = (HOME / "dags" / "vigil_nightly.py").read_text()
    imported = "Param, TaskGroup, TriggerRule, task\n"
    if imported not in night:
        raise SystemExit("dags/vigil_nightly.py imports `task` in another way: tell benchmarks/airflow_night.py")
    for name, kind in (("vigil_nightly.py", "clocked"), ("noop_nightly.py", "empty")):
        text = night.replace(imported, f"Param, TaskGroup, TriggerRule\nfrom vigil_bench_task import {kind} as task\n")
        if kind == "empty":
            text = text.replace("dag_id=monitor.dag_id", 'dag_id=f"noop__{monitor.model}"')
            text = text.replace("globals()[each.dag_id] = nightly", 'globals()[f"noop_{each.model}"] = nightly')
        (to / name).write_text(text)
    return to


def _prepared(stack: Stack) -> Story:
    """The servers, a promoted iris model with judged history, and the nights to come in the log."""
    from demo import story as told
    from demo.__main__ import _finished
    from demo.traffic import history, truth

    migrating = stack.migrate()
    stack.start("mlflow", "slack")
    stack.wait("mlflow")
    story = told.Story(stack, lambda _: None)
    story.train()
    _finished(migrating, stack)
    stack.start("gateway", *AIRFLOW)
    nights = [story.night(n) for n in range(HISTORY + NIGHTS, 0, -1)]
    history(story.iris, story._loaded("iris"), story.facts["iris"]["second"], nights, seed=told.SEED)
    truth(story.iris, nights, days=1, seed=told.SEED, part=slice(None, None), name="truth")
    story._backfill("iris", nights[0], nights[HISTORY - 1])
    stack.wait("airflow", seconds=240)
    until = time.monotonic() + 180
    while not {"vigil_nightly__iris", NOOP} <= set(story.airflow.dags()):
        if time.monotonic() > until:
            raise SystemExit(f"Airflow does not know the DAGs: {story.airflow.import_errors()}")
        time.sleep(0.5)
    return story


def _pair(story: Story, back: int, clock: Path) -> dict[str, float]:
    """One run of each DAG."""
    night = story.night(back)
    empty = _run(story, NOOP, f"bench__{night}", {"as_of": night.isoformat()})
    clock.unlink(missing_ok=True)
    whole = _run(story, "vigil_nightly__iris", f"bench__{night}", {"as_of": night.isoformat()})
    took = {e["task"]: e["seconds"] for e in map(json.loads, clock.read_text().splitlines())}
    compute = sum(took[name] for name in CHAIN) + max(took[name] for name in LAST)
    return {"night_s": whole, "compute_s": compute, "airflow_s": whole - compute, "noop_s": empty}


def _run(story: Story, dag: str, run_id: str, conf: dict[str, str]) -> float:
    """Seconds of one run, from its start to its end as Airflow noted them."""
    story.airflow.trigger(dag, run_id, conf)
    state = story.airflow.wait(dag, run_id, seconds=300)
    if state != "success":
        raise SystemExit(f"{dag} {run_id}: {state}\n" + "\n".join(story.airflow.failed_tasks(dag, run_id)))
    dag_run = story.airflow.get(f"/dags/{dag}/dagRuns/{run_id}")
    start, end = (datetime.fromisoformat(dag_run[name]) for name in ("start_date", "end_date"))
    return (end - start).total_seconds()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(measured(Path(sys.argv[1]).resolve())) + "\n")
