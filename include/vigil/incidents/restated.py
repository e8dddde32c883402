"""What late labels do to an incident: it may never have been, or begin earlier than anybody knew."""

from collections.abc import Mapping, Sequence
from datetime import date

from vigil.core.words import Mitigation
from vigil.incidents.episodes import NewEvent
from vigil.incidents.findings import TELLING
from vigil.incidents.types import Event, Incident, Signal
from vigil.verdicts.types import State, Verdict

Answers = Mapping[tuple[date, str], Verdict]  # (night, question) -> the verdict as it is known now


def told(events: Sequence[Event]) -> tuple[Signal, ...]:
    """Every signal of every night that an incident was ever told of, in order."""
    return tuple(Signal.model_validate(s) for e in events if e.type in TELLING for s in e.payload["signals"])


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
    payload = {"night": nights[-1].isoformat(), "why": why, "nights": [n.isoformat() for n in nights]}
    return (
        NewEvent(key=f"never_was/{incident.last_bad_night}/{incident.reopened}", type="never_was", payload=payload),
    )


def _nights(nights: Sequence[date]) -> str:
    return f"the night of {nights[0]}" if len(nights) == 1 else f"{len(nights)} nights since {nights[0]}"
