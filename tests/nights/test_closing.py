"""An incident ends with good nights also where its question is asked only when the answer is bad."""

import json
from datetime import date, timedelta

import pytest
from stage import TONIGHT, Bank

from vigil.incidents.types import Incident, Status
from vigil.usecases.incidents import all_incidents

pytestmark = pytest.mark.slow  # real stores, many nights
SUITE = {"name": "shop", "meta": {}, "expectations": [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "tenure"}, "meta": {}, "severity": "critical"},
    {"type": "expect_column_to_exist", "kwargs": {"column": "amount"}, "meta": {}, "severity": "critical"},
]}  # fmt: skip


def after(days: int) -> date:
    return TONIGHT + timedelta(days=days)


def one(bank: Bank) -> Incident:
    (found,) = all_incidents(bank.ports)
    return found


def asked(bank: Bank) -> set[str]:
    return {s.verdict.id for f in one(bank).findings for s in f.signals}


def test_two_nights_without_rows_end_with_a_night_that_has_them(bank):
    bank.night(after(0))
    assert all_incidents(bank.ports) == []
    bank.night(after(1))
    assert asked(bank) == {"rows/all"}
    bank.serve(after(2))
    bank.night(after(2))
    assert one(bank).status is Status.RESOLVED


def test_a_missing_column_ends_with_a_night_that_has_it_and_not_with_one_that_has_not(bank):
    for days in (0, 1):
        bank.serve(after(days), answered=lambda rows: rows.drop(columns=["tenure"]))
        bank.night(after(days))
        assert (one(bank).status, asked(bank)) == (Status.OPEN, {"schema/all"})
    bank.serve(after(2))
    bank.night(after(2))
    assert one(bank).status is Status.RESOLVED


def test_answers_that_were_all_the_same_end_when_they_differ_again(bank):
    bank.serve(after(0), answered=lambda rows: rows.assign(prediction="deny"))
    bank.night(after(0))
    assert "top_class_share/all" in asked(bank)
    bank.serve(after(1))
    bank.night(after(1))
    assert one(bank).status is Status.RESOLVED


def test_a_suite_that_could_not_be_read_ends_when_it_runs_and_an_expectation_only_when_it_was_asked_again(bank):
    file = bank.folder / "expectations" / "shop.json"
    bank.monitor = bank.monitor.model_copy(update={"suite": "shop"})
    for days in (0, 1):
        bank.serve(after(days))
        bank.night(after(days))
    assert asked(bank) == {"expectation/suite"}
    file.parent.mkdir()
    file.write_text(json.dumps(SUITE))
    bank.serve(after(2), lambda rows: rows.assign(tenure=rows["tenure"].where(rows.index % 50 != 0)))
    bank.night(after(2))
    null = "expectation/column_values_to_not_be_null(tenure)"
    assert asked(bank) == {"expectation/suite", null}
    file.write_text("not a suite")
    bank.serve(after(3))
    bank.night(after(3))
    assert one(bank).status is Status.OPEN, "nobody could ask"
    file.write_text(json.dumps(SUITE))
    bank.serve(after(4))
    bank.night(after(4))
    assert one(bank).status is Status.RESOLVED
