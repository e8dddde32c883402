"""The rollback DAG: moves a model to a safe version, asked by an incident or by a person with the form.

Checks first, then (where the policy says so) a person's approval, then one alias write, proof, and the record.
"""

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from vigil.wiring import monitors
from vigil_shell.approval import Approval
from vigil_shell.responding import ask_to_respond, request

MODELS = sorted(monitors()[0]) or ["(no monitor loads)"]
SHOWN = "{{ ti.xcom_pull(task_ids='preflight')['text'] }}"


def request_of(params: dict, dag_run: object) -> dict:
    """The request in Vigil's words: an action id marks an automatic one, else the person who pressed the button."""
    from vigil_shell.connections import monitor as load

    person = getattr(dag_run, "triggering_user_name", None) or "a person in Airflow"
    return {
        "model": params["model"],
        "environment": load(params["model"]).environment,
        "mitigation": params["mitigation"],
        "to_version": params["to_version"],
        "reason": params["reason"],
        "incident": params["incident"],
        "actor": "vigil" if params["action"] else person,
        "asker": "vigil" if params["action"] else "person",
        "dry_run": params["dry_run"],
    }


with DAG(
    dag_id="vigil_rollback",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    is_paused_upon_creation=False,
    max_active_runs=4,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=5), "execution_timeout": timedelta(minutes=10)},
    params={
        "model": Param(MODELS[0], type="string", enum=MODELS, description="Which model"),
        "mitigation": Param("rollback", type="string", enum=["rollback", "fallback"],
                            description="rollback: an earlier champion; fallback: the rules stand in"),
        "to_version": Param(None, type=["null", "string"], description="Empty: chosen by the checks"),
        "reason": Param("", type="string", minLength=3, maxLength=500, description="Why; kept in the ledger"),
        "incident": Param(None, type=["null", "string"], description="The incident's id, if there is one"),
        "dry_run": Param(False, type="boolean", description="Only say what would be done"),
        "action": Param(None, type=["null", "string"], description="Set by Vigil; leave empty"),
    },
    tags=["vigil", "rollback"],
    doc_md=__doc__,
) as dag:  # fmt: skip

    @task
    def preflight(params=None, dag_run=None) -> dict:
        """Every check with its reason. Not possible: the run fails here and says why."""
        from vigil.usecases import respond, rollback
        from vigil_shell.connections import monitor as load
        from vigil_shell.connections import open_ports

        ports, asked = open_ports(), rollback.RollbackRequest(**request_of(params, dag_run))
        if params["action"]:
            action = {"id": params["action"], "kind": "mitigate", "incident": asked.incident, "payload": {}}
            respond.record_mitigation(ports, action, run_id=dag_run.run_id)
        plan = rollback.preflight(ports, load(asked.model), asked)
        if not plan.allowed:
            rollback.decline(ports, asked, plan, why=plan.text, by="checks")
            return {"go": "tell", "text": plan.text, "plan": plan.model_dump(mode="json")}
        go = "stop" if asked.dry_run else "approve" if plan.needs_approval else "execute"
        return {"go": go, "text": plan.text, "plan": plan.model_dump(mode="json")}

    @task.branch
    def choose(checked: dict) -> str:
        """A dry run stops, a policy may want a person, the rest is done."""
        return {"stop": "dry_run", "tell": "refuse", "approve": "approve", "execute": "execute"}[checked["go"]]

    @task
    def dry_run(checked: dict) -> str:
        """What would be done."""
        return checked["text"]

    @task(retries=0)
    def refuse(checked: dict) -> None:
        """The run is red: nothing was changed, and the reason is in the room."""
        raise AirflowFailException(checked["text"])

    approve = Approval(
        task_id="approve",
        subject="{{ params.mitigation }} of {{ params.model }}?",
        body=SHOWN + "\n\nReason: {{ params.reason }}",
        response_timeout=timedelta(hours=4),
        fail_on_reject=False,
    )

    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def execute(checked: dict, params=None, dag_run=None, ti=None) -> dict:
        """One write, proved and recorded; a retry finishes what was begun."""
        from vigil.usecases import rollback
        from vigil_shell.connections import monitor as load
        from vigil_shell.connections import open_ports

        answer = ti.xcom_pull(task_ids="approve")
        by = ((answer or {}).get("responded_by_user") or {}).get("name") if answer else None
        asked = rollback.RollbackRequest(**request_of(params, dag_run))
        plan = rollback.RollbackPlan.model_validate(checked["plan"])
        return rollback.execute(open_ports(), load(asked.model), asked, plan, approved_by=by)

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def news(checked: dict | None, params=None, dag_run=None, ti=None) -> dict:
        """What the room must be told now; a no is recorded first, with who said it."""
        from vigil.usecases import rollback
        from vigil_shell.connections import open_ports

        answer = ti.xcom_pull(task_ids="approve") or {}
        if checked and "Reject" in answer.get("chosen_options", ()):
            by = (answer.get("responded_by_user") or {}).get("name") or "a person in Airflow"
            asked, plan = rollback.RollbackRequest(**request_of(params, dag_run)), checked["plan"]
            plan = rollback.RollbackPlan.model_validate(plan)
            rollback.decline(open_ports(), asked, plan, why="a person said no in Airflow", by=by)
        incident = params["incident"]
        if not incident or params["dry_run"]:
            raise AirflowSkipException("no room to tell")
        return request(open_ports(), incident)

    @task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
    def red() -> None:
        """The run's state is decided by its leaves: a failure above must stay visible."""
        raise AirflowFailException("the mitigation did not go through; see the red task")

    checked = preflight()
    chosen = choose(checked)
    done, refused = execute(checked), refuse(checked)
    chosen >> [approve, dry_run(checked), refused, done]
    approve >> done
    tell = ask_to_respond("tell", "news")
    [done, refused] >> news(checked) >> tell
    [checked, done, refused, tell] >> red()
