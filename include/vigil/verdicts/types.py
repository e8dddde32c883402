"""Rules, verdicts and budgets, as values."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.types import Measurement
from vigil.profiles.row_ledger import RowLedger
from vigil.verdicts.limits import Bound, Limit, LimitKind
from vigil.verdicts.notes import Note
from vigil.verdicts.older_releases import limit_of_older_release, note_of_older_release


class State(StrEnum):
    """The four states of a verdict; matched exhaustively wherever they are used."""

    OK = "ok"
    WARN = "warn"
    BREACH = "breach"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a verdict is unknown."""

    NO_DATA = "no data"
    TOO_FEW_ROWS = "too few rows"
    TOO_FEW_NIGHTS = "too few past nights"  # a model that is new waits, and costs no budget
    LABELS_PENDING = "labels pending"
    CHECK_FAILED = "check failed"
    GATE_FAILED = "gate failed"
    ROWS_MISSING = "rows missing"  # too many rows are without what the number is made of
    BLIND = "mostly unknown"  # of a whole family, on many nights


class Onset(StrEnum):
    """Since when a value has been beyond its bound."""

    KNOWN = "known"  # not worse than on the reference; without one, bad on every night so far
    NEW = "new"  # worse than it was, or nothing shows that it was so before


class Rule(Spec):
    """Thresholds on one metric, for the subjects it names.

    metric:   a name of the catalogue.
    subjects: ["*"] for every subject the metric has; else columns, "attribute=group", classes, "all".
    without:  subjects that the rule does not ask about; a column stands for its levels, and for its groups.
    breach, warn: static bounds.  hard: a bound beyond which one night is a breach at once.
    sigma + nights: distance from the median of the model's own past nights, in robust sd (MAD).
    quantile + nights: of the model's own past nights; above 0.5 what is higher is bad, below it what is lower.
    season: sigma and quantile look at past nights of the same weekday (of weekdays or weekends until there are 8).
    holdout: allowed difference from the value recorded with the version; sign gives the bad side.
    min_difference: the smallest harm beyond the bound that must be excluded for an ok.
    min_rows: rows below which a subject is unknown; by default 30 for bounds. What is compared with past nights needs
              none: the noise of few rows is in the comparison.
    floor: smallest distance from the past nights that matters, in the metric's unit (sigma and surprise rules; of a
           surprise on shares or ratios on their scale: 0.03 is 1.5 points at 50 %, 5 % of a ratio or volume is 0.05).
    thresholds: kinds without a key of their own (docs/add-a-threshold.md), name -> number.
    surprise: further from its usual place on the model's own nights than chance explains (docs/statistics.md#surprise).
    """

    metric: str
    subjects: tuple[str, ...] = ("*",)
    without: tuple[str, ...] = ()
    breach: Bound | None = None
    warn: Bound | None = None
    hard: Bound | None = None
    sigma: float | None = Field(default=None, gt=0)
    nights: int = Field(default=28, ge=5, le=400)
    holdout: float | None = None
    min_difference: float | None = Field(default=None, gt=0)
    floor: float = Field(default=0.0, ge=0)
    min_rows: int | None = Field(default=None, ge=1)
    surprise: bool = False
    quantile: float | None = Field(default=None, gt=0, lt=1)
    season: Literal["weekday"] | None = None
    thresholds: dict[str, float] = Field(default_factory=dict, exclude_if=lambda known: not known)

    def answered(self, *, beside: str) -> bool:
        """Whether another threshold than the one named (or the hard one) answers for a subject."""
        fields = ("breach", "warn", "sigma", "quantile", "holdout", "surprise", "thresholds")
        return any(getattr(self, name) not in (None, False, {}) for name in fields if name != beside)

    def asks(self, subject: str) -> bool:
        """Whether the rule is about a subject.

        >>> rule = Rule(metric="level_shift", without=("plan",))
        >>> rule.asks("plan:basic|sex=female"), rule.asks("city:Bonn")
        (False, True)
        """
        if "*" not in self.subjects and subject not in self.subjects:
            return False
        return not self.without or not {subject, column_of(subject)} & set(self.without)


def column_of(subject: str) -> str:
    """The column that a subject is about.

    >>> column_of("income:high|sex=female"), column_of("sex=female")
    ('income', 'sex=female')
    """
    return subject.split("|", 1)[0].split(":", 1)[0]


LEAST_ROWS = 30  # for a bound, where a rule says nothing else


class Surprise(Spec):
    """What is usual for the model, and how surprising a night must be (rules with `surprise: true`).

    level: false-discovery rate of all surprise rules of a night together; a share of quiet nights at most.
    nights: how many usable nights teach; 14 make it more than a guess.
    window: "first": the first ones since the last re-baselining, so that drift is never learnt; "rolling": the last
            ones before tonight and their trend, for a world with seasons. Slow drift is then usual, and no ticket.
    since, until: the first and the last night that may teach; a re-baselining (`vigil rebaseline`) sets them too.
    season: what repeats by itself: "weekday" (weekend first, each weekday after 8 weeks), "year" (after 400 nights).
    calendar: effects that people know: name -> days ("25", "last", "fri", "12-24", "2026-11-20..2026-11-30").
    importance: feature -> weight; twice the weight is surprising twice as easily, at the cost of the others.
    slow_drift: whether small drift that lasts opens a ticket.
    without: features (or metrics) that the default drift rules leave out: a season or a holiday, of which a night has
             one value, moves with each night. The nulls of such a feature are asked about all the same.
    """

    level: float = Field(default=0.005, gt=0, lt=0.5)
    nights: int = Field(default=56, ge=7, le=1500)
    window: Literal["first", "rolling"] = "first"
    since: date | None = None
    until: date | None = None
    season: tuple[Literal["weekday", "year"], ...] = ("weekday",)
    calendar: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    importance: dict[str, float] = Field(default_factory=dict)
    slow_drift: bool = True
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _readable(self) -> "Surprise":
        from vigil.verdicts.calendar import readable

        for name, spans in self.calendar.items():
            for span in spans:
                if not readable(span):
                    raise ValueError(
                        f"calendar: {name}: {span!r} is no day; write '25', 'last', 'fri', '12-24', '2026-11-20' "
                        f"or '2026-11-20..2026-11-30'"
                    )
        if self.window == "rolling" and self.until:
            raise ValueError("window: rolling moves with the nights, and until names a last one; leave one of them out")
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} lies after until {self.until}")
        return self


class Rules(Spec):
    """The rules of one monitor, by family."""

    service: tuple[Rule, ...] = ()  # does it answer, in time, at the usual volume
    quality: tuple[Rule, ...] = ()  # are its inputs whole
    drift: tuple[Rule, ...] = ()  # have its inputs or answers moved
    performance: tuple[Rule, ...] = ()  # is it right, where labels are known
    fairness: tuple[Rule, ...] = ()  # are groups treated alike

    @property
    def metrics(self) -> frozenset[str]:
        """Names of the metrics that a rule asks for."""
        return frozenset(rule.metric for rule in self.each)

    @property
    def each(self) -> tuple[Rule, ...]:
        """The rules of all families."""
        return (*self.service, *self.quality, *self.drift, *self.performance, *self.fairness)


PROVISIONAL = "provisional"
BURN = "burn"  # the metric of verdicts about error budgets


class Labels(Spec):
    """When the truth is known."""

    delay_nights: int = Field(default=0, ge=0, le=400)  # until a cohort's labels are due
    grace_nights: int = Field(default=2, ge=0, le=60)  # after that, missing labels are overdue
    mature_share: float = Field(default=0.8, gt=0, le=1)  # labelled share that makes a cohort mature
    provisional_share: float = Field(default=0.3, gt=0, le=1)  # from here on it may warn, beside cohorts of its age

    def overdue(self, night: date, as_of: date) -> bool:
        """Whether the labels of a cohort should have come by `as_of`."""
        return (as_of - night).days > self.delay_nights + self.grace_nights


class Verdict(Spec):
    """ok, warn, breach or unknown, with the measurement and the reason in one sentence."""

    metric: str
    subject: str
    family: Family
    state: State
    cause: Cause | None = None  # set exactly when state is unknown
    reason: str
    hard: bool = False  # beyond the hard bound, or a failure that needs no confirmation
    overdue: bool = False  # an unknown that must not be
    ticket: bool = False  # a warn that somebody should look at within days: slow drift
    measurement: Measurement | None = None
    limit: Limit | None = None  # what it was held against
    would_see: str = ""  # what this ok could have seen
    cohort: str = ""  # "provisional": labels are missing, it was held against past cohorts at the same age
    trend: str = ""  # of a disparity: whether it has always been so, or got worse
    onset: Onset | None = None  # of a warn or a breach of a bound; None for every other verdict
    columns: tuple[str, ...] = ()  # that an expectation is about; other subjects name theirs

    @field_validator("limit", mode="before")
    @classmethod
    def _limit_of_older_release(cls, value: object) -> object:
        """Verdicts stored by older releases have it as text."""
        return limit_of_older_release(value) if isinstance(value, str) else value

    def limited_by(self, *kinds: LimitKind) -> bool:
        """Whether it was held against a threshold of one of these kinds."""
        return self.limit is not None and self.limit.kind in kinds

    @property
    def of_budget(self) -> bool:
        """Whether it is about an error budget, and so about all nights of its window."""
        return self.metric == BURN

    @property
    def id(self) -> str:
        """Identifies the same question on every night: `metric/subject`."""
        return f"{self.metric}/{self.subject}"


class BurnLevel(StrEnum):
    """How fast an error budget burns, in nights (docs/statistics.md#objectives-and-budgets)."""

    CRITICAL = "critical"
    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"
    CREEP = "creep"
    NONE = "none"


class Slo(Spec):
    """A service-level objective over rolling nights.

    sli: availability, latency (share within `threshold_ms`), completeness (values of the features that are not null),
         version_integrity, log_completeness, label_completeness (labels / rows once they are due),
         evaluation_coverage (questions that got an answer / questions that were due), or good_nights of one family.
    target: share of good events (occurrences) or nights; 0.9 <= target < 1 for occurrences.
    coverage: share of the window's nights that must be judged; the others spend a budget of their own.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,62}$")  # unique in the monitor
    sli: Literal[
        "availability", "latency", "completeness", "version_integrity", "log_completeness", "label_completeness",
        "evaluation_coverage", "good_nights",
    ]  # fmt: skip
    family: Family | None = None  # for good_nights
    threshold_ms: float | None = Field(default=None, gt=0)  # for latency
    target: float = Field(gt=0, lt=1)
    nights: int = Field(default=28, ge=7, le=400)  # of the rolling window
    coverage: float = Field(default=0.928, gt=0, lt=1)  # 26 of 28 nights


class Prospect(StrEnum):
    """Where a budget goes if the nights to come are like the last ones."""

    EXHAUSTED = "exhausted"  # it is spent already
    BURNING = "burning"  # it ends on a night that can be told
    HOLDING = "holding"  # the window gives back what is spent before the budget ends
    NOT_BURNING = "not burning"  # the last nights spent nothing
    UNKNOWN = "unknown"


class Exhaustion(Spec):
    """When a budget is exhausted if the nights to come spend like the last seven that were counted.

    on: the night; None unless burning. earliest, latest: with the 95 % limits of the nightly spend; None: never.
    """

    prospect: Prospect
    on: date | None = None
    earliest: date | None = None
    latest: date | None = None
    why: str = ""  # why it cannot be told


class Budget(Spec):
    """What an SLO has left tonight. Unknown nights are neither good nor bad: they cost coverage."""

    slo: str
    target: float
    nights: int
    good: float
    total: float
    attained: float | None  # good / total; None when nothing could be counted
    left: float | None  # 1 = untouched, 0 = exhausted, below 0 = overspent
    burn: float | None  # tonight's spend, in multiples of the even spend (lower 95 % limit)
    level: BurnLevel = BurnLevel.NONE
    judged_nights: int = 0
    unjudged_nights: int = 0
    waiting_nights: int = 0  # whose labels are not due yet; they cost nothing
    coverage: float | None = None  # the share of nights that must be judged; None in results of older releases
    coverage_left: float | None = None  # as `left`, of the nights that may go unjudged
    blind: bool = False  # more nights went unjudged, without an incident that says so, than may
    newest: date | None = None  # the newest night that was counted
    waiting: bool = False  # tonight's labels are not due yet
    exhaustion: Exhaustion | None = None
    of_logged: bool = False  # availability counted from the model's own log


class Coverage(Spec):
    """How many questions of a family were due on a night, and how many of them got a judgement.

    few: of those that did not, how many are about a part of the night's rows (a group, a sparse column) with too few.
    causes: why the others were not judged. young: the model had too short a past to be asked about it.
    """

    family: Family
    due: int = Field(ge=0)
    judged: int = Field(ge=0)
    few: int = Field(default=0, ge=0)
    causes: dict[Cause, int] = Field(default_factory=dict)
    young: bool = False

    @property
    def share(self) -> float:
        """Judged, of what could have been: small parts do not count, but where nothing at all was judged."""
        able = self.due - self.few
        return self.judged / able if able else 0.0


class NightResult(Spec):
    """Everything judged for one cohort night, at one moment of knowledge."""

    monitor: str
    environment: str
    night: date
    partition_digest: str  # of the rows and labels that were judged
    config_digest: str
    edges_digest: str
    versions: dict[str, int] = Field(default_factory=dict)  # model version -> rows
    champion_rows: int | None = None  # answered by a version in the champion role; None in results of older releases
    rows: int = 0
    verdicts: tuple[Verdict, ...]
    measurements: tuple[Measurement, ...] = ()  # measured, and asked about by no rule
    budgets: tuple[Budget, ...] = ()
    coverage: tuple[Coverage, ...] = ()  # families that were asked about; () in results of older releases
    as_of: date | None = None  # the night on which it was judged so for the first time
    notes: tuple[Note, ...] = ()  # files that could not be read, failed gates, the yardstick
    basis: str = ""  # digest of what the numbers were held against; "" in results of older releases
    row_ledger: RowLedger | None = None  # every row of the night's files; None in results of older releases
    rest: bool = False  # a day without rows and without service: no night, and counted nowhere

    @field_validator("notes", mode="before")
    @classmethod
    def _notes_of_older_release(cls, value: object) -> object:
        """Results stored by older releases have them as text."""
        notes = value if isinstance(value, (list, tuple)) else ()
        return tuple(note_of_older_release(note) if isinstance(note, str) else note for note in notes)

    @property
    def all_measurements(self) -> tuple[Measurement, ...]:
        """All numbers of the night: those that rules asked about, and the others."""
        return (*(v.measurement for v in self.verdicts if v.measurement is not None), *self.measurements)

    @property
    def digest_key(self) -> str:
        """Two results with the same key are the same judgement of the same facts, held against the same.

        Results of older releases keep the key that they were stored under.
        """
        return f"{self.facts_key}:{self.basis}" if self.basis else self.facts_key

    @property
    def facts_key(self) -> str:
        """The facts alone. That labels are overdue is one, and so is what the nights before have spent of budgets."""
        late = any(v.cause is Cause.LABELS_PENDING and v.overdue for v in self.verdicts)
        spent = [(b.slo, b.good, b.total, b.unjudged_nights, b.waiting_nights) for b in self.budgets]
        told = f":{digest(spent, length=8)}" if spent else ""
        return f"{self.partition_digest}:{self.config_digest}{':overdue' if late else ''}{told}"
