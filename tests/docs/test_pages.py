"""The commands that the pages show exist, with their arguments and options."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from vigil.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND: Any = typer.main.get_command(app)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


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
