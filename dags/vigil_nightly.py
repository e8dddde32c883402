"""One DAG per monitor: the night, step by step. Everything that thinks lives in `vigil`; this file wires.

A broken YAML becomes a visible DAG `vigil_broken__<file>` that fails with the file's own errors; the others stay.
"""

from datetime import date, timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from vigil.config.schema import Monitor
from vigil.settings import Settings
from vigil.wiring import monitors
from vigil_shell.broken import broken_dag
from vigil_shell.responding import ask_to_respond, request

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
            from vigil_shell.run_facts import night

            return night(dag_run, ti, triggering_asset_events, timezone=monitor.timezone)

        @task
        def judge(night: str) -> dict[str, Any]:
            """Suite, profile and verdicts of the night, and of every past night whose facts changed."""
            from vigil.usecases import nightly as steps
            from vigil_shell.connections import monitor as load
            from vigil_shell.connections import open_ports

            ports, watched, day = open_ports(), load(model), date.fromisoformat(night)
            steps.intake(ports, watched, day)
            steps.quality(ports, watched, day)
            steps.profile(ports, watched, day)
            return steps.judge(ports, watched, day)

        @task
        def report(night: str) -> str | None:
            """The HTML for people."""
            from vigil.usecases import nightly as steps
            from vigil_shell.connections import monitor as load
            from vigil_shell.connections import open_ports

            return steps.report(open_ports(), load(model), date.fromisoformat(night))

        @task(trigger_rule=TriggerRule.ALL_DONE)
        def correlate(night: str, judged: dict[str, Any] | None) -> str | None:
            """Joins the night to its incident and replays it; a report that failed does not stop this."""
            from vigil.usecases import nightly as steps
            from vigil.usecases.replay import replay
            from vigil_shell.connections import monitor as load
            from vigil_shell.connections import open_ports

            if not judged:
                raise AirflowSkipException("the night was not judged: there is nothing to correlate")
            ports, watched, day = open_ports(), load(model), date.fromisoformat(night)
            incident = steps.correlate(ports, watched, day, changed=judged["changed"])
            if incident:
                replay(ports, watched, day, incident)
            return incident

        @task
        def plan(incident: str | None) -> dict[str, Any]:
            """What the respond DAG is asked to do; skipped on a quiet night."""
            from vigil_shell.connections import open_ports

            if not incident:
                raise AirflowSkipException("quiet night")
            return request(open_ports(), incident)

        @task(trigger_rule=TriggerRule.NONE_FAILED)
        def account(night: str, correlated: str | None, dag_run: Any = None) -> str:
            """The night's line, its MLflow run, and the checkpoint of the ledger."""
            from vigil.usecases import nightly as steps
            from vigil_shell.connections import monitor as load
            from vigil_shell.connections import open_ports

            return steps.account(open_ports(), load(model), date.fromisoformat(night), run_url=dag_run.run_id)

        @task(trigger_rule=TriggerRule.ONE_FAILED)
        def blind(night: str | None) -> dict[str, Any]:
            """Only when a step failed: opens the monitor-blind incident."""
            from vigil.usecases import watch
            from vigil_shell.connections import monitor as load
            from vigil_shell.connections import open_ports

            if not night:
                raise AirflowSkipException("not even the night is known; the watchdog will miss it")
            ports = open_ports()
            incident = watch.blind(ports, load(model), date.fromisoformat(night), reason=f"a step of {night} failed")
            return request(ports, incident)

        @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
        def red() -> None:
            """A run's state is decided by its leaves: a step that failed must stay visible."""
            raise AirflowException("a step of this night failed; see the red task. A monitor-blind incident is open")

        night = open_night()
        judged = judge(night)
        reported = report(night)
        correlated = correlate(night, judged)
        planned = plan(correlated)
        respond = ask_to_respond("respond", "plan")
        accounted = account(night, correlated)
        judged >> reported >> correlated
        planned >> respond
        steps = [night, judged, reported, correlated, planned, respond, accounted]
        steps >> blind(night) >> ask_to_respond("respond_blind", "blind")
        steps >> red()
    return dag


good, bad = monitors()
for each in good.values():
    globals()[each.dag_id] = nightly(each)
for name, problem in bad.items():
    made = broken_dag(name, problem)
    globals()[made.dag_id] = made
