"""`vigil <command> --help`: every argument and option says what it is, in a sentence of its own."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vigil.cli import app

PUZZLING = re.compile(r"\bso many\b|\bnobody\b|\bsomebody\b|\bof which everything\b|\(s\)")
UNIVERSAL = {"help", "install_completion", "show_completion"}


def commands(command: Any, path: tuple[str, ...] = ("vigil",)) -> Iterator[tuple[str, Any]]:
    """Every command that people see, with its whole name."""
    children = getattr(command, "commands", {})
    if not children:
        yield " ".join(path), command
    for name, child in children.items():
        if not child.hidden:
            yield from commands(child, (*path, name))


ALL = list(commands(typer.main.get_command(app)))
NAMES = [name for name, _ in ALL]


def helps(command: Any) -> dict[str, str]:
    return {p.name: (getattr(p, "help", None) or "").strip() for p in command.params if p.name not in UNIVERSAL}


@pytest.mark.parametrize(("name", "command"), ALL, ids=NAMES)
def test_a_command_and_each_of_its_options_is_explained_in_whole_sentences(name: str, command: Any):
    texts = {name: command.help or "", **helps(command)}
    assert [one for one, text in texts.items() if not re.search(r"[.:)]$", text.strip())] == []


@pytest.mark.parametrize(("name", "command"), ALL, ids=NAMES)
def test_no_two_options_of_a_command_have_the_same_explanation(name: str, command: Any):
    assert [text for text, times in Counter(helps(command).values()).items() if times > 1] == []


@pytest.mark.parametrize(("name", "command"), ALL, ids=NAMES)
def test_no_explanation_is_a_riddle(name: str, command: Any):
    texts = {name: command.help or "", **helps(command)}
    assert {one: text for one, text in texts.items() if PUZZLING.search(text)} == {}


@pytest.mark.parametrize("option", ["--max-features", "--most-features"])
def test_the_number_of_features_is_limited_under_its_name_and_under_the_one_of_older_releases(option: str):
    done = CliRunner().invoke(app, ["init", "Not A Name", "--log", "log.csv", option, "30"])
    assert "No such option" not in done.output
    assert "is not a valid model name" in str(done.exception)
