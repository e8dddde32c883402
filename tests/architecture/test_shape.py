"""The shape of the code base: what must not creep in."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VIGIL = ROOT / "include" / "vigil"
MODULES = sorted(VIGIL.rglob("*.py"))
PURE = (
    "core", "profiles", "metrics", "verdicts", "incidents", "diagnosis", "responses", "config", "governance",
    "simulation",
)  # fmt: skip


def names_imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(VIGIL)))
def test_a_module_of_the_library_never_imports_airflow(path):
    assert not any(name.split(".")[0] == "airflow" for name in names_imported(path))


@pytest.mark.parametrize("stage", PURE)
def test_a_pure_stage_reads_no_clock_environment_or_network(stage):
    forbidden = re.compile(r"datetime\.now|utcnow|os\.environ|time\.time\(|import (requests|httpx|socket)\b|sqlalchemy")
    for path in (VIGIL / stage).rglob("*.py"):
        found = forbidden.search(path.read_text())
        assert found is None, f"{path.relative_to(ROOT)}: {found and found.group(0)}"


def test_no_file_is_named_for_nothing():
    bad = [
        p for p in ROOT.glob("**/*.py") if ".venv" not in p.parts and p.stem in {"utils", "helpers", "misc", "common"}
    ]
    assert bad == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(VIGIL)))
def test_a_module_says_what_it_is_and_stays_readable(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)) or not text.strip() or "migrations" in path.parts
    assert text.count("\n") <= 400, f"{path.name} has grown beyond 400 lines: split it"


def test_a_dag_file_stays_a_shell():
    for path in (ROOT / "dags").glob("*.py"):
        assert path.read_text().count("\n") <= 120, f"{path.name}: logic belongs in include/vigil"
