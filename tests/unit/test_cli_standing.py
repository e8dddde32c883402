"""`vigil accept`, and what `vigil incidents list` says of it, on a home with an open incident."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from tests.ui.reliability_state import made
from vigil import wiring
from vigil.cli import app
from vigil.core.errors import DataError
from vigil.settings import Settings
from vigil.usecases.incidents import all_incidents

IN_A_MONTH = (datetime.now(UTC) + timedelta(days=30)).date()


@pytest.fixture
def vigil(tmp_path, monkeypatch):
    folder, state = made(tmp_path)
    for name, value in (("VIGIL_HOME", folder), ("VIGIL_STATE", state), ("COLUMNS", 200)):
        monkeypatch.setenv(name, str(value))

    def run(*words):
        return CliRunner().invoke(app, [str(w) for w in words])

    return run


def the_incident():
    (found,) = all_incidents(wiring.open_ports(Settings()))
    return found


def accept(vigil, question, **more):
    options = {"review": IN_A_MONTH, "by": "ana@bank.example", "reason": "version 5 comes in March", **more}
    words = [w for name, value in options.items() for w in (f"--{name}", value)]
    return vigil("accept", the_incident().id, question, *words)


def test_a_question_that_the_incident_shows_can_be_accepted_and_is_listed_with_its_review(vigil):
    question = next(iter(the_incident().questions))
    assert question in vigil("incidents", "show", the_incident().id).output
    told = accept(vigil, question)
    assert told.exit_code == 0, told.output
    assert f"{question}: accepted until {IN_A_MONTH} by ana@bank.example" in told.output
    listed = vigil("incidents", "list").output
    assert f"{question}  accepted since {the_incident().questions[question].standing.first_night}" in listed
    assert f"review on {IN_A_MONTH}" in listed


def test_accepting_says_what_is_wrong_with_it_and_records_nothing(vigil):
    before = the_incident().events
    told = accept(vigil, "no_such/question")
    assert isinstance(told.exception, DataError)
    assert "its questions: " in str(told.exception)
    assert accept(vigil, next(iter(the_incident().questions)), reason=" ").exit_code == 1
    assert the_incident().events == before


def test_accepting_needs_a_person_and_a_reason(vigil):
    told = vigil("accept", the_incident().id, "x/y", "--review", IN_A_MONTH)
    assert told.exit_code == 2
    assert "--by" in told.output
