"""The words of an incident: its war room, its pinned summary, and what is said when something happens.

The reader was woken at 3 a.m. In this order: what broke, since when, how bad, what Vigil did and saw, what to
decide next, who is here. Aggregates only, never rows; everything from data is escaped.
"""

from collections.abc import Sequence

from vigil.incidents.events import IncidentOpened, incident_event
from vigil.incidents.types import Event, Incident
from vigil.responses import summary as words_of
from vigil.responses.news import News, lines, proposal
from vigil.responses.phrases import clip, escape
from vigil.responses.plan import Announced
from vigil.responses.small_groups import event_without_small_groups, without_small_groups
from vigil.responses.summary import SECTION, RoomFacts
from vigil.responses.types import Announcement, Message, MitigationOrder, Room

__all__ = ["RoomFacts", "escape", "room_for", "update_message"]


def room_for(incident: Incident, facts: RoomFacts) -> Room:
    """The war room as it should be now, without the numbers of groups that are too small for chat."""
    return words_of.room_for(without_small_groups(incident, facts.smallest_group_shown), facts)


def update_message(
    incident: Incident, facts: RoomFacts, about: Announcement | MitigationOrder, events: Sequence[Event]
) -> Message:
    """What people are told of one event, or asked about a mitigation.

    events: the incident's stream. Raises ValueError for an event that people are not told of.
    """
    incident = without_small_groups(incident, facts.smallest_group_shown)
    if isinstance(about, MitigationOrder):
        return Message(text=clip("\n".join(proposal(incident, about)), SECTION))
    body = next((incident_event(e) for e in events if e.sequence == about.sequence), None)
    if isinstance(body, IncidentOpened):
        return words_of.summary(incident, facts)
    if isinstance(body, Announced):
        shown = event_without_small_groups(body, facts.smallest_group_shown)
        news = News(incident, facts, is_reply=bool(about.thread))
        return Message(text=clip("\n".join(lines(news, shown)), SECTION))
    raise ValueError(
        f"{incident.id}: event {about.sequence} ({about.what}) has no words; "
        "add it to Announced in responses/plan.py and to responses/news.py"
    )
