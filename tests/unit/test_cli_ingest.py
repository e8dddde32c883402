"""`vigil ingest` says where each row is, and takes rows dated oddly only when a person says so."""

import pytest
import yaml
from typer.testing import CliRunner

from tests.unit.usecases.intake_stage import append, loans, monitor
from vigil.cli import app


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Runs the command over a log with one row of each kind."""
    (tmp_path / "monitors").mkdir()
    declared = monitor(source={"only": {"model": "ours"}}).model_dump(mode="json", exclude_unset=True)
    (tmp_path / "monitors/loans.yaml").write_text(yaml.safe_dump(declared))
    times = ["2026-11-20 09:00"] * 3 + ["2199-01-01 09:00", "soon"]
    append(tmp_path / "loans.csv", loans(5, asked_on=times, model=["ours", "ours", "theirs", "ours", "ours"]))
    monkeypatch.setenv("VIGIL_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*flags: str):
        return CliRunner().invoke(app, ["ingest", "loans", *flags])

    return run


def test_each_row_is_somewhere_and_odd_times_are_left_where_nobody_can_be_asked(told):
    done = told()
    assert "took       2 new of 5 rows, 0 labels" in done.output
    assert "others     1 another model's, 1 without a time, 1 with an implausible time" in done.output
    assert "not taken  loans.csv: 1 rows are dated 2199-01-01, " in done.output
    assert "or take them with `vigil ingest MODEL --yes`" in done.output
    assert done.exit_code == 1


def test_rows_dated_oddly_are_taken_when_a_person_says_so(told):
    told()
    done = told("--yes")
    assert "took       1 new of 5 rows" in done.output
    assert "not taken  1 of 5 rows of the source were not taken: loans.csv, row 5: asked_on is no time" in done.output
    assert "2199" not in done.output
    assert done.exit_code == 0


def test_a_file_that_cannot_be_read_is_named(told, tmp_path):
    (tmp_path / "loans.csv").write_text("ref,asked_on\n1\n")
    done = told()
    assert "not taken  loans.csv cannot be read as csv: " in done.output
    assert done.exit_code == 1
