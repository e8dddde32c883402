"""To which incident a night belongs, and what its bad answers add there."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import SerializeAsAny

from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.incidents.events import (
    EventBody,
    IncidentOpened,
    IncidentReopened,
    IncidentRestated,
    SignalsAdded,
)
from vigil.incidents.types import Clue, Incident, SeverityAssessment, Signal, Status

BadNightEvent = IncidentOpened | SignalsAdded | IncidentReopened | IncidentRestated
REOPEN_NIGHTS = 3
OVER = (Status.NEVER_WAS, Status.MERGED)  # for good: what is found later is another incident


class NewEvent(Spec):
    """An event that should be appended; `key` makes a second append harmless."""

    key: str
    body: SerializeAsAny[EventBody]

    @property
    def type(self) -> str:
        """As the ledger calls it."""
        return self.body.type

    @property
    def payload(self) -> dict[str, Any]:
        """As the ledger stores it."""
        return self.body.payload


def may_join(incident: Incident, night: date) -> bool:
    """Whether signals of `night` belong to this episode: it is open, or was resolved within 3 nights.

    A night more than 3 nights before its first, which late labels made bad, was an episode of its own.
    """
    if night < incident.first_night - timedelta(days=REOPEN_NIGHTS):
        return False
    if incident.is_open:
        return True
    last = max(incident.nights, default=incident.last_bad_night)
    return incident.status is Status.RESOLVED and night <= last + timedelta(days=REOPEN_NIGHTS)


def has_night(incident: Incident, night: date) -> bool:
    """Whether a signal of `night` was told of this incident."""
    return any(night in q.bad for q in incident.questions.values())


def episode_of(known: Sequence[Incident], night: date) -> Incident | None:
    """The incident of a night's signals: the one that has the night already, else the newest that it may join.

    One that never was, or was merged, takes no more signals: a night of it that is bad after all opens another.
    """
    live = [i for i in known if i.status not in OVER]
    own = next((i for i in reversed(live) if has_night(i, night)), None)
    return own or next((i for i in reversed(live) if may_join(i, night)), None)


def bad_night_events(  # noqa: PLR0913 - what one bad night is made of
    incident: Incident | None,
    new: Sequence[Signal],
    *,
    monitor: str,
    environment: str,
    night: date,
    knowledge: str,
    assessment: SeverityAssessment,
    versions: Mapping[str, int],
    report_url: str | None,
    clues: Sequence[Clue] = (),
    assessments: Mapping[str, SeverityAssessment] | None = None,
) -> tuple[NewEvent, ...]:
    """What a night with signals adds: it opens, joins, reopens, or restates. `knowledge`: digest of what was judged.

    assessments: `family/subject key` -> how bad that is by itself; without them, as bad as all of it.
    """
    if incident is not None and not _news(incident, new):
        return ()
    kind = _kind(incident, new, night)
    body = kind(
        monitor=monitor,
        environment=environment,
        night=night,
        signals=tuple(new),
        assessment=assessment,
        assessments=dict(assessments or {}),
        versions=dict(versions),
        report_url=report_url,
        clues=tuple(clues),
    )
    opens = isinstance(body, IncidentOpened)
    return (NewEvent(key=body.type if opens else f"{body.type}/{night}/{digest(knowledge, length=12)}", body=body),)


def _kind(incident: Incident | None, new: Sequence[Signal], night: date) -> type[BadNightEvent]:
    """A closed incident is reopened by a later night; what labels tell later about its own nights is only added."""
    if incident is None:
        return IncidentOpened
    if night < incident.first_night:
        return IncidentRestated
    if incident.is_open:
        again = night <= incident.last_bad_night and all(s.verdict.id in incident.questions for s in new)
        return IncidentRestated if again else SignalsAdded
    return IncidentRestated if night <= incident.last_bad_night else IncidentReopened


def _news(incident: Incident, new: Sequence[Signal]) -> bool:
    """Whether a question is bad on a night on which it was not told to be."""
    told = incident.questions
    return any(s.verdict.id not in told or s.night not in told[s.verdict.id].bad for s in new)
