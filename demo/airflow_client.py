"""Airflow from the outside: its REST API, as anybody with a login uses it."""

from __future__ import annotations

import time
from typing import Any

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

ENDED = ("success", "failed")


class Airflow:
    """A logged-in client."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._api = httpx.Client(base_url=url, timeout=30, trust_env=False)
        token = self._api.post("/auth/token", json={"username": user, "password": password}).raise_for_status()
        self._api.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """A GET below /api/v2."""
        found: dict[str, Any] = self._api.get(f"/api/v2{path}", params=params).raise_for_status().json()
        return found

    def raw(self, path: str) -> httpx.Response:
        """A GET of any page of the server, logged in."""
        return self._api.get(path)

    def dags(self) -> dict[str, bool]:
        """DAG id -> paused, of all that Airflow knows."""
        return {d["dag_id"]: d["is_paused"] for d in self.get("/dags", limit=500)["dags"]}

    def import_errors(self) -> list[str]:
        """What could not be parsed."""
        return [e["stack_trace"] for e in self.get("/importErrors")["import_errors"]]

    @retry(
        retry=retry_if_exception_type(httpx.HTTPStatusError),
        stop=stop_after_attempt(5),
        wait=wait_exponential(multiplier=0.5),
        reraise=True,
    )
    def trigger(self, dag: str, run_id: str, conf: dict[str, Any]) -> None:
        """Starts a run; one of that id that is there already is left alone: a busy server can be asked again."""
        body = {"logical_date": None, "dag_run_id": run_id, "conf": conf}
        answer = self._api.post(f"/api/v2/dags/{dag}/dagRuns", json=body)
        if answer.status_code != 409:
            answer.raise_for_status()

    def runs(self, dag: str) -> dict[str, str]:
        """Run id -> state."""
        found = self.get(f"/dags/{dag}/dagRuns", limit=200, order_by="-run_after")["dag_runs"]
        return {r["dag_run_id"]: r["state"] for r in found}

    def state(self, dag: str, run_id: str) -> str:
        """State of one run."""
        return str(self.get(f"/dags/{dag}/dagRuns/{run_id}")["state"])

    def wait(self, dag: str, run_id: str, *, seconds: float = 180) -> str:
        """Until a run has ended. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            state = self.state(dag, run_id)
            if state in ENDED:
                return state
            time.sleep(0.4)
        raise TimeoutError(f"{dag} {run_id} has not ended within {seconds:g} s")

    def settle(self, *dags: str, seconds: float = 180) -> None:
        """Until no run of these DAGs is under way. Raises TimeoutError."""
        until, quiet = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            busy = any(s not in ENDED for dag in dags for s in self.runs(dag).values())
            quiet = 0 if busy else quiet + 1
            if quiet >= 3:
                return
            time.sleep(0.4)
        raise TimeoutError(f"runs of {', '.join(dags)} are still under way after {seconds:g} s")

    def approve(self, dag: str, run_id: str, *, reading: float = 3, seconds: float = 120) -> str:
        """Waits until a run asks for approval, reads for a moment, and gives it. Returns what the person was shown.

        Airflow 3.3 fails the task when an answer comes while the asking process is still ending: nobody but a machine
        is so quick. Should it happen all the same, the run asks again and is answered again.
        """
        until, shown = time.monotonic() + seconds, ""
        while time.monotonic() < until:
            asked = self.get(f"/dags/{dag}/dagRuns/{run_id}/hitlDetails", response_received=False)["hitl_details"]
            if asked and asked[0]["task_instance"]["state"] == "awaiting_input":
                time.sleep(reading)
                shown, task = str(asked[0]["body"]), asked[0]["task_instance"]["task_id"]
                path = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances/{task}/-1/hitlDetails"
                body = {"chosen_options": ["Approve"], "params_input": {}}
                self._api.patch(path, json=body).raise_for_status()
            elif shown and self.state(dag, run_id) in ENDED:
                return shown
            time.sleep(0.4)
        asked_whom = "has not ended" if shown else "has asked nobody"
        raise TimeoutError(f"{dag} {run_id} {asked_whom} within {seconds:g} s; it is {self.state(dag, run_id)}")

    def failed_tasks(self, dag: str, run_id: str) -> list[str]:
        """Names of the failed tasks of a run, with the end of their logs."""
        found = self.get(f"/dags/{dag}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return [
            f"{t['task_id']}: {self._log(dag, run_id, t)}" for t in found if t["state"] in ("failed", "upstream_failed")
        ]

    def _log(self, dag: str, run_id: str, task: dict[str, Any]) -> str:
        if task["state"] != "failed":
            return str(task["state"])
        path = f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        told = self.get(path, map_index=task["map_index"]).get("content", [])
        lines = [
            str(e.get("event", e)) + " " + str(e.get("error_detail", ""))[:1500] if isinstance(e, dict) else str(e)
            for e in told
        ]
        return "\n".join(lines)[-2500:]
