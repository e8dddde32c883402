"""How a DAG asks the respond DAG to act: the run's id tells what is to be done, so asking twice is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

if TYPE_CHECKING:
    from vigil.ports import Ports


def request(ports: Ports, incident: str) -> dict[str, str]:
    """The respond run that an incident needs now: `run_id` and `incident`."""
    from vigil.usecases import respond
    from vigil_shell.connections import known_monitors

    digest = respond.plan_digest(ports, known_monitors(ports), incident)
    return {"run_id": f"respond__{incident}__{digest}", "incident": incident}


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
