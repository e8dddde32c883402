"""The reference pages are those of this code, and say something of every key."""

import runpy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigil.cli import app

ROOT = Path(__file__).resolve().parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "reference" / "generate.py"))


SLOW = {"expectations.md"}  # comes from a run of Great Expectations


@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=pytest.mark.slow if p in SLOW else ()) for p in GENERATE["PAGES"]]
)
def test_a_reference_page_is_what_make_docs_would_write(page):
    assert (ROOT / "docs" / "reference" / page).read_text() == GENERATE["PAGES"][page](), "run `make docs`"


def test_every_key_of_a_monitor_has_a_meaning_and_a_section():
    for title, model in GENERATE["_sections"]():
        told = GENERATE["_meanings"](model)
        assert [name for name in model.model_fields if not told.get(name)] == [], title


def test_every_command_is_in_the_reference_and_says_what_it_does():
    page = (ROOT / "docs" / "reference" / "cli.md").read_text()
    for command in ("lint", "init", "ingest", "doctor", "incidents show", "ledger verify"):
        assert f"## `vigil {command}`" in page or f"### `vigil {command}`" in page
    assert "vigil blind" not in page  # for the listener alone


def test_the_schema_for_editors_is_json_that_knows_the_source():
    made = CliRunner().invoke(app, ["schema"])
    assert made.exit_code == 0
    assert '"Source"' in made.stdout
