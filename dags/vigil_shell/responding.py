"""How a DAG asks the respond DAG to act: the run's id tells what is to be done, so asking twice is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vigil.ports import Ports


def request(ports: Ports, incident: str) -> dict[str, str]:
    """The respond run that an incident needs now: `run_id` and `incident`."""
    from vigil.usecases import respond
    from vigil_shell.connections import known_monitors

    digest = respond.plan_digest(ports, known_monitors(ports), incident)
    return run_of({"incident": incident, "digest": digest})


def run_of(response: Mapping[str, Any]) -> dict[str, str]:
    """The respond run of a planned response: `run_id` and `incident`."""
    incident = response["incident"]
    return {"run_id": f"respond__{incident}__{response['digest']}", "incident": incident}


def again(asked: dict[str, str], *, failed: bool, at: datetime) -> dict[str, str]:
    """The run that the watchdog starts. Where the one that was asked for failed it is there already, and would be
    skipped for good: then another one each hour. What was done has its receipt, and is not done twice."""
    return {**asked, "run_id": f"{asked['run_id']}__{at:%Y%m%dT%H}"} if failed else asked


def ask_to_respond(task_id: str, told_by: str) -> TriggerDagRunOperator:
    """Starts the run that the task `told_by` requested; a run that is there already is enough."""
    return TriggerDagRunOperator(
        task_id=task_id,
        trigger_dag_id="vigil_respond",
        trigger_run_id=f"{{{{ ti.xcom_pull(task_ids='{told_by}')['run_id'] }}}}",
        conf={"incident": f"{{{{ ti.xcom_pull(task_ids='{told_by}')['incident'] }}}}"},
        logical_date=None,
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
    )
