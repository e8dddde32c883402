"""Events of the ledger are classes: nobody outside `incidents/events` spells a type or looks into a payload."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from vigil.incidents import events

ROOT = Path(__file__).resolve().parents[2]
HOMES = ("include/vigil", "plugins", "dags", "demo", "benchmarks", "examples")
DEFINED = ROOT / "include/vigil/incidents/events"
STORES = ("adapters/memory.py", "adapters/sql_ledger.py")  # they keep the JSON, and need not know what it says
UNIONS = (events.KnownIncidentEvent, events.KnownModelEvent, events.KnownSystemEvent)
TYPES = {kind.ledger_type() for union in UNIONS for kind in get_args(union)}
MODULES = sorted(p for home in HOMES for p in (ROOT / home).rglob("*.py") if DEFINED not in p.parents)
OTHER_WORDS = {"budget_policy", "never_was"}  # also a key of OpenSLO files, and a status


def types_in(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and n.value in TYPES}


def is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def spelled(tree: ast.AST) -> Iterator[str]:
    """Where a module compares, matches or passes the text of an event's type, or names one that means nothing else."""
    for node in ast.walk(tree):
        about: set[str] = set()
        if (isinstance(node, ast.Compare) and any(is_named(n, "type") for n in ast.walk(node))) or (
            isinstance(node, ast.Match) and is_named(node.subject, "type")
        ):
            about = types_in(node)
        elif isinstance(node, ast.keyword) and node.arg == "type":
            about = types_in(node.value)
        elif isinstance(node, ast.Constant) and node.value in TYPES and "_" in node.value:
            about = {node.value} - OTHER_WORDS
        if about:
            yield f"line {getattr(node, 'lineno', '?')}: {', '.join(sorted(about))}"


def looked_into(tree: ast.AST) -> Iterator[str]:
    """Where a module subscripts a payload, or asks it with `.get`."""
    for node in ast.walk(tree):
        inside = node.value if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            inside = node.func.value
        if inside is not None and is_named(inside, "payload"):
            yield f"line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_spells_an_event_type_or_looks_into_a_payload(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert list(spelled(tree)) == []
    if not str(path).endswith(STORES):
        assert list(looked_into(tree)) == []


@pytest.mark.parametrize(
    "code",
    [
        "ok = event.type == 'opened'",
        "ok = e.type in ('held', 'x')",
        "append(ports, s, key=k, type='recovered', payload={})",
        "kind = 'good_night'",
        "match event.type:\n    case 'opened':\n        pass",
    ],
)
def test_a_spelled_type_is_seen(code: str) -> None:
    assert len(list(spelled(ast.parse(code)))) == 1


@pytest.mark.parametrize("code", ["by = event.payload['by']", "by = event.payload.get('by')"])
def test_a_look_into_a_payload_is_seen(code: str) -> None:
    assert len(list(looked_into(ast.parse(code)))) == 1


@pytest.mark.parametrize("union", UNIONS)
def test_a_type_is_one_class_within_its_kind_of_stream(union: object) -> None:
    types = [kind.ledger_type() for kind in get_args(union)]
    assert sorted(types) == sorted(set(types))


def test_every_event_class_belongs_to_a_stream() -> None:
    members = {kind for union in UNIONS for kind in get_args(union)}
    classes = {v for v in vars(events).values() if isinstance(v, type) and issubclass(v, events.EventBody)}
    assert {kind for kind in classes if not kind.model_fields["type"].is_required()} == members
