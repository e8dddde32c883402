"""What late labels do to an incident: it may never have been, or begin earlier than anybody knew."""

from collections.abc import Mapping, Sequence
from datetime import date

from vigil.core.words import Mitigation
from vigil.incidents.episodes import NewEvent
from vigil.incidents.events import BadNight, FalseAlarm, incident_event
from vigil.incidents.types import Event, Incident, Signal
from vigil.verdicts.types import State, Verdict

Answers = Mapping[tuple[date, str], Verdict]  # (night, question) -> the verdict as it is known now


def told(events: Sequence[Event]) -> tuple[Signal, ...]:
    """Every signal of every night that an incident was ever told of, in order."""
    bodies = [incident_event(e) for e in events]
    return tuple(s for body in bodies if isinstance(body, BadNight) for s in body.signals)


def never_was_events(incident: Incident, events: Sequence[Event], answers: Answers) -> tuple[NewEvent, ...]:
    """Closes an incident whose every breach, on every night, is restated away; nothing otherwise.

    Blindness was real, whatever came later, and an unknown is no good news; where a mitigation is in effect, people
    and good nights end it, since the incident is what holds it. Incidents that are closed stay as they were told.
    """
    signals = told(events)
    in_effect = incident.mitigation is not Mitigation.NONE and not incident.mitigation_over
    if not incident.is_open or in_effect or not signals:
        return ()
    for signal in signals:
        now = answers.get((signal.night, signal.verdict.id))
        if signal.verdict.state is not State.BREACH or now is None or now.state not in (State.OK, State.WARN):
            return ()
    last = signals[-1]
    now = answers[last.night, last.verdict.id]
    nights = sorted({s.night for s in signals})
    why = f"what is known now of {_nights(nights)} is no breach any more: {now.reason}"
    body = FalseAlarm(night=nights[-1], why=why, nights=tuple(nights))
    return (NewEvent(key=f"{body.type}/{incident.last_bad_night}/{incident.reopened}", body=body),)


def _nights(nights: Sequence[date]) -> str:
    return f"the night of {nights[0]}" if len(nights) == 1 else f"{len(nights)} nights since {nights[0]}"
