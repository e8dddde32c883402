"""The story, asserted from the outside: Airflow's API, MLflow's API, the Slack emulator, the gateway, the ledger."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
from rich.markup import escape

from demo.places import HOME
from vigil.incidents.types import ReplayRole

if TYPE_CHECKING:
    from rich.console import Console

    from demo.stack import Stack
    from demo.story import Story
    from vigil.incidents.types import Incident


class Deviation(AssertionError):
    """What is not as the story says."""


class Checks:
    """Runs every check, prints one line each, and counts the deviations."""

    def __init__(self, stack: Stack, story: Story, out: Console) -> None:
        self.stack, self.story, self.out = stack, story, out
        self.places = stack.places

    def run(self) -> int:
        """Number of deviations."""
        failed = 0
        for check in (
            self.every_night_succeeded,
            self.exactly_three_incidents,
            self.iris_stays_open_in_its_room,
            self.unfair_pipeline_fell_back,
            self.bad_version_was_rolled_back,
            self.rooms_read_like_incidents,
            self.mlflow_agrees,
            self.gateway_answers_with_the_champion,
            self.late_labels_moved_the_cohort,
            self.pages_need_a_login,
            self.ledger_verifies,
            self.a_prediction_can_be_traced,
            self.a_dry_run_changes_nothing,
            self.a_person_approves_a_rollback,
            self.a_dead_scheduler_is_noticed,
        ):
            failed += self._one(check)
        self.out.print(f"[bold red]{failed} deviations[/]" if failed else "[bold green]the story is as it should be[/]")
        return failed

    def _one(self, check: Callable[[], str]) -> int:
        name = check.__name__.replace("_", " ")
        try:
            told = check()
        except Exception as error:  # noqa: BLE001 - every deviation is reported, whatever its kind
            self.out.print(f"[bold red]FAIL[/]  {name}: {escape(str(error))}", soft_wrap=True)
            return 1
        self.out.print(f"[green]ok[/]    {name}: [dim]{escape(told)}[/]", soft_wrap=True)
        return 0

    def every_night_succeeded(self) -> str:
        """All runs of all DAGs in Airflow are green, and as many as the story has nights."""
        counted = {}
        for dag, nights in (("vigil_nightly__iris", 3), ("vigil_nightly__credit_scoring", 6)):
            runs = self.story.airflow.runs(dag)
            played = {r: s for r, s in runs.items() if r.startswith("demo__")}
            _require(len(played) == nights, f"{dag}: {len(played)} runs, {nights} nights")
            _require(set(played.values()) == {"success"}, f"{dag}: {played}")
            counted[dag] = len(played)
        for dag in ("vigil_respond", "vigil_rollback"):
            runs = {r: s for r, s in self.story.airflow.runs(dag).items() if not r.startswith("check__")}
            _require(bool(runs) and set(runs.values()) == {"success"}, f"{dag}: {runs}")
            counted[dag] = len(runs)
        _require(counted["vigil_rollback"] == 2, f"one fallback and one rollback, not {counted['vigil_rollback']} runs")
        return ", ".join(f"{dag} {n}" for dag, n in counted.items())

    def _incidents(self) -> list[Incident]:
        from vigil.usecases.incidents import all_incidents

        return sorted(all_incidents(self.story.ports), key=lambda i: (i.monitor, i.opened_night))

    def exactly_three_incidents(self) -> str:
        """One for each bad night, none for any other."""
        found = [(i.monitor, i.opened_night) for i in self._incidents()]
        wanted = [("credit_scoring", self.story.night(7)), ("credit_scoring", self.story.night(1)),
                  ("iris", self.story.night(0))]  # fmt: skip
        _require(found == wanted, f"incidents {found}, wanted {wanted}")
        return ", ".join(f"{m} {n}" for m, n in found)

    def _incident(self, model: str, back: int) -> Incident:
        return next(i for i in self._incidents() if i.monitor == model and i.opened_night == self.story.night(back))

    def iris_stays_open_in_its_room(self) -> str:
        """S1: petals and predictions beyond their hard bounds, no mitigation for drift alone, a room."""
        incident = self._incident("iris", 0)
        signals = [s.verdict for f in incident.findings for s in f.signals]
        hard = {v.id for v in signals if v.hard}
        _require("mean_shift/petal_length_cm" in hard, f"no hard drift of the petals: {sorted(hard)}")
        _require("prediction_shift/all" in hard, f"no hard prediction shift: {sorted(hard)}")
        _require(incident.status.value == "open" and bool(incident.room), f"{incident.status} {incident.room}")
        _require(incident.mitigation.value == "none", "drift alone must not mitigate")
        return f"{len(signals)} signals, {len(hard)} beyond their hard bound, room #{incident.room['name']}"

    def unfair_pipeline_fell_back(self) -> str:
        """S2: the ratio of women with its interval, the replay's reasons, fallback, resolved by a champion's night."""
        incident = self._incident("credit_scoring", 7)
        ratio = next(s.verdict.measurement for f in incident.findings for s in f.signals
                     if s.verdict.id == "selection_rate_ratio/sex=female")  # fmt: skip
        _require(ratio is not None and ratio.high is not None and ratio.high < 0.8, f"ratio {ratio}")
        _require(incident.mitigation.value == "fallback", f"mitigation {incident.mitigation}")
        helps = {v.role: v.helps for v in incident.replay.versions} if incident.replay else {}
        _require(helps == {ReplayRole.PREVIOUS: False, ReplayRole.FALLBACK: True}, f"replay {helps}")
        _require(incident.status.value == "resolved", f"status {incident.status}")
        _require(incident.good_nights == (self.story.night(6),), f"good nights {incident.good_nights}")
        _require(self.story.facts["after_s2"]["role"] == "fallback", "the gateway did not answer with the rules")
        assert ratio is not None
        return f"ratio {ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}], fallback, resolved"

    def bad_version_was_rolled_back(self) -> str:
        """S2b: the replay clears the previous version; the alias is moved back; the next good night resolves."""
        incident = self._incident("credit_scoring", 1)
        versions = self.story.facts["credit_scoring"]
        _require(incident.mitigation.value == "rollback", f"mitigation {incident.mitigation}")
        _require(incident.mitigation_target == versions["second"], f"rolled back to {incident.mitigation_target}")
        helps = {v.role: v.helps for v in incident.replay.versions} if incident.replay else {}
        _require(helps.get(ReplayRole.PREVIOUS) is True, f"replay {helps}")
        _require(incident.status.value == "resolved", f"status {incident.status}")
        return f"version {versions['bad']} -> {versions['second']}, resolved"

    def _slack(self) -> dict[str, dict[str, Any]]:
        state = httpx.get(f"{self.places.url('slack')}/_emulator/state", trust_env=False).raise_for_status().json()
        channels = state["channels"]
        listed = channels.values() if isinstance(channels, dict) else channels
        return {c["name"]: c for c in listed}

    def rooms_read_like_incidents(self) -> str:
        """Three rooms, each with topic, pinned summary, the right people, and what was done, with numbers."""
        rooms = {name: c for name, c in self._slack().items() if name.startswith("inc-")}
        _require(len(rooms) == 3, f"rooms {sorted(rooms)}")
        for name, room in rooms.items():
            _require(
                bool(room["topic"]) and len(room["pinned"]) == 1,
                f"#{name}: topic {room['topic']!r}, pins {room['pinned']}",
            )
            _require("on.call@example.com" in {m["email"] for m in room["members"]}, f"#{name}: on-call is not there")
            keys = [m.get("metadata", {}).get("event_payload", {}).get("key") for m in room["messages"]]
            told = [k for k in keys if k]
            _require(len(told) == len(set(told)), f"#{name}: a message was sent twice")
        credit = next(c for n, c in rooms.items() if f"{self.story.night(7):%Y%m%d}" in n)
        emails = {m["email"] for m in credit["members"]}
        _require(
            {"credit.data@example.com", "ai.governance@example.com"} <= emails,
            f"invited: {sorted(e for e in emails if e)}",
        )
        words = " ".join(m["text"] for m in credit["messages"])
        _require("would not help" in words, "the room is not told why a rollback would not help")
        return ", ".join(f"#{n}" for n in rooms)

    def mlflow_agrees(self) -> str:
        """The champion alias, the quarantine tag, and one run for each night, asked of MLflow itself."""
        from mlflow import MlflowClient

        client = MlflowClient(self.places.url("mlflow"), self.places.url("mlflow"))
        versions = self.story.facts["credit_scoring"]
        champion = str(client.get_model_version_by_alias("credit_scoring", "champion").version)
        _require(champion == versions["second"], f"champion is version {champion}")
        tags = client.get_model_version("credit_scoring", versions["bad"]).tags
        _require(bool(tags.get("vigil.quarantined")), f"version {versions['bad']} is not quarantined")
        experiment = client.get_experiment_by_name("vigil/credit_scoring")
        runs = client.search_runs([experiment.experiment_id], max_results=100) if experiment else []
        _require(len(runs) >= 6, f"{len(runs)} night runs")
        return f"champion {champion}, {len(runs)} night runs"

    def gateway_answers_with_the_champion(self) -> str:
        """Who answers now, asked of the gateway."""
        told = self.story.gateway.version("credit_scoring")
        _require(told == {"version": self.story.facts["credit_scoring"]["second"], "role": "champion"}, f"{told}")
        rules, champion = self.story.facts["rules_answered"], self.story.facts["champion_answered"]
        _require(set(rules) == {self.story.facts["credit_scoring"]["rules"]}, f"before the fix: {rules}")
        _require(set(champion) == {self.story.facts["credit_scoring"]["second"]}, f"after the fix: {champion}")
        return f"version {told['version']} as {told['role']}"

    def late_labels_moved_the_cohort(self) -> str:
        """What was known before stays readable beside what is known now."""
        night = self.story.facts["late_cohort"]
        told = self.story.ports.results.versions_of_truth("credit_scoring", "staging", night)
        _require(len(told) >= 2, f"{night} was judged {len(told)} time(s)")
        labels = [next(m.parts[0] for m in (*[v.measurement for v in r.verdicts if v.measurement], *r.measurements)
                       if m.metric == "label_coverage") for _, r in (told[0], told[-1])]  # fmt: skip
        _require(labels[1] - labels[0] == self.story.facts["late_labels"], f"labels {labels}")
        return f"{night}: {labels[0]:.0f} -> {labels[1]:.0f} labels"

    def pages_need_a_login(self) -> str:
        """The pages in Airflow answer a login and nobody else; a report runs in a sandbox."""
        url = self.places.url("airflow")
        anonymous = httpx.get(f"{url}/vigil/", trust_env=False).status_code
        _require(anonymous == 401, f"anonymous got {anonymous}")
        incident = self._incident("credit_scoring", 7)
        report = f"/vigil/report/credit_scoring/{incident.opened_night}/report.html"
        for path in ("/vigil/", "/vigil/model/iris", f"/vigil/incident/{incident.id}", report):
            found = self.story.airflow.raw(path)
            _require(found.status_code == 200, f"{path} answered {found.status_code}")
        _require("sandbox" in found.headers.get("content-security-policy", ""), "the report is not sandboxed")
        return "401 without, 200 with"

    def ledger_verifies(self) -> str:
        """Every chain holds, and every checkpoint outside the database is still true."""
        return self._vigil("ledger", "verify").strip()

    def a_prediction_can_be_traced(self) -> str:
        """From one answer of the bad night to version, data and incident."""
        told = self._vigil("trace", f"credit_scoring-{self.story.night(7)}-00042")
        for word in ("dataset sha256", "mlflow run", self._incident("credit_scoring", 7).id):
            _require(word in told, f"the trace does not say {word!r}:\n{told}")
        return f"credit_scoring-{self.story.night(7)}-00042"

    def _ask(self, name: str, *, dry_run: bool) -> str:
        """Fills in the rollback form for iris, as a person would in the UI."""
        run_id = f"check__{name}"
        conf = {"model": "iris", "mitigation": "rollback", "reason": f"demo-check: {name}", "dry_run": dry_run}
        self.story.airflow.trigger("vigil_rollback", run_id, conf)
        return run_id

    def a_dry_run_changes_nothing(self) -> str:
        """The form with `dry_run`: the plan is told, the champion stays."""
        run_id = self._ask("dry_run", dry_run=True)
        state = self.story.airflow.wait("vigil_rollback", run_id)
        _require(state == "success", "\n".join(self.story.airflow.failed_tasks("vigil_rollback", run_id)))
        told = self.story.gateway.version("iris")
        _require(told["version"] == self.story.facts["iris"]["second"], f"iris answers with {told}")
        return "the champion stays"

    def a_person_approves_a_rollback(self) -> str:
        """iris' policy is `approve`: the alias moves only after a person has said yes in Airflow."""
        run_id = self._ask("approval", dry_run=False)
        shown = self.story.airflow.approve("vigil_rollback", run_id)
        _require("version" in shown, f"the person was shown {shown!r}")
        state = self.story.airflow.wait("vigil_rollback", run_id)
        _require(state == "success", "\n".join(self.story.airflow.failed_tasks("vigil_rollback", run_id)))
        told = self.story.gateway.version("iris")
        _require(told["version"] == self.story.facts["iris"]["first"], f"iris answers with {told}")
        from vigil.incidents.events import MitigationDone
        from vigil.usecases.record import recorded

        done = recorded(self.story.ports, "model/iris", MitigationDone)
        _require(len(done) == 1 and done[0].body.by == "admin", f"recorded: {[e.body.payload for e in done]}")
        return f"version {told['version']} answers, approved by {done[0].body.by}"

    def _vigil(self, *words: str, code: int = 0) -> str:
        done = subprocess.run([sys.executable, "-m", "vigil.cli", *words], cwd=HOME, env=self.stack.env,
                              capture_output=True, text=True, check=False)  # fmt: skip
        _require(
            done.returncode == code, f"vigil {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
        return done.stdout

    def a_dead_scheduler_is_noticed(self) -> str:
        """All is well; then the scheduler is killed, and `vigil heartbeat`, outside Airflow, tells Slack."""
        self._vigil("heartbeat")
        self.stack.end("scheduler")
        until = time.monotonic() + 90
        while time.monotonic() < until and self.stack.health().get("scheduler", {}).get("status") == "healthy":
            time.sleep(1)
        self._vigil("heartbeat", code=1)
        digest = self._slack().get("ml-incidents", {"messages": []})
        words = " ".join(m["text"] for m in digest["messages"])
        _require("scheduler" in words, f"#ml-incidents says: {words!r}")
        return "#ml-incidents was told"


def _require(right: bool, otherwise: str) -> None:
    if not right:
        raise Deviation(otherwise)
