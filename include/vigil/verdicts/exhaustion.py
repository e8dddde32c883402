"""When a budget is exhausted, if the nights to come are like the last ones; with a range, or why it cannot be told."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import sqrt
from statistics import fmean, stdev

from vigil.metrics.intervals import wilson
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import Exhaustion, Prospect

RECENT = 7  # counted nights that the spend is taken from
FEWEST = 3
TINY = 1e-9

Left = Callable[[float, float], float | None]  # (good, total) of a window -> the share of the budget that is left


def exhaustion(window: Sequence[Spent], nights: int, left: Left) -> Exhaustion:
    """The first night on which nothing is left, when every night to come adds the mean of the last RECENT counted ones.

    Nights that leave the window give back what they spent, so this is remaining / mean nightly spend wherever no bad
    night leaves it before, and no date at all where the window gives back faster than the nights spend.
    window: what counts, oldest first, without nights that wait for labels. The range takes the 95 % limits of the
    spend: between nights (t) or within them (Wilson), whichever is further. A last night that could not be counted
    has no date: nothing is extrapolated over what is not known.
    """
    counted = [n for n in window if n.total > 0]
    now = left(sum(n.good for n in counted), sum(n.total for n in counted))
    if now is None:
        return _unknown("nothing could be counted yet")
    if now <= TINY:
        return Exhaustion(prospect=Prospect.EXHAUSTED)
    if window[-1].total == 0:
        return _unknown(f"the night of {window[-1].night} could not be counted")
    recent = counted[-RECENT:]
    if len(recent) < FEWEST:
        return _unknown(f"{len(recent)} counted nights are too few; {FEWEST} are needed")
    low, mean, high = _bad_share(recent)
    if mean <= 0:
        return Exhaustion(prospect=Prospect.NOT_BURNING)
    size = fmean(n.total for n in recent)
    after = [_nights_until(window, nights, left, size, bad) for bad in (mean, high, low)]
    on, earliest, latest = (None if k is None else window[-1].night + timedelta(days=k) for k in after)
    prospect = Prospect.HOLDING if on is None else Prospect.BURNING
    return Exhaustion(prospect=prospect, on=on, earliest=earliest, latest=latest)


def _unknown(why: str) -> Exhaustion:
    return Exhaustion(prospect=Prospect.UNKNOWN, why=why)


def _bad_share(nights: Sequence[Spent]) -> tuple[float, float, float]:
    """(low, mean, high) of the share that is bad, 95 %, the wider of the two intervals on each side."""
    from scipy.special import stdtrit

    total = sum(n.total for n in nights)
    bad = total - sum(n.good for n in nights)
    mean = bad / total
    inner = wilson(bad, total)
    each = [(n.total - n.good) / n.total for n in nights]
    half = float(stdtrit(len(each) - 1, 0.975)) * stdev(each) / sqrt(len(each))
    return max(0.0, min(inner[0], mean - half)), mean, min(1.0, max(inner[1], mean + half))


def _nights_until(window: Sequence[Spent], nights: int, left: Left, size: float, bad: float) -> int | None:
    """How many nights of `size` events, `bad` of them bad, exhaust the budget; None: not even a window of them."""
    good, total = sum(n.good for n in window), sum(n.total for n in window)
    leaving = list(window)
    for ahead in range(1, nights + 1):
        good, total = good + size * (1 - bad), total + size
        if len(window) + ahead > nights:
            gone = leaving.pop(0)
            good, total = good - gone.good, total - gone.total
        now = left(good, total)
        if now is not None and now <= TINY:
            return ahead
    return None


def in_words(found: Exhaustion | None) -> str:
    """When the budget ends, as a clause.

    >>> from datetime import date
    >>> in_words(Exhaustion(prospect="burning", on=date(2026, 12, 4), earliest=date(2026, 12, 2)))
    'exhausted on 2026-12-04 at this rate (2026-12-02 at the earliest, or never)'
    >>> in_words(Exhaustion(prospect="not burning"))
    'not burning'
    """
    if found is None:
        return "not projected yet"
    match found.prospect:
        case Prospect.EXHAUSTED:
            return "exhausted"
        case Prospect.NOT_BURNING:
            return "not burning"
        case Prospect.UNKNOWN:
            return f"no date can be told: {found.why}"
        case Prospect.HOLDING:
            least = f"; {found.earliest} at the earliest" if found.earliest else ""
            return f"never exhausted at this rate: the window gives back what is spent{least}"
        case Prospect.BURNING:
            until = f"to {found.latest}" if found.latest else "at the earliest, or never"
            return f"exhausted on {found.on} at this rate ({found.earliest} {until})"
