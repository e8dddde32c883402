"""Hears of runs that failed, also of those whose task was killed: then no step of the run could tell.

Runs in the scheduler. It imports nothing of Vigil there: a process of its own records that the monitor was blind.
"""

import logging
import os
import subprocess
import sys
from datetime import timedelta

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)
PREFIX = "vigil_nightly__"


@hookimpl
def on_dag_run_failed(dag_run, msg):
    """Records a failed nightly run; never raises, never waits."""
    del msg
    if not dag_run.dag_id.startswith(PREFIX):
        return
    command = [sys.executable, "-m", "vigil.cli", "blind", dag_run.dag_id.removeprefix(PREFIX),
               "--reason", f"run {dag_run.run_id} failed"]  # fmt: skip
    night = _night(dag_run)
    if night:
        command += ["--night", night]
    try:
        subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
    except OSError:
        log.exception("could not record that %s was blind", dag_run.dag_id)


def _night(dag_run):
    """The night that the run was about, as its first task reckons; a run that is cleared later is not about tonight."""
    asked = (dag_run.conf or {}).get("as_of")
    if asked:
        return str(asked)
    after, dag = getattr(dag_run, "run_after", None), getattr(dag_run, "dag", None)
    if after is None or dag is None:
        return None  # the monitor's yesterday, then
    return (after.astimezone(dag.timezone).date() - timedelta(days=1)).isoformat()
