"""Hears of runs that failed, also of those whose task was killed: then no step of the run could tell.

Runs in the scheduler. It imports nothing of Vigil there: a process of its own records that the monitor was blind.
"""

import json
import logging
import os
import subprocess
import sys
from typing import Any

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)
PREFIX = "vigil_nightly__"


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Records a failed nightly run; never raises, never waits."""
    del msg
    if not dag_run.dag_id.startswith(PREFIX):
        return
    command = [sys.executable, "-m", "vigil.cli", "blind", dag_run.dag_id.removeprefix(PREFIX),
               "--reason", f"run {dag_run.run_id} failed", "--run", json.dumps(_facts(dag_run))]  # fmt: skip
    try:
        subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
    except OSError:
        log.exception("could not record that %s was blind", dag_run.dag_id)


def _facts(dag_run: Any) -> dict[str, Any]:
    """What decides which night the run was about; a run that is cleared later is not about tonight."""
    moments = {name: getattr(dag_run, name, None) for name in ("run_after", "logical_date")}
    kind = getattr(dag_run, "run_type", "scheduled")
    conf = {key: value for key, value in (dag_run.conf or {}).items() if value is not None}
    facts = {"run_type": str(getattr(kind, "value", kind)), "conf": conf}
    return {**facts, **{name: moment.isoformat() for name, moment in moments.items() if moment is not None}}
