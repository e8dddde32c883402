"""Errors of a monitor in words: file, line, what is wrong, and what was probably meant."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from vigil.config.schema import Monitor
from vigil.core.spec import Spec

Path = tuple[str | int, ...]


class Problem(Spec):
    """One thing that is wrong, at one place of one file."""

    file: str
    line: int  # 1-based
    column: int  # 1-based
    where: str  # "rules.drift[0].metric"; empty for the whole file
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where + ': ' if self.where else ''}{self.what}"

    def excerpt(self, text: str) -> str:
        """The line with a caret under the place."""
        lines = text.splitlines()
        if not 0 < self.line <= len(lines):
            return ""
        return f"{self.line:>5} | {lines[self.line - 1]}\n      | {' ' * (self.column - 1)}^"


def near(name: str, known: Collection[str]) -> str:
    """`did you mean 'psi'?`, or the names that exist.

    >>> near("featurs", ["features", "task"])
    "did you mean 'features'?"
    """
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(sorted(known))}"


def explain(error: ValidationError, file: str, root: Node) -> list[Problem]:
    """All problems of a validation, each at its place in the file, in the order of the lines."""
    problems = [_problem(e["type"], tuple(e["loc"]), e, file, root) for e in error.errors()]
    unique = {(p.line, p.where, p.what): p for p in problems}
    return sorted(unique.values(), key=lambda p: (p.line, p.column))


def at(file: str, root: Node, path: Path, what: str, *, key: bool = False) -> Problem:
    """A problem at a path of the document; with `key`, at the key itself instead of its value."""
    node = locate(root, path, key=key)
    return Problem(
        file=file,
        line=node.start_mark.line + 1,
        column=node.start_mark.column + 1,
        where=dotted(path),
        what=what,
    )


def dotted(path: Sequence[str | int]) -> str:
    """`rules.drift[0].metric`.

    >>> dotted(("rules", "drift", 0, "metric"))
    'rules.drift[0].metric'
    """
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def locate(root: Node, path: Path, *, key: bool = False) -> Node:
    """The node at a path, or the deepest one that exists on the way there."""
    node = root
    for place, step in enumerate(path):
        if isinstance(node, MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                return node
            node = pair[0] if key and place == len(path) - 1 else pair[1]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return node
    return node


def _problem(kind: str, loc: Path, error: Mapping[str, Any], file: str, root: Node) -> Problem:
    path = _known_path(root, loc)
    match kind:
        case "extra_forbidden":
            what = f"unknown key {loc[-1]!r}; {near(str(loc[-1]), fields_at(loc[:-1]))}"
            return at(file, root, path, what, key=True)
        case "missing":
            return at(file, root, path[:-1] if path == loc else path, f"{dotted(loc)} is missing; add it")
        case "literal_error" | "enum":
            expected = str(error.get("ctx", {}).get("expected", ""))
            choices = [c.strip(" '") for c in expected.replace(" or ", ", ").split(",")]
            return at(file, root, path, f"{error['input']!r} is not allowed; {near(str(error['input']), choices)}")
        case _:
            message = error["msg"].removeprefix("Value error, ")
            shown = "" if isinstance(error["input"], dict | list | BaseModel) else f" (it is {error['input']!r})"
            return at(file, root, path, f"{message}{shown}" if kind != "value_error" else message)


def _known_path(root: Node, loc: Path) -> Path:
    """Pydantic's path without the steps that are not in the document (names of union members)."""
    path: Path = ()
    for step in loc:
        node = locate(root, path)
        mapped = isinstance(node, MappingNode) and any(k.value == str(step) for k, _ in node.value)
        listed = isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value)
        if mapped or listed:
            path = (*path, step)
    return path


def fields_at(path: Path) -> list[str]:
    """The keys that the schema knows at a path."""
    kind: Any = Monitor
    for step in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(step))
            if field is None:
                return []
            kind = field.annotation
        kind = _model_in(kind) if not isinstance(step, int) else kind
    found = _model_in(kind)
    return sorted(found.model_fields) if found is not None else []


def _model_in(kind: Any) -> Any:
    """The model inside Optional, tuple, list or dict annotations, or None."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) in (Union, UnionType, tuple, list, dict):
        for part in get_args(kind):
            found = _model_in(part)
            if found is not None and not (isinstance(found, type) and issubclass(found, Enum)):
                return found
    return None
