"""2 of 3 nights are nights of the calendar, for sigma and quantile rules as for surprise."""

from datetime import timedelta

import pandas as pd
import pytest
from stage import TONIGHT, Bank, states

from vigil.verdicts.types import State

pytestmark = pytest.mark.slow  # real stores, many nights


def richer(rows: pd.DataFrame) -> pd.DataFrame:
    """Everybody asks for half an sd more."""
    return rows.assign(amount=rows["amount"] + 5)


@pytest.mark.parametrize(
    ("gap", "state"), [(1, State.BREACH), (2, State.BREACH), (3, State.WARN), (40, State.WARN)]
)  # fmt: skip
def test_an_odd_night_confirms_for_two_calendar_nights_whatever_was_judged_between(bank: Bank, gap, state):
    bank.serve(TONIGHT, richer)
    assert states(bank.judge(), "mean_shift")["amount"] is State.WARN
    later = TONIGHT + timedelta(days=gap)
    bank.serve(later, richer)
    assert states(bank.judge(later), "mean_shift")["amount"] is state
