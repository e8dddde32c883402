"""Events, signals, findings and the incident that is folded from them."""

from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family, Mitigation
from vigil.incidents.subjects import ALL, subject_key
from vigil.verdicts.types import Verdict


class Event(Spec):
    """One line of a ledger stream. `key` is derived, so that a retry appends nothing new."""

    stream: str  # "incident/<id>", "model/<name>", "system"
    sequence: int  # 1, 2, 3, ... without gaps
    key: str  # unique within the stream
    type: str
    at: datetime
    payload: dict[str, Any]
    previous: str  # hash of the event before; 64 zeros for the first
    hash: str


class ActionKind(StrEnum):
    """Everything Vigil may do to the outside world."""

    OPEN_ROOM = "open_room"  # create channel, set topic and purpose, invite, post and pin the summary
    UPDATE_ROOM = "update_room"  # edit the pinned summary and the topic to the present state
    POST = "post"  # one message in the room, or in the digest channel where there is no room
    MITIGATE = "mitigate"  # trigger the rollback DAG (rollback or fallback)
    PROPOSE = "propose"  # ask people: freeze, or a rollback the policy does not allow by itself


class Receipt(Spec):
    """Proof that an action was done: what the service answered."""

    action: str
    kind: ActionKind
    at: datetime
    reference: dict[str, str] = Field(default_factory=dict)  # channel id, ts, run id, url
    as_of: int = 0  # length of the incident's stream that was shown; 0 where nothing of it is


class Severity(IntEnum):
    """1 is the worst."""

    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4


class Status(StrEnum):
    """States of an incident, in the order of a good story."""

    TRIAGE = "triage"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RECOVERED = "recovered"
    RESOLVED = "resolved"
    NEVER_WAS = "never_was"
    MERGED = "merged"


class Risk(Spec):
    """How grave a failure is.

    eu_ai_act: the class under the EU AI Act.
    """

    eu_ai_act: Literal["prohibited", "high", "limited", "minimal", "unclassified"] = "unclassified"
    tier: int = Field(default=2, ge=1, le=3)  # the bank's own tier; 1 raises every severity by one
    affects_access: bool = False  # to credit, a job, a benefit: unfairness here is I1


class Clue(Spec):
    """Since when, or with which pipelines, it began: a sentence. group: the protected group it has numbers of."""

    text: str
    group: str = ""


class Signal(Spec):
    """A breach, or an overdue unknown, that reached the incident process."""

    fingerprint: str  # digest of monitor, environment, family, metric, subject
    night: date
    verdict: Verdict
    review: date | None = None  # of a standing breach that is told again because this date has come


class SeverityAssessment(Spec):
    """The severity, and the inputs it was computed from."""

    severity: Severity
    impact: int = Field(ge=1, le=4)
    urgency: int = Field(ge=1, le=4)
    tier: int = Field(ge=1, le=3)
    reasons: tuple[str, ...]


class Finding(Spec):
    """One fault inside an incident: a family, the night it began, and the subjects that went bad on that night."""

    family: Family
    first_night: date
    last_night: date
    signals: tuple[Signal, ...]  # the latest signal of each fingerprint
    assessments: dict[str, SeverityAssessment] = Field(default_factory=dict)  # subject key -> its worst

    @property
    def id(self) -> str:
        """`drift/2026-11-21`: a family has one finding a night."""
        return f"{self.family.value}/{self.first_night}"

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject keys: columns, protected groups, or `all`."""
        return tuple(dict.fromkeys(subject_key(s.verdict) for s in self.signals))

    @property
    def named(self) -> str:
        """`drift of income, age`: for people, as plain text."""
        subjects = [s for s in self.subjects if s != ALL]
        return f"{self.family.value} of {', '.join(subjects)}" if subjects else self.family.value

    @property
    def assessment(self) -> SeverityAssessment | None:
        """How bad this finding is by itself."""
        return min(self.assessments.values(), key=lambda a: (a.severity, a.impact, a.reasons), default=None)


class Basis(StrEnum):
    """Why a bad answer may stand without being a signal every night."""

    KNOWN = "known"  # not worse than on the reference; without one, bad on every night so far
    LASTING = "lasting"  # drift or quality that stayed for many nights: the world seems to have changed
    ACCEPTED = "accepted"  # a person says so


class Standing(Spec):
    """A bad answer that is known and shown, and that signals again on `review`, or when it is worse."""

    question: str  # id of the verdict
    fingerprint: str
    basis: Basis
    night: date  # from which on it stands
    first_night: date  # of the finding that it belongs to
    review: date
    verdict: Verdict  # as it was answered then
    by: str = ""  # who accepted it
    reason: str = ""


class Question(Spec):
    """How one question of an incident was answered since: the nights of each kind of answer."""

    id: str  # of the verdict
    fingerprint: str
    family: Family
    bad: tuple[date, ...] = ()  # nights on which it was a signal
    good: tuple[date, ...] = ()
    known: tuple[date, ...] = ()  # beyond its bound, and not worse than it has always been
    unanswered: tuple[date, ...] = ()  # nothing there to answer it with
    standing: Standing | None = None

    @property
    def last_bad(self) -> date:
        """The newest night on which it was a signal."""
        return max(self.bad)

    def since(self, nights: tuple[date, ...]) -> tuple[date, ...]:
        """Those of the nights that are later than the last bad one."""
        return tuple(sorted(n for n in nights if n > self.last_bad))


class ReplayRole(StrEnum):
    """Which other version is tried on a night's inputs."""

    PREVIOUS = "previous"  # the champion before the one that served the night
    FALLBACK = "fallback"


class ReplayedVersion(Spec):
    """What another version would have done with the night's inputs."""

    role: ReplayRole
    version: str
    rows: int
    verdicts: tuple[Verdict, ...]  # the incident's questions, asked again
    helps: bool | None  # None: could not be told
    why: str


class Replay(Spec):
    """The counterfactual of one night, and the mitigation that it supports."""

    night: date
    versions: tuple[ReplayedVersion, ...]
    mitigation: Mitigation
    target_version: str | None = None
    why: str


class Incident(Spec):
    """The fold of one incident stream. Nothing here is stored; it is recomputed from events."""

    id: str
    monitor: str
    environment: str
    status: Status
    severity: Severity
    assessment: SeverityAssessment | None = None
    opened_at: datetime
    opened_night: date
    last_bad_night: date
    good_nights: tuple[date, ...] = ()  # champion nights since the last bad one on which something was answered well
    nights: tuple[date, ...] = ()  # every night that it was told of, bad ones and others
    findings: tuple[Finding, ...] = ()
    questions: dict[str, Question] = Field(default_factory=dict)  # id of the verdict -> how it was answered
    tellings: int = 0  # how often bad nights were told
    renewed: date | None = None  # newest night that reopened it, or on which what stood was a signal again
    replay: Replay | None = None
    mitigation: Mitigation = Mitigation.NONE  # what was done (not: what is planned)
    mitigation_target: str | None = None
    mitigation_over: bool = False  # the champion was restored since: what breaks now is mitigated anew
    proposed: Mitigation = Mitigation.NONE
    held: bool = False
    acknowledged_by: str | None = None
    room: dict[str, str] = Field(default_factory=dict)  # channel id, name, url, summary ts
    receipts: dict[str, Receipt] = Field(default_factory=dict)  # action id -> receipt
    resolved_at: datetime | None = None
    reopened: int = 0
    report_url: str | None = None
    clues: tuple[Clue, ...] = ()  # since which hour, with which pipelines: candidates, not "the cause"
    versions: dict[str, int] = Field(default_factory=dict)
    events: int = 0  # length of the stream the fold has seen

    @property
    def first_night(self) -> date:
        """The first bad night as it is known now: late labels may have found one before that of the opening."""
        return min((f.first_night for f in self.findings), default=self.opened_night)

    @property
    def newest_fault(self) -> date:
        """The newest night on which something new was bad: a finding, or one that came back."""
        return max([f.first_night for f in self.findings] + [self.renewed or self.opened_night])

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Its bad answers that stand."""
        return tuple(q.standing for q in self.questions.values() if q.standing)

    @property
    def is_open(self) -> bool:
        """Whether people still work on it."""
        return self.status not in (Status.RESOLVED, Status.NEVER_WAS, Status.MERGED)
