"""The words of an incident: its war room, its pinned summary, and what is said when something happens.

The reader was woken at 3 a.m. In this order: what broke, since when, how bad, what Vigil did and saw, what to
decide next, who is here. Aggregates only, never rows; everything from data is escaped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vigil.incidents.types import Event, Incident
from vigil.responses import summary as words_of
from vigil.responses.news import NEWS, News
from vigil.responses.phrases import clip, escape
from vigil.responses.small_groups import payload_without_small_groups, without_small_groups
from vigil.responses.summary import SECTION, RoomFacts
from vigil.responses.types import Message, Room

__all__ = ["RoomFacts", "escape", "room_for", "update_message"]


def room_for(incident: Incident, facts: RoomFacts) -> Room:
    """The war room as it should be now, without the numbers of groups that are too small for chat."""
    return words_of.room_for(without_small_groups(incident, facts.smallest_group_shown), facts)


def update_message(
    incident: Incident, facts: RoomFacts, payload: Mapping[str, Any], events: Sequence[Event] = ()
) -> Message:
    """What people are told of one event.

    payload: `what` (`opened`, or a key of NEWS); `sequence`, the number of its event where there is one.
    Raises ValueError for news that has no words.
    """
    incident = without_small_groups(incident, facts.smallest_group_shown)
    what = str(payload.get("what", ""))
    if what == "opened":
        return words_of.summary(incident, facts)
    words = NEWS.get(what)
    if words is None:
        raise ValueError(f"no words for the news {what!r}; add them to NEWS in responses/news.py ({', '.join(NEWS)})")
    event = next((e for e in events if e.sequence == payload.get("sequence")), None)
    told = payload_without_small_groups({**(event.payload if event else {}), **payload}, facts.smallest_group_shown)
    return Message(text=clip("\n".join(words(News(incident, facts, told))), SECTION))
