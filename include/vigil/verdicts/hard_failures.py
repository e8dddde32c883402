"""Failures that need no rule: a feature all null, no predictions, every prediction the same."""

from collections.abc import Sequence

from vigil.metrics.types import Measurement
from vigil.verdicts.bounds import TESTED
from vigil.verdicts.limits import HARD_FAILURE
from vigil.verdicts.types import NightResult, State, Verdict

BY_CHANCE = 1e-4  # chance of a night like this, were it as the yardstick was: less, and something broke
RARE = 0.01  # of nulls, where the yardstick had none
UNHEARD = 0.1  # of nulls, where there is no yardstick
MOSTLY = 0.5  # of nulls on the yardstick: a column that was mostly null before is no news
LEAST = 30  # predictions


def hard_failures(measurements: Sequence[Measurement], history: Sequence[NightResult] = ()) -> list[Verdict]:
    """A breach for each, at once. What chance does now and then (40 rows of one answer, of which 98 % are) is none.

    history: past nights, which say how one-sided the answers are where no holdout does; without either, nothing is
    said of it.
    """
    served = int(next((m.value for m in measurements if m.metric == "volume"), None) or 0)
    usual = _one_sided(history)
    return [
        _failure(m, why)
        for m in measurements
        if (why := _nulls(m) if m.metric == "missing" else _answers(m, served, usual))
    ]


def _nulls(m: Measurement) -> str:
    if m.kind not in TESTED or not m.n or m.value != 1.0 or (m.baseline or 0.0) >= MOSTLY:
        return ""
    was = UNHEARD if m.baseline is None else max(m.baseline, RARE)
    if was**m.n >= BY_CHANCE:
        return ""
    before = f" (was {m.baseline:.1%} on the {m.yardstick or 'baseline'})" if m.baseline is not None else ""
    return f"{m.subject} is null in all {m.n:,} rows{before}"


def _answers(m: Measurement, served: int, usual: float | None) -> str:
    if m.metric != "top_class_share":
        return ""
    if m.value is None:
        return f"none of {served:,} rows has a prediction" if served >= LEAST else ""
    was = m.baseline if m.baseline is not None else usual
    if m.value != 1.0 or m.n < LEAST or was is None or was**m.n >= BY_CHANCE:
        return ""
    on = (m.yardstick or "baseline") if m.baseline is not None else "past nights at most"
    return f"all {m.n:,} predictions are the same ({m.detail}); the {on} had {was:.1%}"


def _one_sided(history: Sequence[NightResult]) -> float | None:
    """The largest share of one answer on any past night."""
    asked = [m for r in history for m in r.all_measurements]
    return max((m.value for m in asked if m.metric == "top_class_share" and m.value is not None), default=None)


def _failure(m: Measurement, why: str) -> Verdict:
    return Verdict(
        metric=m.metric, subject=m.subject, family=m.family, state=State.BREACH, reason=why, hard=True, measurement=m,
        limit=HARD_FAILURE,
    )  # fmt: skip
