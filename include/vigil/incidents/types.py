"""Events, signals, findings and the incident that is folded from them."""

from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family, Mitigation
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


class Signal(Spec):
    """A breach, or an overdue unknown, that reached the incident process."""

    fingerprint: str  # digest of monitor, environment, family, metric, subject
    night: date
    verdict: Verdict


class Finding(Spec):
    """One cause or symptom inside an incident: the signals of one family."""

    family: Family
    first_night: date
    last_night: date
    signals: tuple[Signal, ...]  # the latest signal of each fingerprint


class SeverityAssessment(Spec):
    """The severity, and the inputs it was computed from (incidents research §4.1)."""

    severity: Severity
    impact: int = Field(ge=1, le=4)
    urgency: int = Field(ge=1, le=4)
    tier: int = Field(ge=1, le=3)
    reasons: tuple[str, ...]


class ReplayedVersion(Spec):
    """What another version would have done with the night's inputs."""

    role: str  # "previous" or "fallback"
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
    good_nights: tuple[date, ...] = ()  # good champion nights since the last bad one
    findings: tuple[Finding, ...] = ()
    replay: Replay | None = None
    mitigation: Mitigation = Mitigation.NONE  # what was done (not: what is planned)
    mitigation_target: str | None = None
    mitigation_over: bool = False  # the champion was restored since: what breaks now is mitigated anew
    proposed: Mitigation = Mitigation.NONE
    held: bool = False
    acknowledged_by: str | None = None
    room: dict[str, str] = Field(default_factory=dict)  # channel id, name, url, summary ts
    receipts: dict[str, dict[str, Any]] = Field(default_factory=dict)  # action id -> receipt
    resolved_at: datetime | None = None
    reopened: int = 0
    report_url: str | None = None
    clues: tuple[str, ...] = ()  # since which hour, with which pipelines: candidates, not "the cause"
    versions: dict[str, int] = Field(default_factory=dict)
    events: int = 0  # length of the stream the fold has seen

    @property
    def first_night(self) -> date:
        """The first bad night as it is known now: late labels may have found one before that of the opening."""
        return min((f.first_night for f in self.findings), default=self.opened_night)

    @property
    def is_open(self) -> bool:
        """Whether people still work on it."""
        return self.status not in (Status.RESOLVED, Status.NEVER_WAS, Status.MERGED)
