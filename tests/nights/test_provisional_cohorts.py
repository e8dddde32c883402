"""A provisional cohort is held against past cohorts as they were known at its age (docs/statistics.md#late-labels)."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from stage import MODEL, TONIGHT, Bank

from vigil.sdk import log_outcomes
from vigil.usecases.cohorts import same_age
from vigil.verdicts.types import State

pytestmark = pytest.mark.slow  # real stores, many nights


def tell_half(bank: Bank, made, *, wrong: bool = False) -> None:
    """Labels of every second row, a day later."""
    early = bank.labelled(made).iloc[::2]
    label = np.where(early["score"] > 0.5, "0", "1") if wrong else early["label"]
    seen = pd.to_datetime(early["served_at"]) + timedelta(days=1)
    told = pd.DataFrame({"prediction_id": early["prediction_id"], "label": label, "observed_at": seen})
    log_outcomes(MODEL, told, root=bank.log)


def auc(bank: Bank, night):
    found = bank.ports.results.latest(MODEL, "staging", night)
    return next(v for v in found.verdicts if v.metric == "auc")


def test_a_provisional_cohort_warns_when_it_is_worse_than_cohorts_were_at_its_age(bank):
    nights = [TONIGHT + timedelta(days=n) for n in range(10)]
    made = {}
    for n, night in enumerate(nights):
        bank.clock.advance(timedelta(days=1))
        made[night] = bank.serve(night)
        if n:  # yesterday's cohort: half of its labels, a day after
            tell_half(bank, made[nights[n - 1]], wrong=n == 9)
        if n > 2:  # and the rest of an older one
            bank.tell_truth(made[nights[n - 3]], days=3)
        bank.night(night)
    last, before = auc(bank, nights[8]), auc(bank, nights[7])
    assert (last.state, last.cohort) == (State.WARN, "provisional")
    assert "past cohorts at the same age" in last.reason
    assert before.cohort == "provisional"
    assert before.state is State.UNKNOWN
    assert auc(bank, nights[2]).state is State.OK
    alike = same_age(bank.ports, bank.monitor, nights[8], as_of=nights[9], labelled_share=0.5)
    first = bank.ports.results.versions_of_truth(MODEL, "staging", nights[2])
    (then,) = (v.measurement for _, r in first if r.as_of == nights[3] for v in r.verdicts if v.metric == "auc")
    assert then in alike["auc/all"], "as it was known at the age of one night, not as it is now"
    assert auc(bank, nights[2]).measurement not in alike["auc/all"]
