"""docs/architecture.md: every path and symbol that it names exists, and it names every room and every value."""

import re
from pathlib import Path

import pytest

from tests.docs.code_references import missing, references

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()

QUESTIONS = ("PSI", "where 0.2 becomes a breach", "where Slack is called", "where an event is defined")
KINDS = ("metric", "threshold", "notifier", "store", "model")


@pytest.mark.parametrize(("path", "symbol"), sorted(references(PAGE)))
def test_a_path_or_symbol_that_the_page_names_exists(path: str, symbol: str):
    assert missing(path, symbol) == ""


def test_every_room_of_the_library_is_in_the_tree():
    (tree,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    rooms = {f.parent.name for f in (ROOT / "include" / "vigil").glob("*/__init__.py")}
    assert sorted(room for room in rooms if f"{room}/" not in tree) == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_newcomers_question_is_a_row_that_names_code(question: str):
    (row,) = re.findall(rf"^\| {re.escape(question)} \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert references(row)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_how_a_thing_of_each_kind_is_added(kind: str):
    (where,) = re.findall(rf"^\| {kind} \| (.*?) \|", PAGE, flags=re.MULTILINE)
    assert "add-a-" in where


def test_slack_is_called_only_where_the_page_says():
    (row,) = re.findall(r"^\| where Slack is called \| (.*) \|$", PAGE, flags=re.MULTILINE)
    named = {path for path, _ in references(row)}
    modules = (ROOT / "include" / "vigil").rglob("*.py")
    imports = re.compile(r"^\s*(?:from|import) slack_sdk", flags=re.MULTILINE)
    importers = {str(f.relative_to(ROOT)) for f in modules if imports.search(f.read_text())}
    assert importers == named
