"""What is usual for a model: centre and spread of each score over its own nights (docs/statistics.md#what-is-usual).

Row-level p-values are wrong here: with 10,000 rows every harmless wobble of a night is "significant". The variance that
matters is between nights. It is estimated for each score, and shrunk towards what other scores of the same metric show
(empirical Bayes), because 42 nights of one score know their own variance badly. Nothing here knows rows or rules.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW_NIGHTS = 14  # with fewer, how much nights differ is mostly what the prior says
PRIOR_SPREAD = 0.06  # of nights, in the scores' units, where the nights themselves cannot tell yet
PRIOR_NIGHTS = 4.0  # what that prior counts for
CENTRE_PRIOR = 0.25  # sd of the difference between a holdout and the nights after it
EFFECT_PRIOR = 0.5  # sd of weekday and calendar effects
MOST_FREEDOM = 1e4
LEAST_SPREAD = 1e-9
PERSISTENCE = 0.8  # the most that is believed
TAILS = (MOST_FREEDOM, 50.0, 30.0, 20.0, 14.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0)  # degrees of freedom, thin ones first
TAIL_MARGIN = 6.0  # of the log-likelihood: nights share shocks, so that many scores tell less than as many nights
TAIL_SCORES, TAIL_NIGHTS = 100, 28  # standardised values, and nights, before a tail is looked for


class Scores(NamedTuple):
    """S scores over N nights, oldest first; the last night is the one to judge.

    values, variances: shape (S, N); NaN where a night has none. variances: of sampling.
    reference: (N,) or (S, N) nights that teach. design: (N, P) columns of the calendar, the first all 1.
    kinds: (S,) scores of one kind vary alike. anchored: (S,) whether 0 is where a holdout was.
    """

    values: "Floats"
    variances: "Floats"
    reference: "NDArray[np.bool_]"
    design: "Floats"
    kinds: tuple[str, ...]
    anchored: "NDArray[np.bool_]"


class Usual(NamedTuple):
    """For each score and night: where it should lie, and how far from there a usual night may be.

    centre, spread: (S, N); spread is the sd of the prediction: sampling, nights, and what the centre is not known by.
    between: (S,) sd between nights alone. freedom, nights: (S,). persistence: correlation of one night with the next.
    """

    centre: "Floats"
    spread: "Floats"
    between: "Floats"
    freedom: "Floats"
    nights: "NDArray[np.int64]"
    persistence: float
    unsure: "Floats"  # (S,) sd of the centre itself, on the average of a week

    def surprise(self, values: "Floats") -> "Floats":
        """How far each value is from its centre, in standard normal units: the predictive t, made normal."""
        import numpy as np

        away = (values - self.centre) / self.spread
        return np.asarray(np.sign(away) * normal(np.abs(away), self.freedom[:, None]))


def normal(away: "Floats", freedom: "Floats") -> "Floats":
    """The standard normal value that is as rare as `away` >= 0 is for Student's t.

    >>> import numpy as np
    >>> [round(float(z), 2) for z in normal(np.array([2.0, 5.0]), np.array([4.0, 4.0]))]
    [1.57, 2.67]
    """
    import numpy as np
    from scipy.stats import norm, t

    return np.asarray(-norm.ppf(np.exp(np.maximum(t.logsf(away, freedom), -700.0))))


def usual(scores: Scores) -> Usual:
    """Fits what is usual from the nights that teach.

    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> nights = rng.normal(0.2, 0.05, (30, 43))
    >>> noise, taught, level = np.full((30, 43), 1e-4), np.arange(43) < 42, np.ones((43, 1))
    >>> found = usual(Scores(nights, noise, taught, level, ("x",) * 30, np.full(30, True)))
    >>> round(float(found.centre[:, -1].mean()), 2), round(float(found.spread[:, -1].mean()), 2)
    (0.2, 0.05)
    """
    import numpy as np

    usable = np.isfinite(scores.values) & np.isfinite(scores.variances)
    taught = usable & scores.reference
    nights = taught.sum(axis=1)
    variances = np.where(usable, scores.variances, 1.0)
    values = np.where(usable, scores.values, 0.0)
    spread2 = _between(scores, values, variances, taught, np.full(len(values), PRIOR_SPREAD**2))
    spread2 = _between(scores, values, variances, taught, spread2)
    fit = _solve(scores, values, variances, taught, spread2)
    freedom = np.maximum(nights - fit.used, 1.0)
    ratio = (fit.weights * fit.residuals**2).sum(axis=1) / freedom
    scale, total = _shrunk(ratio, np.where(nights > fit.used, freedom, 0.0), scores.kinds)
    persistence = _persistence(fit, taught, scale)
    total = np.minimum(total, _tails(fit, taught, scale, scores.kinds))
    inflated = (1 + persistence) / (1 - persistence)
    night = scale[:, None] * (variances + spread2[:, None])
    unsure = np.sqrt(scale * inflated * fit.weekly)
    spread = np.sqrt(np.maximum(night, variances) + scale[:, None] * inflated * fit.leverage)
    between = np.sqrt(np.maximum(scale * (spread2 + _typical(variances, taught)) - _typical(variances, taught), 0.0))
    return Usual(fit.centre, np.maximum(spread, LEAST_SPREAD), between, total, nights, persistence, unsure)


class _Fit(NamedTuple):
    centre: "Floats"  # (S, N)
    leverage: "Floats"  # (S, N) variance of the centre, in units of the scale
    weekly: "Floats"  # (S,) the same of the mean centre of the last seven nights
    residuals: "Floats"  # (S, N), 0 where a night does not teach
    weights: "Floats"  # (S, N)
    used: "Floats"  # (S,) how many nights the centre cost


def _solve(
    scores: Scores, values: "Floats", variances: "Floats", taught: "NDArray[np.bool_]", spread2: "Floats"
) -> _Fit:
    """Weighted least squares of each score on the calendar, with weak priors so that few nights are enough."""
    import numpy as np

    z = scores.design
    weights = np.where(taught, 1.0 / (variances + spread2[:, None]), 0.0)
    known = np.einsum("sn,np,nq->spq", weights, z, z)
    prior = np.full((len(values), z.shape[1]), EFFECT_PRIOR**-2)
    prior[:, 0] = np.where(scores.anchored, CENTRE_PRIOR**-2, 1e-6)
    precision = known + np.eye(z.shape[1]) * prior[:, None, :]
    inverse = np.linalg.inv(precision)
    effects = np.einsum("spq,sq->sp", inverse, np.einsum("sn,sn,np->sp", weights, values, z))
    centre = effects @ z.T
    leverage = np.einsum("np,spq,nq->sn", z, inverse, z)
    week = z[-7:].mean(axis=0)
    weekly = np.einsum("p,spq,q->s", week, inverse, week)
    used = np.einsum("spq,sqp->s", inverse, known)
    return _Fit(centre, leverage, weekly, np.where(taught, values - centre, 0.0), weights, used)


def _typical(variances: "Floats", taught: "NDArray[np.bool_]") -> "Floats":
    import numpy as np

    count = np.maximum(taught.sum(axis=1), 1)
    return np.asarray((variances * taught).sum(axis=1) / count)


def _between(
    scores: Scores, values: "Floats", variances: "Floats", taught: "NDArray[np.bool_]", spread2: "Floats"
) -> "Floats":
    """(S,) variance between nights that scores of one kind have in common: the median excess over sampling."""
    import numpy as np

    fit = _solve(scores, values, variances, taught, spread2)
    nights = taught.sum(axis=1)
    freedom = np.maximum(nights - fit.used, 1.0)
    excess = (fit.residuals**2).sum(axis=1) / freedom - _typical(variances, taught)
    out = np.empty(len(values))
    kinds = np.array(scores.kinds)
    for kind in dict.fromkeys(scores.kinds):
        mine = kinds == kind
        moving = mine & (nights >= 3) & ((fit.residuals**2).sum(axis=1) > 0)
        found = max(0.0, float(np.median(excess[moving]))) if moving.any() else 0.0
        taught_by = float(np.median(nights[mine]))
        trust = taught_by / (taught_by + PRIOR_NIGHTS) if taught_by < FEW_NIGHTS else 1.0
        out[mine] = trust * found + (1 - trust) * PRIOR_SPREAD**2
    return out


def _shrunk(ratio: "Floats", freedom: "Floats", kinds: tuple[str, ...]) -> tuple["Floats", "Floats"]:
    """(scale, freedom) of each score: its own residual variance against what its kind shows, shrunk towards 1.

    Source: Smyth (2004), the moderated t of limma: log-variances of many scores tell how much true variances differ.
    """
    import numpy as np

    scale, total = np.ones(len(ratio)), np.full(len(ratio), PRIOR_NIGHTS)
    groups = np.array(kinds)
    for kind in dict.fromkeys(kinds):
        mine = groups == kind
        told = mine & (freedom >= 2) & (ratio > 0.05)
        prior, weight = _prior(ratio[told], freedom[told])
        own = np.where(mine, freedom, 0.0)  # nights that were all alike say that they are: sampling bounds the spread
        if float(np.median(freedom[mine])) < FEW_NIGHTS - 1:  # so few nights may widen the prior, and not narrow it
            prior, weight = max(prior, 1.0), PRIOR_NIGHTS
        shrunk = (weight * prior + own * ratio) / np.maximum(weight + own, 1e-9)
        scale = np.where(mine, np.maximum(shrunk, 1.0) if weight == PRIOR_NIGHTS else shrunk, scale)
        total = np.where(mine, weight + own, total)
    return scale, np.clip(total, PRIOR_NIGHTS, MOST_FREEDOM)


def _prior(ratio: "Floats", freedom: "Floats") -> tuple[float, float]:
    """(s0 squared, d0): centre and weight of the distribution that true variances come from."""
    import numpy as np
    from scipy.special import digamma, polygamma

    if len(ratio) < 4:
        return 1.0, PRIOR_NIGHTS
    half = freedom / 2
    e = np.log(ratio) - digamma(half) + np.log(half)
    centre = float(np.mean(e))
    extra = float(np.var(e, ddof=1) - np.mean(polygamma(1, half)))
    if extra <= 1e-4:
        return float(np.exp(centre)), MOST_FREEDOM
    d0 = 2 * _trigamma_inverse(extra)
    return float(np.exp(centre + digamma(d0 / 2) - np.log(d0 / 2))), min(d0, MOST_FREEDOM)


def _trigamma_inverse(x: float) -> float:
    """y with trigamma(y) = x, x > 0. Trigamma falls from infinity to 0."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    return float(brentq(lambda y: float(polygamma(1, y)) - x, 1e-4, 1e8))


def _tails(fit: _Fit, taught: "NDArray[np.bool_]", scale: "Floats", kinds: tuple[str, ...]) -> "Floats":
    """(S,) degrees of freedom of the nights themselves: some models have wild nights, and then a wild night says less.

    Student's t is fitted to all standardised nights of a kind together; a tail is only believed where the normal
    distribution is clearly worse.
    """
    import numpy as np

    z = fit.residuals * np.sqrt(fit.weights / np.maximum(scale, LEAST_SPREAD)[:, None])
    out = np.full(len(kinds), MOST_FREEDOM)
    groups = np.array(kinds)
    for kind in dict.fromkeys(kinds):
        mine = groups == kind
        pooled = z[mine][taught[mine]]
        pooled = pooled[pooled != 0]
        if len(pooled) >= TAIL_SCORES and np.median(taught[mine].sum(axis=1)) >= TAIL_NIGHTS:
            out[mine] = _freedom(pooled)
    return out


def _freedom(z: "Floats") -> float:
    """The thinnest tail that explains standardised values about as well as the best one."""
    import numpy as np
    from scipy.special import gammaln

    fits, squares = [], z * z
    for freedom in TAILS:
        size = float(np.mean(squares))
        for _ in range(6):  # expectation-maximisation of the scale
            size = float(np.mean((freedom + 1) / (freedom + squares / size) * squares))
        height = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - np.log(freedom * np.pi * size) / 2
        fits.append(len(z) * height - (freedom + 1) / 2 * float(np.log1p(squares / (freedom * size)).sum()))
    best = max(fits)
    return next(freedom for freedom, fit in zip(TAILS, fits, strict=True) if fit >= best - TAIL_MARGIN)


def _persistence(fit: _Fit, taught: "NDArray[np.bool_]", scale: "Floats") -> float:
    """Correlation of a night with the next, over all scores together; the bias of a short series is taken off."""
    import numpy as np

    z = fit.residuals * np.sqrt(fit.weights / np.maximum(scale, LEAST_SPREAD)[:, None])
    pairs = taught[:, 1:] & taught[:, :-1]
    enough = pairs.sum(axis=1) >= FEW_NIGHTS
    if not enough.any():
        return 0.0
    products = np.where(pairs, z[:, 1:] * z[:, :-1], 0.0).sum(axis=1)[enough]
    squares = np.where(taught, z * z, 0.0).sum(axis=1)[enough]
    nights = float(np.median(taught.sum(axis=1)[enough]))
    found = float(products.sum() / max(squares.sum(), LEAST_SPREAD)) + 1.0 / nights
    return float(np.clip(found, 0.0, PERSISTENCE))
