"""Writes docs/reference/: what a monitor's YAML may say, and what the command line can do. `make docs` runs it.

The words are those of the code: the docstring of each class (`name: meaning`), and the comment behind a field.
"""

from __future__ import annotations

import inspect
import re
import runpy
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typer.cli import get_docs_for_click

from vigil.cli import app
from vigil.cli_metrics import described, rule, words
from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.settings import Settings
from vigil.verdicts.types import Bound

HERE = Path(__file__).parent
INTRO = (
    "One YAML file in `monitors/` says how one model is watched. `vigil lint` checks it, `vigil schema` prints its "
    "JSON schema for editors, `vigil init` writes a first one from a log."
)
NOTE = "<!-- Written by `make docs` from the code. Do not edit. -->\n"


def configuration() -> str:
    """Every key of a monitor, section by section."""
    lines = [NOTE, "# Configuration", "", INTRO, ""]
    for title, model in _sections():
        lines += [
            f"## {title}",
            "",
            *_intro(model),
            "",
            "| key | value | default | meaning |",
            "| --- | --- | --- | --- |",
        ]
        lines += [_row(model, name, field) for name, field in model.model_fields.items()]
        lines.append("")
    lines += ["## Environment", "", "Read from the environment, or from a file `.env` where the process starts.", "",
              "| variable | default | meaning |", "| --- | --- | --- |"]  # fmt: skip
    told = _meanings(Settings)
    for name, field in Settings.model_fields.items():
        default = (
            ""
            if field.default in (None, PydanticUndefined) or isinstance(field.default, Path)
            else f"`{field.default}`"
        )
        lines.append(f"| `VIGIL_{name.upper()}` | {default} | {told.get(name, '')} |")
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """Every metric, by family, with what its own documentation says."""
    lines = [NOTE, "# Metrics", "", "What a rule can ask about. `vigil metrics NAME` says the same in a terminal; "
             "`docs/add-a-metric.md` tells how one is added."]  # fmt: skip
    for family in Family:
        lines += ["", f"## {family.value}", ""]
        for entry in (e for e in CATALOG.values() if e.family is family):
            lines += [f"### {entry.name}", "", f"{entry.says[0].upper()}{entry.says[1:]}. *{described(entry)}.*", "",
                      words(entry), "", f"Rule: `{rule(entry)}`", ""]  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def command_line() -> str:
    """Every command with its options, as Typer knows them."""
    command: Any = typer.main.get_command(app)
    command.commands = {name: one for name, one in command.commands.items() if not one.hidden}
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="vigil", title="Command line")
    return NOTE + "\n" + text


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """The monitor, and every model that it is made of, in the order of the keys."""
    seen: set[type[BaseModel]] = set()
    ahead: list[tuple[str, type[BaseModel]]] = [("The monitor", Monitor)]
    while ahead:
        title, model = ahead.pop(0)
        if model in seen:
            continue
        seen.add(model)
        yield title.replace("rules.service", "rules.<family>"), model
        ahead[:0] = [(f"{_prefix(title)}{name}", part) for name, field in model.model_fields.items()
                     for part in _models(field.annotation)]  # fmt: skip


def _prefix(title: str) -> str:
    return "" if title == "The monitor" else f"{title}."


def _models(annotation: Any) -> list[type[BaseModel]]:
    if annotation is Bound:
        return []  # written as text
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]


def _intro(model: type[BaseModel]) -> list[str]:
    """The docstring without the lines that explain single fields."""
    lines = inspect.cleandoc(model.__doc__ or "").splitlines()
    kept = []
    for line in lines:
        if re.match(rf"({'|'.join(model.model_fields)})(,| \+|:)", line):
            break
        kept.append(line)
    return [" ".join(" ".join(kept).split())]


def _row(model: type[BaseModel], name: str, field: Any) -> str:
    required = field.is_required()
    default = "**required**" if required else _default(field)
    return f"| `{name}` | {_kind(field.annotation)} | {default} | {_meanings(model).get(name, '')} |"


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{k}: {getattr(v, 'name', v)}" for k, v in value.items()) + "}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


NAMES = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def _kind(annotation: Any) -> str:
    """A type as people say it."""
    origin, args = get_origin(annotation), [a for a in get_args(annotation) if a is not type(None)]
    if annotation is Bound:
        return 'text such as `"< 0.8"`'
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    if origin is not None:
        return _compound(origin, args)
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return ", ".join(f"`{e.name if isinstance(e.value, int) else e.value}`" for e in annotation)
    return NAMES.get(annotation, "mapping" if inspect.isclass(annotation) else "any")


def _compound(origin: Any, args: list[Any]) -> str:
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_kind(a) for a in args))
    if origin is Literal:
        return ", ".join(f"`{a}`" for a in args)
    if origin is dict:
        return f"{_kind(args[0])} → {_kind(args[1])}"
    return f"list of {_kind(args[0])}"


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Field -> what it means: from `name: meaning` in the docstring, else from the comment behind it."""
    source, told = inspect.getsource(model), {}
    for name in model.model_fields:
        behind = re.search(rf"^    {name}: .*?  # (?!noqa)(.+)$", source, flags=re.MULTILINE)
        if behind:
            told[name] = behind[1].strip()
    told |= _documented(model)
    return {name: text.replace("|", "\\|") for name, text in told.items()}


def _documented(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring's lines `name: meaning`, `one, two: meaning` and their continuations say."""
    told: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(model.__doc__ or "").splitlines():
        head = re.match(r"([a-z_]+(?:(?:, | \+ | / )[a-z_]+)*): +(.*)", line)
        listed = re.split(r", | \+ | / ", head[1]) if head else []
        if head and set(listed) <= set(model.model_fields):
            names = listed
            first, *others = re.split(r"  (?=[a-z_]+: )", head[2])  # two fields on one line
            told |= dict.fromkeys(names, first)
            told |= dict(other.split(": ", 1) for other in others)
        elif names and line.startswith(" "):
            told |= {name: f"{told[name]} {line.strip()}" for name in names}
        else:
            names = []
    return told


def expectations() -> str:
    """Every core expectation, from a run of a minute."""
    text: str = runpy.run_path(str(HERE / "expectations.py"))["expectations"]()
    return text


PAGES = {
    "configuration.md": configuration,
    "cli.md": command_line,
    "metrics.md": metrics,
    "expectations.md": expectations,
}


def main() -> int:
    """Writes the pages; with --check says which are out of date."""
    stale = [name for name, page in PAGES.items() if not (HERE / name).exists() or (HERE / name).read_text() != page()]
    if "--check" in sys.argv:
        sys.stderr.write("".join(f"docs/reference/{name} is out of date: run `make docs`\n" for name in stale))
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(PAGES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
