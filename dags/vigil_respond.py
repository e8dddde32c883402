"""Incident -> actions: one mapped delivery per action, mitigations through the rollback DAG, receipts in the ledger."""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowException

MITIGATE = "mitigate"

with DAG(
    dag_id="vigil_respond",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    is_paused_upon_creation=False,
    max_active_runs=4,
    default_args={
        "retries": 4,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=2),
        "execution_timeout": timedelta(minutes=10),
    },
    params={"incident": Param("", type="string", minLength=3, description="The incident's id")},
    tags=["vigil", "respond"],
    doc_md="Does what is still to be done for an incident. Running it again does nothing twice.",
) as dag:

    @task
    def plan(params: Any = None) -> list[Any]:
        """The actions still to do, from the ledger."""
        from vigil.usecases import respond
        from vigil_shell.connections import known_monitors, open_ports

        ports = open_ports()
        return respond.plan(ports, known_monitors(ports), params["incident"])

    @task
    def messages(actions: list[Any]) -> list[Any]:
        """Those that are delivered to people."""
        return [a for a in actions if a["kind"] != MITIGATE]

    @task(max_active_tis_per_dagrun=1)
    def deliver(action: dict[str, Any]) -> dict[str, Any]:
        """One action, once. The room comes first; a message that comes too early is tried again."""
        from vigil.usecases import respond
        from vigil_shell.connections import known_monitors, open_ports

        ports = open_ports()
        return respond.deliver(ports, known_monitors(ports), action)

    @task
    def mitigations(actions: list[Any]) -> list[Any]:
        """Those that change a model: arguments for the rollback DAG."""
        keys = ("model", "mitigation", "to_version", "reason", "incident")
        return [
            {
                "trigger_run_id": f"rollback__{a['incident']}__{a['id']}",
                "conf": {**{k: a["payload"][k] for k in keys}, "action": a["id"], "dry_run": False},
            }
            for a in actions
            if a["kind"] == MITIGATE
        ]

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def settle(actions: list[Any] | None) -> None:
        """Red if a message is still to be sent; a mitigation leaves its receipt when the rollback DAG begins."""
        from vigil.usecases import respond
        from vigil_shell.connections import known_monitors, open_ports

        if actions is None:
            raise AirflowException("the plan failed; clear the red task")
        ports, mine = open_ports(), {a["id"] for a in actions if a["kind"] != MITIGATE}
        known = known_monitors(ports)
        left = [a for i in {a["incident"] for a in actions} for a in respond.plan(ports, known, i)]
        undone = [a["id"] for a in left if a["id"] in mine]
        if undone:
            raise AirflowException(f"not everything was sent: {undone}; clear the red task, nothing is sent twice")

    planned = plan()
    told = deliver.expand(action=messages(planned))
    mitigate = TriggerDagRunOperator.partial(
        task_id=MITIGATE,
        trigger_dag_id="vigil_rollback",
        logical_date=None,
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
    ).expand_kwargs(mitigations(planned))
    [told, mitigate] >> settle(planned)
