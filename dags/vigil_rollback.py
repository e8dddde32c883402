"""The rollback DAG: moves a model to a safe version, asked by an incident or by a person with the form.

Checks first, then (where the policy says so) a person's approval, then one alias write, proof, and the record.
"""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from vigil.wiring import monitors
from vigil_shell.approval import Approval
from vigil_shell.responding import ask_to_respond
from vigil_shell.rollback_tasks import NEXT_TASK, carry_out, check, record_rejection, room_news

MODELS = sorted(monitors()[0]) or ["(no monitor loads)"]
SHOWN = "{{ ti.xcom_pull(task_ids='preflight')['text'] }}"

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
    def preflight(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
        """Every check with its reason. Not possible: the run fails and says why."""
        return check(params, dag_run)

    @task.branch
    def choose(checked: dict[str, Any]) -> str:
        """A dry run stops, a policy may want a person, the rest is done."""
        return NEXT_TASK[checked["go"]]

    @task
    def dry_run(checked: dict[str, Any]) -> str:
        """What would be done."""
        return str(checked["text"])

    @task(retries=0)
    def refuse(checked: dict[str, Any]) -> None:
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
    def execute(checked: dict[str, Any], params: Any = None, dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
        """One write, proved and recorded; a retry finishes what was begun."""
        return carry_out(checked, params, dag_run, ti.xcom_pull(task_ids="approve"))

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def news(checked: dict[str, Any] | None, params: Any = None, dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
        """What the room must be told now; a no is recorded first, with who said it."""
        record_rejection(checked, params, dag_run, ti.xcom_pull(task_ids="approve"))
        run = room_news(params)
        if run is None:
            raise AirflowSkipException("no room to tell")
        return run

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
