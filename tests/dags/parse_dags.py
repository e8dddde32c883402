"""Run in a process of its own: parses the DAG files as Airflow's DAG processor does, and prints what it found.

    python parse_dags.py HOME [HOME ...]     each HOME has monitors/

Airflow keeps settings of a process for good, so tests never import it themselves.
"""

import json
import os
import sys
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
FORMS: list[dict[str, Any]] = [
    {"reason": "the new version is worse"},
    {"reason": "no"},
    {"reason": "x" * 501},
    {"reason": "the new version is worse", "model": "nobody"},
    {"reason": "the new version is worse", "mitigation": "delete"},
    {"reason": "the new version is worse", "to_version": 3},
    {"reason": "the new version is worse", "to_version": "3"},
    {"reason": "the new version is worse", "dry_run": "yes"},
]


def task_facts(task: Any) -> dict[str, Any]:
    return {
        "rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
        "upstream": sorted(task.upstream_task_ids),
        "retries": task.retries,
        "timeout": task.execution_timeout is not None,
        "triggers": getattr(task, "trigger_dag_id", None) or getattr(task, "partial_kwargs", {}).get("trigger_dag_id"),
    }


def dag_facts(dag: Any) -> dict[str, Any]:
    return {
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "timetable": type(dag.timetable).__name__,
        "timezone": str(dag.timezone),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "paused_at_first": dag.is_paused_upon_creation,
        "tasks": {t.task_id: task_facts(t) for t in dag.tasks},
    }


def answer(params: Any, filled: dict[str, Any]) -> str | None:
    """None when the form takes it, else what it says."""
    from airflow.sdk.exceptions import ParamValidationError

    asked = deepcopy(params)
    try:
        for name, value in filled.items():
            asked[name] = value
        asked.validate()
    except ParamValidationError as error:
        return str(error)
    return None


def requests() -> dict[str, Any]:
    """What the rollback DAG makes of the form of a person, and of Vigil's own."""
    from vigil_shell.rollback_tasks import request_of

    filled = {"model": "iris", "mitigation": "rollback", "to_version": None, "reason": "worse", "incident": None}
    run = SimpleNamespace(triggering_user_name="ada")
    return {
        "person": request_of({**filled, "action": None, "dry_run": False}, run),
        "vigil": request_of({**filled, "action": "a1", "dry_run": False}, run),
        "nobody": request_of({**filled, "action": None, "dry_run": True}, SimpleNamespace()),
    }


def silence() -> dict[str, str]:
    """Class -> words of the error with which the approval ends, when nobody answered and when Airflow went wrong."""
    import vigil_rollback

    told = {}
    for event in ("timeout", "unknown"):
        try:
            vigil_rollback.approve.process_trigger_event_error({"error_type": event, "error": event})
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is told
            told[event] = f"{type(error).__name__}: {error}"
    return told


def parsed(home: str) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import BundleDagBag

    os.environ["VIGIL_HOME"] = home
    bag = BundleDagBag(str(CHECKOUT / "dags"), bundle_path=CHECKOUT / "dags")
    dags = {name: dag_facts(dag) for name, dag in bag.dags.items()}
    forms = [answer(bag.dags["vigil_rollback"].params, form) for form in FORMS] if "vigil_rollback" in bag.dags else []
    nights = [answer(d.params, {"as_of": "yesterday"}) for name, d in bag.dags.items() if "nightly__" in name]
    return {"errors": bag.import_errors, "dags": dags, "forms": forms, "as_of": nights, "modules": sorted(sys.modules)}


if __name__ == "__main__":
    found = [parsed(home) for home in sys.argv[1:]]
    os.environ["VIGIL_HOME"] = sys.argv[1]
    sys.stdout.write("\n" + json.dumps({"homes": found, "requests": requests(), "silence": silence()}))
