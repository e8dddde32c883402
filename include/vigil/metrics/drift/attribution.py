"""How the reasons for the predictions moved: which features move them, and how much."""

from collections.abc import Iterator, Mapping
from math import sqrt

from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE, NOT_LOGGED, WhyNot, because
from vigil.metrics.types import Reading
from vigil.profiles.types import Profile

NONE = because(NOT_LOGGED, "no `contrib__<feature>` columns; docs/add-a-model.md says how to log them")


def importance(profile: Profile) -> tuple[Mapping[str, float], Mapping[str, float], int]:
    """(feature -> its share of all |contributions|, feature -> the variance of that share, explained rows).

    Shares sum to 1. Delta method, contributions of different features taken as independent.

    >>> from vigil.metrics.example import explained
    >>> importance(explained(a=32, b=32))[0]
    {'a': 0.5, 'b': 0.5}
    """
    means = {f: c.absolute / c.n for f, c in profile.contributions.items() if c.n}
    total = sum(means.values())
    if not total:
        return {}, {}, 0
    noise = {f: max(0.0, c.squared / c.n - means[f] ** 2) / c.n for f, c in profile.contributions.items() if c.n}
    shares = {f: m / total for f, m in means.items()}
    whole = sum(noise.values())
    variances = {f: ((1 - s) ** 2 * noise[f] + s * s * (whole - noise[f])) / total**2 for f, s in shares.items()}
    return shares, variances, max(c.n for c in profile.contributions.values())


def _both(given: Given) -> tuple[dict[str, tuple[float, float, float]], int, WhyNot | None]:
    """Feature -> (share tonight, share of the baseline, variance of the difference); rows; or why not."""
    now, noise, n = importance(given.tonight)
    if not now:
        return {}, 0, NONE
    was, before, _ = importance(given.baseline) if given.baseline else ({}, {}, 0)
    if not was:
        return {}, n, because(NO_BASELINE, "its rows have no contributions")
    names = sorted({*now, *was})
    return {f: (now.get(f, 0), was.get(f, 0), noise.get(f, 0) + before.get(f, 0)) for f in names}, n, None


def attribution_shift(given: Given) -> Iterator[Reading]:
    """Of each feature's share of all |contributions|, tonight minus the baseline, in [-1, 1]; 0 is no change.

    Over the explained sample. A model that suddenly leans on another column shows it here before labels come.

    >>> from vigil.metrics.example import explained, view
    >>> given = Given(explained(a=60, b=40), explained(a=80, b=20), view(features={"a": "numeric"}))
    >>> round(next(attribution_shift(given)).value, 3)
    -0.2
    """
    moved, n, why = _both(given)
    for feature in given.view.features if why else moved:
        if why:
            yield unknown(feature, why, n=n)
            continue
        now, was, variance = moved[feature]
        half = z_of() * sqrt(variance)
        low, high = now - was - half, now - was + half
        yield Reading(subject=feature, value=now - was, low=low, high=high, n=n, detail=f"{was:.1%} -> {now:.1%}")


def attribution_drift(given: Given) -> Iterator[Reading]:
    """Half the sum of the absolute moves of all features' shares (total variation), in [0, 1]; 0 is no change.

    One reading, "all"; the detail names the feature that moved most. The lower limit has what noise makes taken off.

    >>> from vigil.metrics.example import explained, view
    >>> reading = next(attribution_drift(Given(explained(a=60, b=40), explained(a=80, b=20), view())))
    >>> round(reading.value, 3), reading.detail
    (0.2, 'a 80.0% -> 60.0%')
    """
    moved, n, why = _both(given)
    if why:
        yield unknown("all", why, n=n)
        return
    value = sum(abs(now - was) for now, was, _ in moved.values()) / 2
    chance = sum(sqrt(v) for *_, v in moved.values()) / 2
    half = z_of() * sqrt(sum(v for *_, v in moved.values())) / 2
    top = max(moved, key=lambda f: abs(moved[f][0] - moved[f][1]))
    detail = f"{top} {moved[top][1]:.1%} -> {moved[top][0]:.1%}"
    low, high = max(0.0, value - chance - half), min(1.0, value + half)
    yield Reading(subject="all", value=value, low=low, high=high, n=n, detail=detail)
