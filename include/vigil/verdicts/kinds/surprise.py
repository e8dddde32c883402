"""surprise: further from its usual place on the model's own nights than chance explains.

All surprise rules of a night are tested together (`verdicts/surprise.py`); how strictly is the monitor's `surprise:`.
"""

from collections.abc import Iterator

from vigil.metrics.types import Measurement
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.kinds.kind import Setting, Silent, Tonight
from vigil.verdicts.limits import LimitKind
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import Rule, column_of

MILDEST, STRICTEST = 0.05, 1e-5  # levels that `vigil tune` tries


class Surprising(Silent):
    """Further than chance explains."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule wants it."""
        return rule.surprise

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """What the night's one family of tests says."""
        for m in tonight.known:
            yield m.subject, tonight.surprising[m.id]

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """The rate, and over how many scores."""
        family = sum(v.limited_by(LimitKind.SURPRISE) for v in e.result.verdicts)
        floor = f"at least {rule.floor:g} away" if rule.floor else "far enough away to matter"
        weight = e.surprise.importance.get(column_of(m.subject))
        more = f"; {m.subject} weighs {weight:g}" if weight else ""
        yield (
            f"surprise: further from its usual place than chance explains, at a false-discovery rate of "
            f"{e.surprise.level:.1%} over the {max(family, 1)} scores of the night together (Benjamini-Hochberg), and "
            f"{floor}{more}; one night is a warn, small drift that lasts a ticket"
        )

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """Half the level of the monitor is milder."""
        return min(max(setting.value / 2 if milder else setting.value * 2, STRICTEST), MILDEST)
