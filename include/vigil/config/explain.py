"""Error messages of monitors: file, line, what is wrong, and a suggestion."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from enum import IntEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from vigil.config.schema import Monitor
from vigil.core.spec import Spec

Path = tuple[str | int, ...]


class Problem(Spec):
    """One thing that is wrong, at one place of one file."""

    file: str
    line: int  # 1-based
    column: int  # 1-based
    where: str = ""  # "rules.drift[0].metric"; empty for the whole file
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where + ': ' if self.where else ''}{self.what}"

    def excerpt(self, text: str) -> str:
        """The line with a caret under the place; empty where the file has no such line."""
        lines = text.splitlines()
        if not 0 < self.line <= len(lines):
            return ""
        return f"{self.line:>5} | {lines[self.line - 1]}\n      | {' ' * (self.column - 1)}^"


def near(name: str, known: Collection[str]) -> str:
    """`did you mean 'psi'?`, or the names that exist.

    >>> near("featurs", ["features", "task"])
    "did you mean 'features'?"
    """
    found = get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(sorted(known))}"


def explain(error: ValidationError, file: str, root: Node) -> list[Problem]:
    """All validation errors of the document `root`, each with its line, in order.

    Of a file for another version of Vigil only that is reported, because its other keys may be valid there."""
    told = [e for e in error.errors() if _foreign(e)] or error.errors()
    return in_order([_problem(e["type"], tuple(e["loc"]), e, file, root) for e in told])


def of_another_vigil(error: ValidationError) -> bool:
    """Whether the file is of a format version that this release cannot read."""
    return any(map(_foreign, error.errors()))


def _foreign(error: Mapping[str, Any]) -> bool:
    return tuple(error["loc"]) == ("version",) and error["type"] in ("literal_error", "enum")


def in_order(problems: Collection[Problem]) -> list[Problem]:
    """Each problem once, as a reader of the file meets them."""
    unique = {(p.line, p.where, p.what): p for p in problems}
    return sorted(unique.values(), key=lambda p: (p.line, p.column))


def at(file: str, root: Node, path: Path, what: str, *, key: bool = False) -> Problem:
    """A problem at a path of the document; with `key`, at the key itself instead of its value."""
    mark = locate(root, path, key=key).start_mark
    return Problem(file=file, line=mark.line + 1, column=mark.column + 1, where=dotted(path), what=what)


def dotted(path: Sequence[str | int]) -> str:
    """A path as people write it.

    >>> dotted(("rules", "drift", 0, "metric"))
    'rules.drift[0].metric'
    """
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def locate(root: Node, path: Path, *, key: bool = False) -> Node:
    """The node at a path, or the deepest one that exists on the way there."""
    node = root
    for place, step in enumerate(path):
        pair = _pair(node, step)
        if pair is None:
            return node
        node = pair[0] if key and place == len(path) - 1 else pair[1]
    return node


def _pair(node: Node, step: str | int) -> tuple[Node, Node] | None:
    """(key node, value node) of one step down; an item of a list is its own key."""
    if isinstance(node, MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(step)), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _problem(kind: str, loc: Path, error: Mapping[str, Any], file: str, root: Node) -> Problem:
    path = _known_path(root, loc)
    match kind:
        case "extra_forbidden":
            known = fields_at(loc[:-1])
            return at(file, root, path, f"unknown key {str(loc[-1])!r}; {near(str(loc[-1]), known)}", key=True)
        case "missing":
            return at(file, root, path, f"{str(loc[-1])!r} is missing; add it", key=True)
        case "literal_error" | "enum":
            written = _written(root, path)
            if loc == ("version",):
                reads = " and ".join(_choices(loc, error))
                what = f"{written!r} is of another Vigil, this one reads {reads}; upgrade it if a newer one wrote this"
                return at(file, root, path, what)
            return at(file, root, path, f"{written!r} is not allowed; {near(written, _choices(loc, error))}")
        case "value_error":
            return _own_words(error["msg"].removeprefix("Value error, "), path, file, root)
        case _:
            return at(file, root, path, _wording(kind, error, _written(root, path)))


def _own_words(message: str, path: Path, file: str, root: Node) -> Problem:
    """The message of a validator; one about the whole monitor begins with the key that it is about."""
    field, colon, rest = message.partition(": ")
    if not path and colon and field in Monitor.model_fields:
        return at(file, root, (field,), rest, key=True)
    return at(file, root, path, message)


BOUNDS = {"greater_than_equal": ("at least", "ge"), "greater_than": ("more than", "gt"),
          "less_than_equal": ("at most", "le"), "less_than": ("less than", "lt")}  # fmt: skip
EXPECTED = {"string_type": "text", "bool": "true or false", "int": "a whole number", "float": "a number",
            "tuple_type": "a list", "list_type": "a list", "dict_type": "a mapping of keys",
            "model_type": "a mapping of keys", "model_attributes_type": "a mapping of keys"}  # fmt: skip


def _wording(kind: str, error: Mapping[str, Any], written: str) -> str:
    """Pydantic's error as a sentence: what must be there, what is there, and how to write it right."""
    context = error.get("ctx", {})
    if kind in BOUNDS:
        words, name = BOUNDS[kind]
        return f"must be {words} {context[name]:g}, not {written}"
    if kind == "string_pattern_mismatch":
        return f"{written!r} does not match {context['pattern']}"
    if kind in ("too_short", "string_too_short") and context.get("actual_length") == 0:
        return "must not be empty"
    expected = EXPECTED.get(kind) or EXPECTED.get(kind.partition("_")[0])
    if expected is None:
        return f"{error['msg']}, not {written}"
    remedy = ""
    if isinstance(error["input"], str | int | float) and expected in ("text", "a list"):
        remedy = f'; write it in quotes: "{written}"' if expected == "text" else f"; write [{written}]"
    shown = repr(written) if "number" in expected else written
    return f"must be {expected}, not {shown}{remedy}"


def _written(root: Node, path: Path) -> str:
    """What the file says at a path, as it stands there (YAML reads `no` as false)."""
    node = locate(root, path)
    if isinstance(node, ScalarNode):
        return str(node.value) or "nothing"
    return "a list" if isinstance(node, SequenceNode) else "a mapping of keys"


def _choices(loc: Path, error: Mapping[str, Any]) -> list[str]:
    """The values that may stand at a place, as they are written in YAML."""
    kind = annotation_at(loc)
    numbered = _inside(kind, IntEnum)
    if numbered is not None:
        return list(numbered.__members__)
    expected = str(error.get("ctx", {}).get("expected", ""))
    return [choice.strip(" '") for choice in expected.replace(" or ", ", ").split(",")]


def _known_path(root: Node, loc: Path) -> Path:
    """Pydantic's path without the steps that are not in the document (names of union members)."""
    path: Path = ()
    node = root
    for step in loc:
        pair = _pair(node, step)
        if pair is not None:
            path, node = (*path, step), pair[1]
    return path


def fields_at(path: Path) -> list[str]:
    """The keys that the schema knows at a path; none where it takes any.

    >>> fields_at(("rules", "drift", 0))[:3]
    ['breach', 'floor', 'hard']
    """
    found = _inside(annotation_at(path), BaseModel)
    return sorted(found.model_fields) if found is not None else []


def annotation_at(path: Path) -> Any:
    """The type that the schema has at a path; None where it has none."""
    kind: Any = Monitor
    for step in path:
        model = _inside(kind, BaseModel)
        if model is not None and str(step) in model.model_fields:
            kind = model.model_fields[str(step)].annotation
        elif model is not None and not isinstance(step, int) and get_origin(kind) is not dict:
            return None
    return kind


def _inside(kind: Any, wanted: type) -> Any:
    """The class below `wanted` inside Optional, tuple, list or dict annotations, or None."""
    if isinstance(kind, type) and issubclass(kind, wanted):
        return kind
    if get_origin(kind) not in (Union, UnionType, tuple, list, dict):
        return None
    return next((found for part in get_args(kind) if (found := _inside(part, wanted)) is not None), None)
