"""A measurement: one number about one subject, with its uncertainty, rows, unit and direction."""

from enum import StrEnum

from pydantic import Field, model_validator

from vigil.core.spec import Spec
from vigil.core.words import Family, Task
from vigil.metrics.reasons import Absence, absence_of_older_release
from vigil.profiles.layout import Decision, FeatureType, Flag, Protected


class Worse(StrEnum):
    """Which way is bad."""

    HIGHER = "higher"
    LOWER = "lower"
    AWAY = "away"  # any distance from the yardstick


class Kind(StrEnum):
    """How its sampling noise behaves, which decides how a bound is tested."""

    PROPORTION = "proportion"  # successes of n
    RATIO = "ratio"  # of two proportions: parts = (k1, n1, k0, n0)
    DIFFERENCE = "difference"  # of two proportions: parts = (k1, n1, k0, n0)
    NUMBER = "number"  # anything else; low and high are its interval where there is one
    COUNT = "count"  # exact: no sampling noise


class Measurement(Spec):
    """One number. `value` is None only if it cannot be known: `absence` is why, and `why_not` says it to people.

    low, high: the 95 % interval shown to people; None for an exact number.
    parts: the counts behind it, (successes, trials) or (k1, n1, k0, n0), from which tests of a
    bound at other levels and pools over nights are made. Pools add parts; they never average values.
    variance: of the sampling of tonight's rows alone, without the yardstick's, so that nights can be compared with
    nights; None where it is not known (the interval then stands in).
    """

    metric: str
    subject: str  # column, "attribute=group", class, or "all"
    family: Family
    kind: Kind
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    unit: str  # "share", "nats", "sd", "ms", "rows", "ratio", ...
    worse: Worse
    parts: tuple[float, ...] = ()
    variance: float | None = None
    baseline: float | None = None  # the same number on the yardstick
    yardstick: str = ""  # "holdout of version 2", ...
    absence: Absence | None = None
    why_not: str = ""
    detail: str = ""  # one clause of evidence in words, escaped by whoever shows it

    @model_validator(mode="before")
    @classmethod
    def _of_older_release(cls, data: object) -> object:
        """Measurements stored by older releases have the words alone."""
        if not isinstance(data, dict) or "absence" in data or data.get("value") is not None:
            return data
        return {**data, "absence": absence_of_older_release(data.get("why_not", ""))}

    @property
    def id(self) -> str:
        """The same question on every night: `metric/subject`."""
        return f"{self.metric}/{self.subject}"


class Kpi(Spec):
    """A business number, as a formula over counts and sums of the night.

    formula: arithmetic over the names that `vigil metrics kpi` lists: rows, labelled, tp, fp, fn, tn, favourable,
             sum_<column>, sum_<column>_<cell> for the monitor's `sums`, and the monitor's own `constants`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")  # unique in the monitor
    says: str = ""  # what it is, in one line
    formula: str
    unit: str = ""  # of the number, as people read it: "EUR", "calls"
    worse: Worse = Worse.LOWER  # which way is bad
    constants: dict[str, float] = Field(default_factory=dict)  # name -> number, for the formula


class View(Spec):
    """What the metrics must know of a monitor, and of the night's surroundings, beside a profile.

    requests: how many the load balancer or gateway counted (a `Traffic` source); None without one.
    expected_versions: those that the registry says should have answered; empty where it was not asked.
    """

    task: Task
    features: dict[str, FeatureType]
    decision: Decision | None = None
    protected: tuple[Protected, ...] = ()
    latency_ms: tuple[float, ...] = ()  # thresholds whose shares are asked for
    intersections: tuple[tuple[str, str], ...] = ()
    strata: str | None = None
    flags: dict[Flag, tuple[str, ...]] = Field(default_factory=dict)
    sums: tuple[str, ...] = ()
    kpis: tuple[Kpi, ...] = ()
    weighted: bool = False  # performance over `Outcome.weighted`
    requests: int | None = None
    no_requests: str = ""  # why that is not known
    expected_versions: tuple[str, ...] = ()


class Reading(Spec):
    """What a metric function yields: a measurement without what the catalogue and the baseline add."""

    subject: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    parts: tuple[float, ...] = ()
    variance: float | None = None  # of tonight's sampling alone
    absence: Absence | None = None  # set exactly when there is no value
    why_not: str = ""  # the same for people, with its particulars
    detail: str = ""
    unit: str = ""  # instead of the catalogue's
    worse: Worse | None = None  # instead of the catalogue's

    @model_validator(mode="after")
    def _known_or_not(self) -> "Reading":
        if (self.value is None) is (self.absence is None):
            raise ValueError(f"{self.subject}: a reading has either a value or an absence (`unknown` sets it)")
        return self
