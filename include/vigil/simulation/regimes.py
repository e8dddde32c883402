"""What is in regimes.yaml, as values: the population, the regimes, the faults and the trials. The file is frozen."""

from enum import StrEnum
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Mitigation

Share = Field(default=0.0, ge=0, lt=1)


class Shape(StrEnum):
    """How the values of a numeric feature lie."""

    NORMAL = "normal"
    LOGNORMAL = "lognormal"
    HEAVY_TAILED = "heavy_tailed"
    ZERO_INFLATED = "zero_inflated"
    INTEGER = "integer"
    BIMODAL = "bimodal"
    ORDINAL = "ordinal"
    SCORE = "score"


class FaultKind(StrEnum):
    """What can go wrong."""

    MEAN = "mean"
    SCALE = "scale"
    UNIT_CHANGE = "unit_change"
    MIX = "mix"
    NEW_CATEGORY = "new_category"
    NULLS = "nulls"
    SUBGROUP = "subgroup"
    GRADUAL = "gradual"
    LABEL_SHIFT = "label_shift"
    CONCEPT = "concept"
    BAD_VERSION = "bad_version"
    OUTAGE = "outage"
    LATENCY = "latency"


class Numeric(Spec):
    """The distribution of one numeric feature."""

    kind: Shape
    centre: float = 0.0
    spread: float = 1.0
    tail: float = 1.0  # heavy tails: the larger, the heavier
    zeros: float = Share  # zero-inflated: share of zeros
    shares: tuple[float, ...] = ()  # ordinal: of the grades 1, 2, …
    nulls: float = Share  # share that is always missing


class Population(Spec):
    """Who is asked about: groups, and what features have in common."""

    attribute: str
    groups: dict[str, float]
    group_spread: float
    factors: int = Field(ge=1)
    common_share: float = Field(ge=0, lt=1)


class Outcome(Spec):
    """What comes true."""

    base_rate: float
    signal: float
    labelled: float
    delay_nights: int


class Model(Spec):
    """How the model answers."""

    likeness: float
    threshold: float


class Latency(Spec):
    """How long an answer takes."""

    median_ms: float
    spread: float


class Regime(Spec):
    """How nights differ from each other while nothing is wrong."""

    says: str
    night_sd: float = 0.0
    weekend_sd: float = 0.0
    volume: float = Share
    tails: float | None = None
    shared: float = Share
    persistence: float = Share
    pay_day: int | None = None
    pay_nights: int = 1
    pay_sd: float = 0.0
    trend_per_night: float = 0.0


class FaultType(Spec):
    """One kind of fault: what it is about, its usual and possible sizes, and what should come of it."""

    of: Literal["numeric", "category", "feature", "model"]
    unit: str
    size: float
    least: float
    most: float
    incident_from: float
    action: Mitigation
    says: str


class Trial(Spec):
    """A fault that detection is measured with."""

    kind: FaultKind
    size: float
    nights: int
    group: str | None = None


class Regimes(Spec):
    """The whole file."""

    population: Population
    numeric: dict[str, Numeric]
    category: dict[str, dict[str, float]]
    outcome: Outcome
    model: Model
    latency: Latency
    regimes: dict[str, Regime]
    faults: dict[FaultKind, FaultType]
    trials: dict[str, Trial]

    @property
    def features(self) -> dict[str, str]:
        """Name -> numeric or category, in their order."""
        return {**dict.fromkeys(self.numeric, "numeric"), **dict.fromkeys(self.category, "category")}


def source() -> bytes:
    """The file as it is."""
    return files("vigil.simulation").joinpath("regimes.yaml").read_bytes()


@cache
def digest() -> str:
    """SHA-256 of the file: two runs with the same one drew from the same distributions."""
    return sha256(source()).hexdigest()


@cache
def load() -> Regimes:
    """The file, read once."""
    import yaml

    return Regimes.model_validate(yaml.safe_load(source()))
