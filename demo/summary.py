"""The last screen of the demo: what Vigil found, what it did, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from vigil.core.words import Mitigation
from vigil.diagnosis.counterfactual import HARM
from vigil.incidents.types import Incident, ReplayedVersion, Signal, Status
from vigil.verdicts.types import State
from vigil.verdicts.words import measured

if TYPE_CHECKING:
    from rich.console import Console

    from demo.story import Story
    from vigil.metrics.types import Measurement

SHOWN = 2  # signals of an incident; its page has all of them


def print_summary(out: Console, story: Story, took: dict[str, float]) -> None:
    """Incidents in the order of their nights, the restated cohort, the addresses to open."""
    from vigil.usecases.incidents import all_incidents
    from vigil.wiring import open_ports

    ports = open_ports()
    out.print()
    for incident in sorted(all_incidents(ports), key=lambda i: i.opened_night):
        out.print(panel(incident))
    out.print(_restated(story, ports))
    _addresses(out, story, all_incidents(ports))
    total = sum(took.values())
    own = total - took.get("start MLflow and the Slack emulator", 0) - took.get("make Airflow's database", 0)
    slowest = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in took.items() if seconds >= 1)
    out.print(f"[dim]{total:.0f} s in all, {own:.0f} s of it Vigil's own work ({slowest})[/]")


def panel(incident: Incident) -> Panel:
    """What broke, what other versions would have done, what was decided and done, and how it stands now."""
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(style="bold", width=10)
    table.add_column()
    signals = _most_telling_first(incident)
    for place, signal in enumerate(signals[:SHOWN]):
        table.add_row("" if place else "found", escape(signal.verdict.reason))
    if len(signals) > SHOWN:
        table.add_row("", f"and {len(signals) - SHOWN} more")
    if incident.replay:
        for version in incident.replay.versions:
            table.add_row("replayed", f"{version.role} version {version.version} {escape(_replayed(version))}")
        table.add_row("decided", escape(f"{incident.replay.mitigation.value}: {incident.replay.why}"))
    if incident.mitigation is not Mitigation.NONE:
        table.add_row("done", f"{incident.mitigation.value} to version {incident.mitigation_target}")
    if incident.room:
        table.add_row("room", f"#{incident.room.get('name')}")
    table.add_row("now", _now(incident))
    title = f"{incident.severity.name} · {incident.monitor} ({incident.environment}) · night of {incident.opened_night}"
    return Panel(table, title=title, title_align="left", border_style="red" if incident.is_open else "green")


def _most_telling_first(incident: Incident) -> list[Signal]:
    """One signal of each family, harm before its causes, then the others."""
    signals = sorted((s for f in incident.findings for s in f.signals), key=lambda s: s.verdict.family not in HARM)
    first = {s.verdict.family: s for s in reversed(signals)}
    return sorted(signals, key=lambda s: s is not first[s.verdict.family])


def _replayed(version: ReplayedVersion) -> str:
    """What another version would have done with the same inputs, with the number that says so."""
    breaches = [v for v in version.verdicts if v.state is State.BREACH]
    shown = next(iter(breaches or version.verdicts), None)
    number = f": {shown.metric}({shown.subject}) {_short(shown.measurement)}" if shown and shown.measurement else ""
    match version.helps:
        case True:
            return f"would not have breached{number}"
        case False:
            return f"would have breached too{number}"
        case None:
            return f"is not known to help: {version.why}"


def _short(m: Measurement) -> str:
    """Value and interval."""
    return measured(m).partition(", n = ")[0]


def _now(incident: Incident) -> str:
    nights = len(incident.good_nights)
    if incident.status is Status.RESOLVED:
        return f"resolved after {nights} good {'night' if nights == 1 else 'nights'} of the champion"
    return incident.status.value.replace("_", " ")


def _restated(story: Story, ports: object) -> Panel:
    night = story.facts["late_cohort"]
    told = ports.results.versions_of_truth("credit_scoring", "staging", night)  # type: ignore[attr-defined]
    table = Table("metric", "known before", "known now", box=None, padding=(0, 2))
    first, last = told[0][1], told[-1][1]
    before = {v.id: v.measurement for v in first.verdicts if v.measurement}
    for verdict in last.verdicts:
        was, now = before.get(verdict.id), verdict.measurement
        if verdict.family.value == "performance" and was and now and was.value != now.value:
            table.add_row(verdict.metric, f"{was.value:.4f} (n = {was.n:,})", f"{now.value:.4f} (n = {now.n:,})")
    title = f"{story.facts['late_labels']} late labels moved the cohort of {night} (credit_scoring)"
    return Panel(table, title=title, title_align="left", border_style="blue")


def _addresses(out: Console, story: Story, incidents: Sequence[Incident]) -> None:
    """What to open, whole, so that a terminal can make links of them; the incident of the broken pipeline first."""
    places = story.stack.places
    told = next(i for i in incidents if i.mitigation.value == "fallback")
    airflow = places.url("airflow")
    report = f"{airflow}/vigil/report/{told.monitor}/{told.opened_night}/report.html"
    for name, url, note in (
        ("Airflow", airflow, f"login admin / {places.secrets['admin']}"),
        ("Model reliability", f"{airflow}/vigil/", "after the login"),
        ("Incident", f"{airflow}/vigil/incident/{told.id}", "the broken pipeline"),
        ("Evidently report", report, "of that night"),
        ("Slack (emulator)", places.url("slack"), "the war rooms"),
        ("MLflow", places.url("mlflow"), "models, versions, one run a night"),
        ("Gateway", f"{places.url('gateway')}/health", "who answers"),
    ):
        out.print(f" [bold]{name:18}[/] {url}  [dim]{escape(note)}[/]", soft_wrap=True)
