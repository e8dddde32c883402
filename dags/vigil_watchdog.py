"""Silence is not green: every hour, is any monitor overdue, paused, missing or broken?"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronTriggerTimetable, task

from vigil.settings import Settings
from vigil_shell.responding import again, request

START = Settings().schedule_from

with DAG(
    dag_id="vigil_watchdog",
    schedule=CronTriggerTimetable("17 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(START.year, START.month, START.day, tz="UTC"),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "execution_timeout": timedelta(minutes=10)},
    tags=["vigil", "watchdog"],
    doc_md=__doc__,
) as dag:

    @task
    def look(ti: Any = None) -> list[Any]:
        """Opens a monitor-blind incident for each model that nobody watched; what is unanswered is answered now."""
        from vigil.usecases import respond, watch
        from vigil.wiring import airflow, monitors, unwatched
        from vigil_shell.connections import known_monitors, open_ports

        ports, good = open_ports(), monitors()[0]
        seen = airflow().dags([m.dag_id for m in good.values()])  # None: nobody may ask; `vigil doctor` says so
        paused, missing = (seen.paused, seen.missing) if seen else ((), ())
        watch.overdue(ports, good, unwatched(), now=ports.clock.now(), paused=paused, missing_dags=missing)
        asked = [request(ports, incident) for incident in respond.unanswered(ports, known_monitors(ports))]
        red = [r["run_id"] for r in asked if ti.get_dr_count("vigil_respond", run_ids=[r["run_id"]], states=["failed"])]
        runs = [again(r, failed=r["run_id"] in red, at=ports.clock.now()) for r in asked]
        return [{"trigger_run_id": r["run_id"], "conf": {"incident": r["incident"]}} for r in runs]

    TriggerDagRunOperator.partial(
        task_id="respond",
        trigger_dag_id="vigil_respond",
        logical_date=None,
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
    ).expand_kwargs(look())
