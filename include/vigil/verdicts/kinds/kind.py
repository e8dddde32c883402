"""What a kind of threshold is: it answers, explains itself, refuses nonsense, and says how it is tuned and drawn."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from vigil.metrics.catalog import Entry
from vigil.metrics.types import Measurement
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.limits import Bound, Side
from vigil.verdicts.seasons import Alike
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import NightResult, Rule, State


class Tonight(NamedTuple):
    """What a threshold may look at, for all numbers of a rule together.

    known: tonight's numbers that can be judged.  pooled: question -> past nights of the same version, whose counts add
    up.  alike: question -> past nights to compare with.  history: as rules look at it (`in_place`).
    surprising: question -> what surprise says, which is asked for all rules of the night together.
    """

    known: Sequence[Measurement]
    pooled: Mapping[str, Sequence[Measurement]] = {}
    alike: Mapping[str, Alike] = {}
    history: Sequence[NightResult] = ()
    surprising: Mapping[str, Outcome] = {}

    def past(self, m: Measurement) -> Alike:
        """The past nights that a question is compared with."""
        return self.alike.get(m.id, Alike((), "nights"))


class Band(NamedTuple):
    """A limit that a chart draws. one_night: beyond it, one night is enough. computed: not as somebody wrote it."""

    bound: Bound
    state: State
    one_night: bool = False
    computed: bool = False


class Setting(NamedTuple):
    """A number that `vigil tune` may change. field: its key in the rule.

    side: of a bound.  nights: how many past nights it looks at.
    """

    field: str
    value: float
    side: Side | None = None
    nights: int = 0


class Threshold(Protocol):
    """One kind of threshold. `kinds/registry.py` has one line for each."""

    def asks(self, rule: Rule) -> bool:
        """Whether the rule has such a threshold."""
        ...

    def looks_back(self, rule: Rule) -> bool:
        """Whether it needs past nights question by question."""
        ...

    def answer(self, rule: Rule, tonight: Tonight) -> Iterator[tuple[str, Outcome]]:
        """(subject, what the threshold says), for the numbers that it can say something of."""
        ...

    def explain(self, rule: Rule, m: Measurement, e: Evidence) -> Iterator[str]:
        """One sentence for each test that was made of a number."""
        ...

    def contradicts(self, rule: Rule, entry: Entry) -> Iterator[tuple[str, str]]:
        """(field of the rule, what is wrong) where no night could satisfy it."""
        ...

    def settings(self, rule: Rule) -> Iterator[Setting]:
        """What `vigil tune` may change."""
        ...

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """One step milder or stricter; the value as it is where there is no such step."""
        ...

    def stuck(self, setting: Setting) -> str:
        """Why it cannot be milder; "" where it can."""
        ...

    def bands(self, rule: Rule, m: Measurement) -> Iterator[Band]:
        """What a chart draws of it."""
        ...


class Silent:
    """What most kinds do not have: nothing contradicts, is tuned or drawn."""

    def looks_back(self, rule: Rule) -> bool:
        """No past is needed."""
        return False

    def contradicts(self, rule: Rule, entry: Entry) -> Iterator[tuple[str, str]]:
        """Nothing is wrong."""
        yield from ()

    def settings(self, rule: Rule) -> Iterator[Setting]:
        """Nothing is tuned."""
        yield from ()

    def moved(self, setting: Setting, *, milder: bool) -> float:
        """It stays."""
        return setting.value

    def stuck(self, setting: Setting) -> str:
        """Nothing to say."""
        return ""

    def bands(self, rule: Rule, m: Measurement) -> Iterator[Band]:
        """Nothing is drawn."""
        yield from ()
