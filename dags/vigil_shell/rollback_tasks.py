"""What the tasks of the rollback DAG do: checks, the change, and a no that is recorded with who said it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil_shell.responding import request

if TYPE_CHECKING:
    from collections.abc import Mapping

NEXT_TASK = {"stop": "dry_run", "tell": "refuse", "approve": "approve", "execute": "execute"}  # by the checks' answer


def request_of(params: Mapping[str, Any], dag_run: object) -> dict[str, Any]:
    """The request in Vigil's words: an action id marks an automatic one, else the person who pressed the button."""
    from vigil_shell.connections import monitor

    person = getattr(dag_run, "triggering_user_name", None) or "a person in Airflow"
    return {
        "model": params["model"],
        "environment": monitor(params["model"]).environment,
        "mitigation": params["mitigation"],
        "to_version": params["to_version"],
        "reason": params["reason"],
        "incident": params["incident"],
        "actor": "vigil" if params["action"] else person,
        "asker": "vigil" if params["action"] else "person",
        "dry_run": params["dry_run"],
    }


def check(params: Mapping[str, Any], dag_run: Any) -> dict[str, Any]:
    """Asks every question; returns the plan, its text, and `go`: a key of NEXT_TASK. A no is recorded."""
    from vigil.usecases import respond, rollback
    from vigil_shell.connections import monitor, open_ports

    ports, asked = open_ports(), rollback.RollbackRequest(**request_of(params, dag_run))
    if params["action"]:
        action = {"id": params["action"], "kind": "mitigate", "incident": asked.incident, "payload": {}}
        respond.record_mitigation(ports, action, run_id=dag_run.run_id)
    plan = rollback.preflight(ports, monitor(asked.model), asked)
    if not plan.allowed:
        rollback.decline(ports, asked, plan, why=plan.text, by="checks")
        go = "tell"
    else:
        go = "stop" if asked.dry_run else "approve" if plan.needs_approval else "execute"
    return {"go": go, "text": plan.text, "plan": plan.model_dump(mode="json")}


def carry_out(
    checked: Mapping[str, Any], params: Mapping[str, Any], dag_run: object, answer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Does what was checked. answer: of the person who was asked, if one was."""
    from vigil.usecases import rollback
    from vigil_shell.connections import monitor, open_ports

    by = ((answer or {}).get("responded_by_user") or {}).get("name")
    asked = rollback.RollbackRequest(**request_of(params, dag_run))
    plan = rollback.RollbackPlan.model_validate(checked["plan"])
    return rollback.execute(open_ports(), monitor(asked.model), asked, plan, approved_by=by)


def record_rejection(
    checked: Mapping[str, Any] | None, params: Mapping[str, Any], dag_run: object, answer: Mapping[str, Any] | None
) -> None:
    """Records a person's no, with who said it; nothing where nobody said no."""
    from vigil.usecases import rollback
    from vigil_shell.connections import open_ports

    if not checked or not answer or "Reject" not in answer.get("chosen_options", ()):
        return
    by = (answer.get("responded_by_user") or {}).get("name") or "a person in Airflow"
    asked = rollback.RollbackRequest(**request_of(params, dag_run))
    plan = rollback.RollbackPlan.model_validate(checked["plan"])
    rollback.decline(open_ports(), asked, plan, why="a person said no in Airflow", by=by)


def room_news(params: Mapping[str, Any]) -> dict[str, str] | None:
    """The respond run that tells the room; None where there is no room to tell."""
    from vigil_shell.connections import open_ports

    incident = params["incident"]
    return None if not incident or params["dry_run"] else request(open_ports(), incident)
