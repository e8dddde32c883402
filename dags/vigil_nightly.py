"""One DAG per monitor: the night, task by task. The stages of each task are in `vigil.core.stages`; this file wires.

A broken YAML becomes a visible DAG `vigil_broken__<file>` that fails with the file's own errors; the others stay.
"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup, TriggerRule, task
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from vigil.config.schema import Monitor
from vigil.settings import Settings
from vigil.wiring import monitors
from vigil_shell.broken import broken_dag
from vigil_shell.night_tasks import open_blind_incident, run_task
from vigil_shell.responding import ask_to_respond, run_of
from vigil_shell.run_facts import night as night_of_run

START = Settings().schedule_from
DEFAULTS = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "execution_timeout": timedelta(minutes=30),
}


def nightly(monitor: Monitor) -> DAG:
    """The DAG of one monitor. Tasks hand on ids and dates; everything else is in Vigil's stores."""
    model = monitor.model
    with DAG(
        dag_id=monitor.dag_id,
        schedule=CronTriggerTimetable(monitor.schedule, timezone=monitor.timezone),
        start_date=pendulum.datetime(START.year, START.month, START.day, tz=monitor.timezone),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        params={"as_of": Param(None, type=["null", "string"], format="date", description="Local day to judge")},
        tags=["vigil", "nightly", monitor.environment],
        doc_md=f"Judges one night of **{model}** ({monitor.environment}): {monitor.description}",
    ) as dag:

        @task
        def open_night(dag_run: Any = None, ti: Any = None, triggering_asset_events: Any = None) -> str:
            """The monitor-local calendar day to judge; never `now()`. A run that names another day badly is refused."""
            return night_of_run(dag_run, ti, triggering_asset_events, timezone=monitor.timezone)

        @task(multiple_outputs=False)
        def judge(night: str) -> dict[str, Any]:
            """Suite, profile and verdicts of the night, and of every past night whose facts changed."""
            return run_task("judge", model, night)

        @task
        def report(night: str) -> str | None:
            """The HTML for people."""
            url: str | None = run_task("report", model, night)["report_url"]
            return url

        @task(trigger_rule=TriggerRule.ALL_DONE, multiple_outputs=False)
        def correlate(night: str, judged: dict[str, Any] | None) -> dict[str, Any]:
            """Joins the night to its incident and replays it; a report that failed does not stop this."""
            if not judged:
                raise AirflowSkipException("the night was not judged: there is nothing to correlate")
            return run_task("correlate", model, night, judged)

        @task
        def plan(night: str, correlated: dict[str, Any]) -> dict[str, Any]:
            """The run of the respond DAG that the incident needs; skipped on a quiet night."""
            if not correlated["incident"]:
                raise AirflowSkipException("quiet night")
            return run_of(run_task("plan", model, night, correlated)["response"])

        @task(trigger_rule=TriggerRule.NONE_FAILED)
        def account(night: str, correlated: dict[str, Any], dag_run: Any = None) -> str:
            """The night's line, its MLflow run, and the checkpoint of the ledger."""
            return str(run_task("account", model, night, correlated, run_url=dag_run.run_id)["line"])

        @task(trigger_rule=TriggerRule.ONE_FAILED)
        def blind(night: str | None) -> dict[str, Any]:
            """Only when a step failed: opens the monitor-blind incident."""
            if not night:
                raise AirflowSkipException("not even the night is known; the watchdog will miss it")
            return open_blind_incident(model, night)

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def red() -> None:
            """A run's state is decided by its leaves: a step that failed must stay visible."""
            raise AirflowException("a step of this night failed; see the red task. A monitor-blind incident is open")

        night = open_night()
        with TaskGroup("judging", prefix_group_id=False, tooltip="What the night was like"):
            judged = judge(night)
            reported = report(night)
        with TaskGroup("incident", prefix_group_id=False, tooltip="What it means, and what is to be done"):
            correlated = correlate(night, judged)
            planned = plan(night, correlated)
            respond = ask_to_respond("respond", "plan")
        accounted = account(night, correlated)
        judged >> reported >> correlated
        planned >> respond
        steps = [night, judged, reported, correlated, planned, respond, accounted]
        with TaskGroup("failure", prefix_group_id=False, tooltip="Only where a task failed"):
            steps >> blind(night) >> ask_to_respond("respond_blind", "blind")
            steps >> red()
    return dag


good, bad = monitors()
for each in good.values():
    globals()[each.dag_id] = nightly(each)
for name, problem in bad.items():
    made = broken_dag(name, problem)
    globals()[made.dag_id] = made
