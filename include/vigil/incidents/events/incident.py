"""The events of the streams `incident/<id>`, but for those of mitigations (`changes`)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from vigil.core.words import Mitigation
from vigil.incidents.events.body import EventBody
from vigil.incidents.types import (
    ActionKind,
    Clue,
    Replay,
    Severity,
    SeverityAssessment,
    Signal,
    Standing,
)


def _clue(stored: object) -> object:
    """A clue of an older release is its sentence, which begins with the group where it has numbers of one."""
    if not isinstance(stored, str):
        return stored
    group, shares, _ = stored.partition(": the favourable share went from")
    return Clue(text=stored, group=group if shares else "")


class BadNight(EventBody):
    """What a night with signals adds to an incident.

    assessment: of all signals together. assessments: `family/subject key` -> how bad that is by itself.
    versions: the versions that answered -> their rows. clues: since which hour, with which pipelines.
    """

    monitor: str = ""
    environment: str = ""
    night: date
    signals: tuple[Signal, ...] = ()
    assessment: SeverityAssessment | None = None
    assessments: dict[str, SeverityAssessment] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)
    report_url: str | None = None
    clues: tuple[Annotated[Clue, BeforeValidator(_clue)], ...] = ()


class IncidentOpened(BadNight):
    """The first bad night."""

    type: Literal["opened"] = "opened"
    monitor: str
    environment: str
    assessment: SeverityAssessment


class SignalsAdded(BadNight):
    """Another bad night of an open incident."""

    type: Literal["signals"] = "signals"


class IncidentReopened(BadNight):
    """A bad night soon after the incident was resolved."""

    type: Literal["reopened"] = "reopened"


class IncidentRestated(BadNight):
    """Late labels made more bad of a night that the incident has already, or of one before it."""

    type: Literal["restated"] = "restated"


class AnsweredNight(EventBody):
    """A night's answers other than bad ones, in the champion's role: ids of questions.

    answered: answered well; None in events of releases that named no questions: all of them were.
    known: beyond a bound, and not worse than always. unanswered: nothing there to answer them with.
    """

    night: date
    version: str = ""
    rows: int = 0
    answered: tuple[str, ...] | None = None
    known: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()


class GoodNight(AnsweredNight):
    """At least one question was answered well."""

    type: Literal["good_night"] = "good_night"


class QuietNight(AnsweredNight):
    """No question was answered well, and none badly."""

    type: Literal["quiet_night"] = "quiet_night"


class IncidentRecovered(EventBody):
    """Every question was answered well since it was bad."""

    type: Literal["recovered"] = "recovered"
    night: date | None = None
    version: str | None = None
    rows: int | None = None


class IncidentResolved(EventBody):
    """The end. standing: bad answers that stand from now on; unanswered: ids of questions that were given up."""

    type: Literal["resolved"] = "resolved"
    night: date | None = None
    version: str | None = None
    rows: int | None = None
    why: str = ""
    standing: tuple[Standing, ...] = ()
    unanswered: tuple[str, ...] = ()


class FalseAlarm(EventBody):
    """Late labels cleared every breach of the incident."""

    type: Literal["never_was"] = "never_was"
    night: date | None = None
    why: str = ""
    nights: tuple[date, ...] = ()


class IncidentMerged(EventBody):
    """Work goes on in another incident."""

    type: Literal["merged"] = "merged"


class FindingAccepted(EventBody):
    """A person says that a question may stay bad until a date."""

    type: Literal["accepted"] = "accepted"
    by: str = ""
    why: str = ""
    standing: tuple[Standing, ...] = ()


class NightReplayed(EventBody):
    """What other versions would have done with the night's inputs."""

    type: Literal["replayed"] = "replayed"
    replay: Replay


class IncidentAcknowledged(EventBody):
    """A person takes the incident."""

    type: Literal["acknowledged"] = "acknowledged"
    by: str


class IncidentHeld(EventBody):
    """A person forbids automatic changes."""

    type: Literal["held"] = "held"
    by: str = ""
    why: str = ""


class IncidentReleased(EventBody):
    """The hold ends."""

    type: Literal["released"] = "released"
    by: str = ""
    why: str = ""


class SeverityOverridden(EventBody):
    """A person sets the severity."""

    type: Literal["severity_overridden"] = "severity_overridden"
    severity: Severity
    by: str = ""
    why: str = ""


class ActionDone(EventBody):
    """The receipt of an action: proof that it was done. reference: what the service answered.

    kind: a text where it is one that only a newer release knows.
    """

    type: Literal["receipt"] = "receipt"
    action: str
    kind: Annotated[ActionKind | str, Field(union_mode="left_to_right")]
    at: datetime | None = None
    reference: dict[str, str] = Field(default_factory=dict)
    as_of: int | None = None

    @property
    def shows(self) -> int:
        """The length of the stream that was shown; older releases kept it in the reference."""
        return int(self.reference.get("as_of", 0)) if self.as_of is None else self.as_of


class MitigationEnded(EventBody):
    """The champion was restored: what breaks from now on is mitigated anew."""

    type: Literal["mitigation_ended"] = "mitigation_ended"
    by: str = ""
    reason: str = ""
    mitigation: Mitigation = Mitigation.FALLBACK
