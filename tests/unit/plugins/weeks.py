"""Forty nights of the credit model as they could have been: calm, then one input and one group go wrong."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tests.golden.messages.stories import NIGHT
from tests.unit.plugins.shown import MONITOR, night
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Measurement
from vigil.verdicts.types import Budget, BurnLevel, Cause, Exhaustion, NightResult, State, Verdict
from vigil.verdicts.words import measured as words

NIGHTS = 40
BAD = 4  # nights since which it goes wrong
LABEL_DELAY = MONITOR.labels.delay_nights
MOVED, HOLDOUT = "repayment_status_sep", "holdout of version 3"
NOT_JUDGED = NIGHT - timedelta(days=17)
WAS = {"auc": 0.77, "precision": 0.52, "recall": 0.6, "selection_rate_ratio": 0.97}
GROUPS = ("sex=female", "age_band=25_or_under")


def measured(metric: str, subject: str, value: float | None, *, spread: float = 0.0, n: int = 2410) -> Measurement:
    """A number of the catalogue with its interval."""
    entry = CATALOG[metric]
    low, high = (None, None) if value is None or not spread else (value - spread, value + spread)
    return Measurement(
        metric=metric, subject=subject, family=entry.family, kind=entry.kind, value=value, low=low, high=high, n=n,
        unit=entry.unit, worse=entry.worse, yardstick=HOLDOUT, baseline=WAS.get(metric, 0.0),
        why_not="" if value is not None else "every value is null",
    )  # fmt: skip


def judged(m: Measurement, state: State = State.OK, limit: str = "", *, cause: Cause | None = None) -> Verdict:
    """The verdict on it."""
    reason = f"{m.metric}({m.subject})" + (f": {cause.value}" if cause else f" {words(m)}")
    return Verdict(metric=m.metric, subject=m.subject, family=m.family, state=state, cause=cause, reason=reason,
                   measurement=m, limit=limit)  # fmt: skip


def weeks(until: date = NIGHT, *, nights: int = NIGHTS, features: tuple[str, ...] = ()) -> list[NightResult]:
    """The nights but one, oldest first; `features` in place of the monitor's own."""
    ages = [n for n in range(nights - 1, -1, -1) if until - timedelta(days=n) != NOT_JUDGED]
    return [_night(until - timedelta(days=n), n, features or tuple(MONITOR.features)) for n in ages]


def _night(on: date, age: int, features: tuple[str, ...]) -> NightResult:
    dice = Random(age)
    verdicts = [*_drift(features, age, dice), *_fairness(age, dice), *_performance(age, dice)]
    volume = measured("volume", "all", 2410.0)
    answered = measured("success_rate", "all", 0.996, spread=0.002)
    verdicts += [judged(volume, limit="6 sigma of 28 nights"), judged(answered, limit="< 0.98")]
    verdicts += [judged(measured("missing", f, 0.004, spread=0.003), limit="> 0.05") for f in features]
    coverage = measured("label_coverage", "all", max(0.0, min(0.97, (age - LABEL_DELAY + 1) * 0.5)))
    return night(*verdicts, on=on, measurements=(coverage,), budgets=tuple(_budgets(age)))


def _drift(features: tuple[str, ...], age: int, dice: Random) -> Iterator[Verdict]:
    bad = age < BAD
    for feature in features:
        value = dice.gauss(0.03, 0.03) + (0.4 * (BAD - age) if bad and feature == MOVED else 0.0)
        state = State.OK if value < 0.3 else State.WARN if age == BAD - 1 else State.BREACH
        m = measured("mean_shift", feature, None if age == 25 and feature == features[0] else value, spread=0.04)
        if m.value is None:
            yield judged(m, State.UNKNOWN, cause=Cause.NO_DATA)
        else:
            yield judged(m, state, "6 sigma of 28 nights")
    for group in GROUPS:
        yield judged(
            measured("group_mean_shift", f"{features[0]}|{group}", dice.gauss(0, 0.08), spread=0.1), limit="> 1"
        )
    yield judged(measured("prediction_shift", "all", abs(dice.gauss(0.02, 0.01)) + 0.12 * bad, spread=0.02),
                 State.WARN if bad else State.OK, "6 sigma of 28 nights")  # fmt: skip


def _fairness(age: int, dice: Random) -> Iterator[Verdict]:
    for group in GROUPS:
        harmed = age < BAD and group == GROUPS[0]
        ratio = measured("selection_rate_ratio", group, dice.gauss(0.62 if harmed else 0.95, 0.02), spread=0.07, n=1204)
        yield judged(ratio, State.BREACH if harmed else State.OK, "< 0.8")
        early = age < LABEL_DELAY
        gap = measured("equal_opportunity", group, None if early else dice.gauss(-0.02, 0.02), spread=0.06, n=410)
        cause = Cause.LABELS_PENDING if early else None
        yield judged(gap, State.UNKNOWN if early else State.OK, "< -0.15", cause=cause)


def _performance(age: int, dice: Random) -> Iterator[Verdict]:
    for metric, usual in (("auc", 0.765), ("precision", 0.51), ("recall", 0.59)):
        early = age < LABEL_DELAY
        m = measured(metric, "all", dice.gauss(usual, 0.008), spread=0.025)
        cause = Cause.LABELS_PENDING if early else None
        yield judged(m, State.UNKNOWN if early else State.OK, cause=cause)


def _budgets(age: int) -> Iterator[Budget]:
    spent = max(0, BAD - age)
    for slo, target, each in (("availability", 0.99, 0.004), ("latency", 0.95, 0.02), ("fair-nights", 0.893, 0.036)):
        attained = 0.9985 - each * spent * (slo != "latency")
        left = 1 - (1 - attained) / (1 - target)
        level = BurnLevel.FAST if spent and slo == "fair-nights" else BurnLevel.NONE
        end = NIGHT + timedelta(days=9)
        range_ = {"earliest": end - timedelta(days=4), "latest": end + timedelta(days=20)}
        ends = {
            "availability": Exhaustion(prospect="exhausted"),
            "fair-nights": Exhaustion(prospect="burning", on=end, **range_),
        }
        yield Budget(slo=slo, target=target, nights=28, good=1, total=1, attained=attained, left=left, burn=0.1,
                     level=level, judged_nights=27, unjudged_nights=1, coverage=0.928, coverage_left=0.5,
                     newest=NIGHT, exhaustion=ends.get(slo, Exhaustion(prospect="not burning")),
                     of_logged=slo == "availability")  # fmt: skip
