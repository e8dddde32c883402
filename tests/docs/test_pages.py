"""The pages are true: links lead somewhere, commands exist with their options, code runs."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from vigil.adapters.memory import FrozenClock
from vigil.cli import app
from vigil.responses.types import Message, Room

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND: Any = typer.main.get_command(app)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_of_a_page_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{named(page)} leads to {target}"
        if anchor and there.suffix == ".md":
            heads = [re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in
                     re.findall(r"^#+ (.*)$", there.read_text(), flags=re.MULTILINE)]  # fmt: skip
            assert anchor in heads, f"{named(page)} leads to {target}"


def vigil_commands(page: Path) -> list[str]:
    text = page.read_text()
    shown = [line[2:] for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
             for line in block.splitlines() if line.startswith("$ vigil ")]  # fmt: skip
    return [line.split("  #")[0].strip() for line in shown if "[OPTIONS]" not in line]


@pytest.mark.parametrize("page", [p for p in PAGES if vigil_commands(p)], ids=named)
def test_every_command_of_a_page_exists_with_its_arguments_and_options(page):
    day = datetime(2026, 11, 15, tzinfo=UTC).date().isoformat()
    for line in vigil_commands(page):
        words = [w.replace("NIGHT", day) for w in shlex.split(line)[1:]]
        command, context = COMMAND, typer.Context(COMMAND, info_name="vigil")
        while isinstance(command, click.Group) or hasattr(command, "commands"):
            name, command, words = command.resolve_command(context, words)
            assert command is not None, f"{named(page)}: {line}: no command {name!r}"
        command.make_context("vigil", words)  # raises where an argument is missing or an option unknown


def test_the_metric_of_the_page_is_one(tmp_path):
    import doctest

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "add-a-metric.md").read_text(), flags=re.DOTALL)
    space: dict[str, Any] = {"__name__": "least_bin_share"}
    exec(compile(code, "docs/add-a-metric.md", "exec"), space)
    ran = doctest.DocTestRunner()
    (found,) = doctest.DocTestFinder().find(space["least_bin_share"], "least_bin_share", globs=space)
    assert ran.run(found).attempted == 3
    assert ran.failures == 0


def test_the_notifier_of_the_page_says_nothing_twice(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "add-a-notifier.md").read_text(), flags=re.DOTALL)
    space: dict[str, Any] = {}
    exec(compile(code, "docs/add-a-notifier.md", "exec"), space)
    clock = FrozenClock(datetime(2026, 11, 15, tzinfo=UTC))
    path = tmp_path / "said.jsonl"
    room = Room(name="inc-1", topic="t", purpose="p", invite=(), summary=Message(text="it broke"))
    for _ in range(2):
        notifier = space["FileNotifier"](path, clock)  # a new process, after a crash
        opened = notifier.open_room("a1", room)
        assert notifier.open_room("a1", room) == opened
        assert notifier.update_room("a2", opened.reference, room).reference == opened.reference
        assert notifier.post("a3", opened.reference["channel"], Message(text="news")).action == "a3"
    assert len(path.read_text().splitlines()) == 3
