"""Labels that stop to arrive change no file: time alone makes them overdue, and two cohorts of it reach people."""

from datetime import timedelta

import pytest
from stage import MODEL, TONIGHT, Bank

from vigil.core.words import Family
from vigil.incidents.types import Status
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.types import Cause, State

pytestmark = pytest.mark.slow  # real stores, many nights


def days(first: int, last: int):
    return [TONIGHT + timedelta(days=n) for n in range(first, last + 1)]


def auc(bank: Bank, night):
    found = bank.ports.results.latest(MODEL, "staging", night)
    return next(v for v in found.verdicts if v.metric == "auc")


def test_labels_that_stop_are_an_incident_on_the_second_overdue_cohort_and_it_ends_when_a_later_one_is_good(bank):
    rows = {}
    for night in days(0, 6):  # delay 3 + grace 2: the first cohort is overdue on the sixth night after it
        rows[night] = bank.serve(night)
        assert bank.night(night) is None
    waiting = auc(bank, TONIGHT)
    assert (waiting.state, waiting.cause, waiting.overdue) == (State.UNKNOWN, Cause.LABELS_PENDING, True)
    assert not auc(bank, TONIGHT + timedelta(days=1)).overdue
    assert all_incidents(bank.ports) == []

    seventh = TONIGHT + timedelta(days=7)
    rows[seventh] = bank.serve(seventh)
    bank.night(seventh)
    (incident,) = all_incidents(bank.ports)
    assert [f.family for f in incident.findings] == [Family.PERFORMANCE]
    assert incident.opened_night == TONIGHT + timedelta(days=1)
    said = len(bank.ports.ledger.read(f"incident/{incident.id}"))
    bank.night(seventh)
    assert len(bank.ports.ledger.read(f"incident/{incident.id}")) == said, "told again"

    for night in days(0, 4):
        bank.tell_truth(rows[night])
    eighth = TONIGHT + timedelta(days=8)
    bank.serve(eighth)
    bank.night(eighth)
    (closed,) = all_incidents(bank.ports)
    assert closed.status is Status.RESOLVED
    assert closed.good_nights[0] == incident.opened_night + timedelta(days=1)


def test_a_mature_cohort_is_not_judged_again_because_a_few_labels_never_came(bank):
    made = bank.serve(TONIGHT)
    bank.night()
    bank.tell_truth(made.head(700))  # 88 %
    for night in days(1, 8):
        bank.night(night)
    assert auc(bank, TONIGHT).state is State.OK
    assert len(bank.ports.results.versions_of_truth(MODEL, "staging", TONIGHT)) == 2
