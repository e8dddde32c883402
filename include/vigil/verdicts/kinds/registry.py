"""Every kind of threshold, in the order in which their answers are looked at. One line each."""

from collections.abc import Iterator

from vigil.verdicts.kinds.bound import Bounds
from vigil.verdicts.kinds.holdout import Holdout
from vigil.verdicts.kinds.kind import Threshold
from vigil.verdicts.kinds.quantile import Quantile
from vigil.verdicts.kinds.sigma import Sigma
from vigil.verdicts.kinds.surprise import Surprising
from vigil.verdicts.types import Rule

KINDS: dict[str, Threshold] = {
    "bound": Bounds(),
    "holdout": Holdout(),
    "sigma": Sigma(),
    "quantile": Quantile(),
    "surprise": Surprising(),
}


def thresholds(rule: Rule) -> Iterator[Threshold]:
    """Those that a rule has."""
    yield from (kind for kind in KINDS.values() if kind.asks(rule))
