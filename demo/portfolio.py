"""`make demo PORTFOLIO=all`: a bank's four other models beside iris and credit, on the same servers."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date, timedelta
from importlib import import_module
from multiprocessing import get_context
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from demo.places import HOME

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from rich.console import Console

    from demo.story import Story
    from examples.portfolio.play import Cast, Night
    from vigil.config.schema import Monitor
    from vigil.incidents.types import Incident
    from vigil.ports import Ports

EXAMPLES = ("fraud", "marketing", "bikes", "chatbot")  # the longest first
INJECTED = {"fraud": "cents", "chatbot": "off_topic"}  # what goes wrong with the others really happened


def furnish(home: Path) -> None:
    """A home for six monitors: copies of the checkout's two, and the portfolio's four."""
    for folder in ("monitors", "expectations"):
        shutil.copytree(HOME / folder, home / folder)
        shutil.copytree(HOME / "examples" / "portfolio" / folder, home / folder, dirs_exist_ok=True)


def nights(name: str, last: date) -> tuple[list[Night], list[Night]]:
    """(quiet nights, bad nights) of an example."""
    from examples.portfolio.play import Night

    example = _example(name)
    days = [Night(*day) for day in example.calendar(last)]
    if name in INJECTED:
        days[-1] = days[-1]._replace(fault=example.Fault(INJECTED[name]))
        return days[:-1], days[-1:]
    return [n for n in days if n.own < example.HAPPENED], [n for n in days if n.own >= example.HAPPENED]


def history(story: Story) -> None:
    """Trains, registers and promotes all four, and judges their quiet nights; two processes side by side."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name, judged in zip(EXAMPLES, pool.map(past_of, EXAMPLES, [story.last] * len(EXAMPLES)), strict=True):
            story.say(f"{_example(name).MODEL}: {judged} nights judged")


def past_of(name: str, last: date) -> int:
    """One model's training and quiet nights, in a process of its own. Returns the number of nights."""
    from examples.portfolio.play import cast, past
    from vigil.settings import Settings
    from vigil.wiring import monitor, open_ports

    example, settings = _example(name), Settings()
    ports = open_ports(settings)
    made = cast(ports, example, monitor(example.MODEL), settings.predictions_dir)
    return len(past(ports, made, nights(name, last)[0], known_by=last))


def bad_nights(story: Story) -> None:
    """The bad nights of all four, judged by their DAGs at the same time."""
    with ThreadPoolExecutor(len(EXAMPLES)) as together:
        for done in [together.submit(_bad, story, name, _ready(story, name)) for name in EXAMPLES]:
            done.result()


def _bad(story: Story, name: str, made: Cast) -> None:
    from examples.portfolio.play import serve

    for night in nights(name, story.last)[1]:
        serve(made, night, known_by=night.played)
        story.play_night(made.monitor.model, night.played)
        what = night.fault or f"what happened on {night.own}"
        story.say(f"{made.monitor.model} {night.played}: {what}")


def _ready(story: Story, name: str) -> Cast:
    from examples.portfolio.play import ready
    from vigil.settings import Settings
    from vigil.wiring import monitor

    example, ports = _example(name), story.ports
    version = ports.registry.serving(example.MODEL).champion
    assert version is not None
    return ready(ports, example, monitor(example.MODEL), Settings().predictions_dir, version)


def _example(name: str) -> ModuleType:
    return import_module(f"examples.{name}")


def print_portfolio(out: Console, ports: Ports, last: date) -> None:
    """The bank's models on one screen: risk, nights, incidents, and what was found."""
    from vigil.usecases.incidents import all_incidents
    from vigil.wiring import monitors

    incidents = all_incidents(ports)
    table = Table("model", "EU AI Act", "tier", "nights", "incidents", "found", title="the bank's portfolio")
    for name, monitor in sorted(monitors()[0].items(), key=lambda item: (item[1].risk.tier, item[0])):
        mine = sorted((i for i in incidents if i.monitor == name), key=lambda i: i.opened_night)
        told = "\n".join(f"{i.opened_night} {i.severity.name}: {_found(i)}" for i in mine)
        cells = (monitor.risk.eu_ai_act, str(monitor.risk.tier), str(_judged(ports, monitor, last)), str(len(mine)))
        table.add_row(name, *cells, escape(told) or "nothing")
    out.print(table)


def _judged(ports: Ports, monitor: Monitor, last: date) -> int:
    return len(ports.results.history(monitor.model, monitor.environment, last + timedelta(days=1), 400))


def _found(incident: Incident) -> str:
    named = [s.verdict.id for f in incident.findings for s in f.signals]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
