"""The full words of three incidents, as people read them. `VIGIL_GOLDEN=write` writes them anew: look at the diff."""

import os
from datetime import date
from pathlib import Path

import pytest

from tests.golden.messages.stories import (
    NIGHT,
    STORIES,
    air,
    assessed,
    credit_fallback,
    credit_rollback,
    event,
    finding,
    psi,
)
from vigil.core.words import Family, Mitigation
from vigil.incidents.types import Basis, Event, Incident, Severity, Standing, Status
from vigil.responses.messages import RoomFacts, room_for, update_message
from vigil.responses.types import Announcement, Autonomy, MitigationOrder

HERE = Path(__file__).parent


def same(name: str, text: str) -> None:
    kept = HERE / f"{name}.txt"
    if os.environ.get("VIGIL_GOLDEN") == "write":
        kept.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == kept.read_text(encoding="utf-8")


def news(incident: Incident, facts: RoomFacts, told: Event) -> str:
    return update_message(incident, facts, Announcement(what=told.type, sequence=told.sequence), (told,)).text


@pytest.mark.parametrize("story", STORIES)
def test_a_room_reads_as_kept(story: str) -> None:
    incident, facts = STORIES[story]()
    room = room_for(incident, facts)
    same(f"room_{story}", f"#{room.name}\n{room.topic}\n{room.purpose}\n\n{room.summary.text}")


def test_the_news_of_the_fallback_story_read_as_kept() -> None:
    incident, facts = credit_fallback()
    worse = finding(Family.FAIRNESS, air(0.58, 0.51, 0.66), night=NIGHT.replace(day=22))
    signals = [s.model_dump(mode="json") for s in worse.signals]
    done = {"mitigation": "fallback", "from": "3", "to": "1", "by": "vigil", "automatic": True, "reason": "as replayed"}
    story = [
        event("replayed", replay=incident.replay.model_dump(mode="json") if incident.replay else {}),
        event("mitigation_done", **done, verified=True, how="the gateway answers with version 1 as fallback"),
        event("signals", night="2026-11-22", signals=signals),
    ]
    texts = [news(incident, facts, e) for e in story]
    good = {"night": "2026-11-24", "version": "3", "rows": 2402}
    for status, what, why in (("recovered", "recovered", ""), ("resolved", "resolved", "1 good night(s) of version 3")):
        over = incident.model_copy(update={"status": Status(status)})
        told = event(what, **good, why=why)
        texts.append(news(over, facts, told))
    same("news_credit_fallback", "\n\n---\n\n".join(texts))


def test_the_news_of_a_new_finding_and_of_what_stands_read_as_kept() -> None:
    incident, facts = credit_fallback()
    next_night = NIGHT.replace(day=22)
    later = finding(Family.DRIFT, psi("income", 0.44), psi("age", 0.31), night=next_night)
    later = later.model_copy(
        update={"assessments": {"income": assessed(Severity.SEV3), "age": assessed(Severity.SEV4)}}
    )
    incident = incident.model_copy(update={"findings": (*incident.findings, later), "mitigation_target": "1"})
    signals = [s.model_dump(mode="json") for s in later.signals]
    stands = [
        Standing(question=v.id, fingerprint="f", basis=basis, night=NIGHT, first_night=NIGHT, review=date(2027, 2, 20),
                 verdict=v)
        for v, basis in ((air(0.7, 0.6, 0.8), Basis.KNOWN), (psi("income", 0.44), Basis.LASTING))
    ]  # fmt: skip
    payload = [s.model_dump(mode="json") for s in stands]
    due = later.signals[0].model_copy(update={"review": next_night})
    story = [
        event("signals", night=f"{next_night}", signals=signals),
        event("signals", night="2026-11-24", signals=[due.model_dump(mode="json")]),
        event("accepted", by="gil", why="version 5 comes in March", standing=payload[:1]),
        event("resolved", night="2026-12-02", version="3", rows=2402, why="2 findings stand", standing=payload),
    ]
    texts = [news(incident, facts, e) for e in story]
    over = incident.model_copy(update={"status": Status.RESOLVED})
    texts[-1] = news(over, facts, story[-1])
    same("news_credit_standing", "\n\n---\n\n".join(texts))


def test_the_news_of_the_rollback_story_read_as_kept() -> None:
    incident, facts = credit_rollback()
    order = MitigationOrder(
        model=incident.monitor,
        environment=incident.environment,
        mitigation=Mitigation.ROLLBACK,
        reason="as replayed",
        incident=incident.id,
        autonomy=Autonomy.NEVER,
    )
    told = [
        event("mitigation_failed", mitigation="rollback", why="the gateway still answers 4"),
        event("mitigation_declined", mitigation="rollback", by="gil", why="evidence first"),
        event("held", by="gil", why="authorities first"),
    ]
    texts = [update_message(incident, facts, order, ()).text, *(news(incident, facts, e) for e in told)]
    same("news_credit_rollback", "\n\n---\n\n".join(texts))
