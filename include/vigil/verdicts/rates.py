"""How often something happens in a year, counted over nights: with the interval that so many nights leave."""

from vigil.core.spec import Spec

NIGHTS = 365.25  # of a year
LEVEL = 0.95


class Rate(Spec):
    """Times a year; value is None where no night was counted."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return "unknown"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def per_year(times: int, nights: int) -> Rate:
    """Times a year, with the exact 95 % interval of a Poisson count. Source: Garwood (1936).

    >>> str(per_year(1, 365)), str(per_year(0, 0))
    ('1 [0.0253, 5.58]', 'unknown')
    """
    if nights <= 0:
        return Rate(value=None)
    from scipy.stats import chi2

    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * times)) / 2 if times else 0.0
    high = float(chi2.ppf(1 - tail, 2 * times + 2)) / 2
    scale = NIGHTS / nights
    return Rate(value=round(times * scale, 6), low=round(low * scale, 6), high=round(high * scale, 6))
