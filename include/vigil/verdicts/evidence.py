"""What a verdict was made of, for whoever explains it afterwards."""

from vigil.core.spec import Spec
from vigil.metrics.types import Measurement
from vigil.verdicts.history import in_place
from vigil.verdicts.memory import Remembered, remembered, taught, waits
from vigil.verdicts.seasons import Alike, alike
from vigil.verdicts.service_days import EVERY_DAY, ServiceDays
from vigil.verdicts.types import NightResult, Rule, Rules, Surprise


class Evidence(Spec):
    """What a verdict was made of. past: the nights that the judge looked at.

    service: on which weekdays the model serves.
    says, formula: what the metric is and how it is worked out, in the catalogue's words.
    """

    result: NightResult
    rules: Rules
    past: tuple[NightResult, ...] = ()
    surprise: Surprise = Surprise()
    service: ServiceDays = EVERY_DAY
    says: str = ""
    formula: str = ""

    @property
    def placed(self) -> tuple[NightResult, ...]:
        """The past as rules look at it."""
        return in_place(self.past, self.result.night, self.service)

    def nights(self, m: Measurement) -> list[Remembered]:
        """The question on past nights, as bounds, sigma and quantiles look at it."""
        return remembered(self.past, [m.metric]).get(m.id, [])

    def alike(self, m: Measurement, rule: Rule) -> Alike:
        """The past nights that a sigma or quantile rule looks at."""
        nights = self.nights(m)
        return alike(nights, self.result.night) if rule.season else Alike(taught(nights), "nights")

    def same_rule(self, rule: Rule) -> list[Measurement]:
        """Tonight's numbers that the rule asks about: the subjects it is adjusted for."""
        asked = [v for v in self.result.verdicts if v.metric == rule.metric and rule.asks(v.subject) and not waits(v)]
        return [v.measurement for v in asked if v.measurement is not None and v.measurement.value is not None]
