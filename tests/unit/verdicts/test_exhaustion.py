"""The exhaustion date: remaining over nightly spend, with a range, and no date where none can be told."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.unit.verdicts.made_measurements import NIGHT
from vigil.verdicts.budget import budget
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import Prospect, Slo

AVAILABLE = Slo(name="availability", sli="availability", target=0.99, nights=28)
FAIR = Slo(name="fair", sli="good_nights", target=25 / 28, nights=28)


def window(*bads, total=1000):
    """Nights with so many bad of `total`; None: could not be counted. The last is NIGHT."""
    days = [NIGHT - timedelta(days=n) for n in range(len(bads) - 1, -1, -1)]
    sizes = [0 if bad is None else total for bad in bads]
    return [
        Spent(night=d, good=n - (bad or 0), total=n) for d, n, bad in zip(days, sizes, bads, strict=True)
    ]  # fmt: skip


def prospect(slo, *bads, **more):
    return budget(slo, window(*bads, **more)).exhaustion


def test_it_is_what_remains_over_the_mean_spend_of_the_last_seven_nights():
    """28,000 rows allow 280 bad; 7 nights of 20 leave 140, which last 7 more such nights."""
    found = prospect(AVAILABLE, *[0] * 21, *[20] * 7)
    assert (found.prospect, found.on) == (Prospect.BURNING, NIGHT + timedelta(days=7))
    assert found.earliest < found.on < found.latest
    assert found.on - found.earliest <= timedelta(days=2), "steady spends have a narrow range"


def test_spends_that_differ_from_night_to_night_widen_the_range():
    steady, jumping = prospect(AVAILABLE, *[0] * 21, *[20] * 7), prospect(AVAILABLE, *[0] * 21, *[5, 35] * 3, 20)
    assert jumping.on == steady.on
    assert jumping.earliest < steady.earliest
    assert jumping.latest is None or jumping.latest > steady.latest


def test_a_rate_below_the_allowed_one_is_given_back_by_the_window_and_exhausts_nothing():
    found = prospect(AVAILABLE, *[5] * 28)
    assert (found.prospect, found.on, found.latest) == (Prospect.HOLDING, None, None)
    assert prospect(AVAILABLE, *[5] * 10).prospect is Prospect.HOLDING, "nor does it while the window is young"


def test_what_is_spent_before_the_last_seven_nights_leaves_less_and_burns_no_more():
    assert prospect(AVAILABLE, *[0] * 10, 200, *[0] * 17).prospect is Prospect.NOT_BURNING


def test_bad_nights_that_leave_the_window_in_time_put_the_end_off():
    old = prospect(AVAILABLE, 130, *[0] * 20, *[20] * 7)
    young = prospect(AVAILABLE, *[0] * 20, 130, *[20] * 7)
    assert young.on == NIGHT + timedelta(days=1)
    assert old.on == NIGHT + timedelta(days=7)


@pytest.mark.parametrize("bads", [[10] * 28, [20] * 28, [1000]])
def test_a_budget_that_is_spent_has_no_date_ahead(bads):
    assert prospect(AVAILABLE, *bads).prospect is Prospect.EXHAUSTED


def test_nothing_is_extrapolated_over_nights_that_nobody_knows():
    found = prospect(AVAILABLE, *[0] * 20, *[20] * 6, None)
    assert (found.prospect, found.on) == (Prospect.UNKNOWN, None)
    assert found.why == f"the night of {NIGHT} could not be counted"
    skipped = prospect(AVAILABLE, *[0] * 18, *[20] * 4, None, None, *[20] * 3)
    assert skipped.prospect is Prospect.BURNING, "lost nights between counted ones are skipped, not taken as good"


def test_two_counted_nights_tell_no_rate_and_none_tells_nothing():
    assert prospect(AVAILABLE, 1, 1).why == "2 counted nights are too few; 3 are needed"
    assert prospect(AVAILABLE, None).why == "nothing could be counted yet"


def test_one_bad_night_in_seven_has_a_wide_range():
    found = prospect(FAIR, *[0] * 21, *[0] * 6, 1, total=1)
    assert found.prospect is Prospect.BURNING
    assert found.on == NIGHT + timedelta(days=14)
    assert found.earliest <= NIGHT + timedelta(days=5)
    assert found.latest is None


def test_more_bad_rows_never_put_the_end_off():
    ends = [prospect(AVAILABLE, *[0] * 21, *[bad] * 7).on for bad in (15, 18, 22, 30, 39)]
    assert all(later <= sooner for sooner, later in pairwise(ends))
