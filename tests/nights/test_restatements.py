"""Labels that come weeks late move their cohort, and the incident: one opens in the past, another never was."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from stage import MODEL, TONIGHT, Bank, states

from vigil.incidents.types import Status
from vigil.sdk import log_outcomes
from vigil.usecases import respond
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.types import State

pytestmark = pytest.mark.slow  # real stores, many nights


def tell(bank: Bank, made, labels, *, days: int) -> None:
    seen = pd.to_datetime(made["served_at"]) + timedelta(days=days)
    log_outcomes(MODEL, pd.DataFrame({"prediction_id": made["prediction_id"], "label": labels, "observed_at": seen}),
                 root=bank.log)  # fmt: skip


def wrong(made):
    return np.where(made["score"] > 0.5, "0", "1")


def right(made):
    return list(Bank.labelled(made)["label"])


def run(bank: Bank, night, **served):
    bank.clock.advance(timedelta(days=1))
    made = bank.serve(night, **served)
    bank.tell_truth(made)
    bank.night(night)
    return made


def auc(bank: Bank, night, **known):
    return states(bank.ports.results.latest(MODEL, "staging", night, **known), "auc")["all"]


def test_labels_three_weeks_late_open_an_incident_in_the_past_that_the_good_nights_after_it_close(bank):
    made = bank.serve(TONIGHT)
    bank.night()
    for n in range(1, 4):
        run(bank, TONIGHT + timedelta(days=n))
    assert all_incidents(bank.ports) == []
    known = bank.clock.now()
    bank.clock.advance(timedelta(days=18))
    tell(bank, made, wrong(made), days=21)
    late = TONIGHT + timedelta(days=21)
    bank.serve(late)
    bank.night(late)
    assert (auc(bank, TONIGHT, known_at=known), auc(bank, TONIGHT)) == (State.UNKNOWN, State.BREACH)
    (incident,) = [i for i in all_incidents(bank.ports) if any(f.family.value == "performance" for f in i.findings)]
    assert incident.opened_night == incident.first_night == TONIGHT
    assert incident.status is Status.RESOLVED
    assert incident.good_nights[0] == TONIGHT + timedelta(days=1)


def test_labels_that_are_corrected_say_that_the_incident_never_was(bank):
    made = bank.serve(TONIGHT)
    tell(bank, made, wrong(made), days=1)
    incident = bank.night()
    assert incident is not None
    assert auc(bank, TONIGHT) is State.BREACH
    known = bank.clock.now()
    bank.clock.advance(timedelta(days=2))
    tell(bank, made, right(made), days=2)
    later = TONIGHT + timedelta(days=2)
    bank.serve(later)
    bank.night(later)
    (closed,) = all_incidents(bank.ports)
    assert closed.status is Status.NEVER_WAS
    assert "no breach any more: auc(all)" in bank.ports.ledger.read(f"incident/{incident}")[-1].payload["why"]
    assert (auc(bank, TONIGHT, known_at=known), auc(bank, TONIGHT)) == (State.BREACH, State.OK)
    plan = respond.plan(bank.ports, {MODEL: bank.monitor}, incident)
    assert any(a["payload"].get("what") == "never_was" for a in plan)
    bank.night(later)
    assert bank.types(f"incident/{incident}").count("never_was") == 1


def test_a_night_of_an_incident_that_never_was_opens_another_when_it_is_bad_after_all(bank):
    made = bank.serve(TONIGHT)
    tell(bank, made, wrong(made), days=1)
    first = bank.night()
    for days, labels in ((2, right(made)), (3, wrong(made))):
        bank.clock.advance(timedelta(days=1))
        tell(bank, made, labels, days=days)
        bank.serve(TONIGHT + timedelta(days=days))
        bank.night(TONIGHT + timedelta(days=days))
    assert auc(bank, TONIGHT) is State.BREACH
    opened = {i.id: i for i in all_incidents(bank.ports)}
    assert set(opened) == {first, f"{first}-2"}
    assert opened[first].status is Status.NEVER_WAS
    assert opened[f"{first}-2"].opened_night == TONIGHT
    bank.night(TONIGHT + timedelta(days=3))
    assert bank.types(f"incident/{first}-2").count("opened") == 1
