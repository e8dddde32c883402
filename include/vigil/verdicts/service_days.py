"""On which weekdays a model serves: a day without rows on another weekday is a day of rest, and no night.

Declared (`serves:`), or learnt from the model's own judged past. A silence is never learnt from itself: what is looked
at ends with the last night that had rows.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Literal, get_args

from vigil.core.spec import Spec
from vigil.verdicts.types import NightResult

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
NAMES = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
KNOWN_NIGHTS = 90  # before tonight, that are looked at
LEAST_WEEKS = 3  # of a weekday, before its silence is a habit
SELDOM = 0.25  # of the share of the weekday that has rows most often: what is served less often is an exception
WEEK = timedelta(days=7)


class ServiceDays(Spec):
    """Weekdays (0 is Monday) on which no rows are expected.

    resting: the model rests then. undecided: it never had rows then, and too few weeks are known to call that a habit.
    newest: the last night with rows before tonight. declared: whether people said so (`serves:`).
    """

    resting: frozenset[int] = frozenset()
    undecided: frozenset[int] = frozenset()
    newest: date | None = None
    declared: bool = False

    def rests(self, day: date) -> bool:
        """Whether a day without rows is no night.

        On an undecided weekday it is none for a week after the last rows: a longer silence is no weekly habit.
        """
        return day.weekday() in self.resting or self.waits(day)

    def waits(self, day: date) -> bool:
        """Whether it is not known yet if the model serves on that weekday."""
        return day.weekday() in self.undecided and self.newest is not None and day - self.newest < WEEK


EVERY_DAY = ServiceDays()


def service_days(serves: Collection[Weekday] | None, past: Sequence[NightResult], tonight: date) -> ServiceDays:
    """The calendar of tonight. serves: the declared weekdays; None learns them from `past`."""
    if serves is not None:
        return ServiceDays(resting=frozenset(range(7)) - {WEEKDAYS.index(day) for day in serves}, declared=True)
    return learnt((r.night for r in past if r.rows), tonight)


def learnt(served: Iterable[date], tonight: date) -> ServiceDays:
    """From the nights that had rows.

    >>> mondays = [date(2026, 11, 2) + timedelta(days=7 * n) for n in range(4)]
    >>> sorted(learnt(mondays, date(2026, 11, 24)).resting)
    [1, 2, 3, 4, 5, 6]
    >>> young = learnt(mondays[:1], date(2026, 11, 4))
    >>> sorted(young.resting), young.rests(date(2026, 11, 4)), young.rests(date(2026, 11, 9))
    ([], True, False)
    """
    known = {day for day in served if tonight - timedelta(days=KNOWN_NIGHTS) <= day < tonight}
    if not known:
        return EVERY_DAY
    first, newest = min(known), max(known)
    spell = [first + timedelta(days=n) for n in range((newest - first).days + 1)]
    weeks = [sum(day.weekday() == weekday for day in spell) for weekday in range(7)]
    shares = [
        sum(day.weekday() == weekday for day in known) / weeks[weekday] if weeks[weekday] else 0.0
        for weekday in range(7)
    ]
    seldom = {weekday for weekday in range(7) if shares[weekday] < SELDOM * max(shares)}
    return ServiceDays(
        resting=frozenset(weekday for weekday in seldom if weeks[weekday] >= LEAST_WEEKS),
        undecided=frozenset(weekday for weekday in seldom if weeks[weekday] < LEAST_WEEKS and not shares[weekday]),
        newest=newest,
    )


def nights_of_service(served: Collection[date], tonight: date, service: ServiceDays, *, count: int) -> list[date]:
    """The last `count` nights of service before tonight, oldest first. A day with rows is one, on whichever weekday.

    >>> fridays = ServiceDays(resting=frozenset({5, 6}))
    >>> [day.day for day in nights_of_service([], date(2026, 11, 23), fridays, count=2)]
    [19, 20]
    """
    nights: list[date] = []
    day = tonight
    while len(nights) < count:  # some weekday is always one of service
        day -= timedelta(days=1)
        if day in served or not service.rests(day):
            nights.append(day)
    return nights[::-1]


def night_before(past: Sequence[NightResult]) -> NightResult | None:
    """The last of `past` that was a night: it had rows, or should have had them."""
    return next((r for r in reversed(past) if r.rows or any(v.overdue for v in r.verdicts)), None)


def service_note(service: ServiceDays, night: date, *, rows: int) -> str:
    """What is to be said of the weekday; "" where the night is like others."""
    name = NAMES[night.weekday()]
    if rows:
        unexpected = service.declared and service.rests(night)
        return f"{rows:,} rows, though `serves:` names no {name}; they are judged as usual" if unexpected else ""
    if not service.rests(night):
        return ""
    if service.waits(night):
        return (
            f"no rows, as on all {name} so far; whether the model serves on {name} is known after {LEAST_WEEKS} weeks, "
            "or from `serves:` in the monitor's file"
        )
    return f"no service on {name}: {'as `serves:` says' if service.declared else 'learnt from the nights before'}"
