"""Words of incidents: what they must always say, and never let through."""

import string
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden.messages.stories import (
    CREDIT,
    NIGHT,
    air,
    credit_facts,
    credit_fallback,
    credit_rollback,
    event,
    finding,
    iris,
    psi,
)
from vigil.core.words import Family, Mitigation
from vigil.emulators.slack import mrkdwn, rules
from vigil.incidents.events import IncidentReopened, NightReplayed, SeverityOverridden, SignalsAdded
from vigil.incidents.types import Event, Finding, Incident, Signal, Status
from vigil.responses.messages import RoomFacts, escape, room_for, update_message
from vigil.responses.plan import Announced
from vigil.responses.types import Announcement, Message
from vigil.verdicts.types import Cause, State, Verdict

HOSTILE = st.text(alphabet=string.printable + "<>&|`*_~!@#é雪\u202e\u200b", max_size=300)
NAMES = mrkdwn.Names({}, {})


def blind(reason: str = "the judge task was killed") -> Finding:
    verdict = Verdict(
        metric="monitor",
        subject="night",
        family=Family.SERVICE,
        state=State.UNKNOWN,
        cause=Cause.CHECK_FAILED,
        reason=reason,
        overdue=True,
    )
    signal = Signal(fingerprint="f", night=NIGHT, verdict=verdict)
    return Finding(family=Family.SERVICE, first_night=NIGHT, last_night=NIGHT, signals=(signal,))


def of(incident: Incident, **changes: Any) -> Incident:
    return incident.model_copy(update=changes)


def news_of(incident: Incident, facts: RoomFacts, told: Event) -> Message:
    return update_message(incident, facts, Announcement(what=told.type, sequence=told.sequence), (told,))


def test_the_summary_answers_the_questions_of_3_am_in_order() -> None:
    text = room_for(*credit_fallback()).summary.text
    parts = ["What broke", "Since when", "How bad", "What Vigil did and saw", "Next", "Who is here"]
    places = [text.index(f"*{part}*") for part in parts]
    assert places == sorted(places)


def test_the_blocks_say_what_the_text_says() -> None:
    summary = room_for(*credit_fallback()).summary
    for block in summary.blocks:
        for item in [block.get("text"), *block.get("elements", [])]:
            assert item is None or item["text"] in summary.text


def test_harm_is_told_before_its_causes() -> None:
    text = room_for(*credit_fallback()).summary.text
    assert text.index("Selection-rate ratio") < text.index("Population stability")


def test_the_number_comes_with_interval_rows_baseline_and_limit() -> None:
    text = room_for(*credit_fallback()).summary.text
    assert "0.61* [0.55, 0.68], n = 1,204, was 0.97 on the holdout of version 3; limit &lt; 0.8" in text


@pytest.mark.parametrize("story", [iris, credit_fallback, credit_rollback])
def test_slack_takes_every_room_as_it_is(story: Any) -> None:
    room = room_for(*story())
    assert rules.channel_name(room.name) == room.name
    assert rules.short_text(room.topic)
    assert rules.short_text(room.purpose)
    assert len(rules.blocks(list(room.summary.blocks))) == 8


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_from_data_becomes_markup_and_slack_takes_it(subject: str, reason: str, description: str) -> None:
    incident, facts = credit_fallback()
    drift = finding(Family.DRIFT, psi(subject or "x", 1.0))
    incident = of(incident, findings=(drift, blind(reason)))
    room = room_for(incident, facts.model_copy(update={"description": description, "links": ()}))
    for text in (room.topic, room.purpose, room.summary.text):
        assert "<!" not in text
        assert "<@" not in text
        links = text.count("<http")
        assert text.count("<") == links
        assert "\u202e" not in text
    html = mrkdwn.render(room.summary.text, NAMES)
    assert 'class="mention"' not in html
    rules.blocks(list(room.summary.blocks))
    rules.short_text(room.purpose)
    assert room.purpose.endswith(f" vigil:{CREDIT}")


@given(HOSTILE)
def test_escaped_text_has_no_raw_angle_and_reads_back(text: str) -> None:
    safe = escape(text)
    assert "<" not in safe
    assert ">" not in safe
    assert mrkdwn.plain(safe).split() == "".join(c for c in text if c.isspace() or c.isprintable()).split()


def test_many_signals_are_capped_by_family_and_counted() -> None:
    incident, facts = iris()
    many = finding(Family.DRIFT, *[psi(f"column_{i}", 1.0 + i) for i in range(40)])
    text = room_for(of(incident, findings=(many,)), facts).summary.text
    assert text.count("Population stability") == 8
    assert "+32 more in drift" in text
    assert "`column_39`: 40 nats" in text
    assert "`column_1`" not in text


def test_the_name_keeps_night_and_model_when_it_is_cut_and_does_not_follow_later_findings() -> None:
    incident, facts = iris()
    long = facts.model_copy(update={"model": "m" * 63})
    later = finding(Family.FAIRNESS, air(0.6, 0.5, 0.7), night=NIGHT + timedelta(days=1))
    before = room_for(incident, facts).name
    assert room_for(of(incident, findings=(*incident.findings, later)), facts).name == before
    assert room_for(incident, long).name == f"inc-20261121-{'m' * 56}-quality"


def test_a_blind_monitor_says_so_everywhere() -> None:
    incident, facts = iris()
    room = room_for(of(incident, findings=(blind(),)), facts)
    assert room.name == "inc-20261121-iris-blind"
    assert "monitor blind" in room.topic
    assert "unknown (check failed)" in room.summary.text
    assert "see again" in room.summary.text
    told = event("signals", night="2026-11-22", signals=[s.model_dump(mode="json") for s in blind().signals])
    news = news_of(incident, facts, told)
    assert "nothing is ok" in news.text


LEAST = {  # what an event of the kind cannot be without
    SignalsAdded: {"night": "2026-11-22"},
    IncidentReopened: {"night": "2026-11-22"},
    NightReplayed: {"replay": {"night": "2026-11-21", "versions": [], "mitigation": "none", "why": "no version helps"}},
    SeverityOverridden: {"severity": 2},
}


@pytest.mark.parametrize("kind", get_args(Announced), ids=lambda kind: kind.ledger_type())
def test_news_can_be_told_even_if_the_event_carries_no_more_than_it_must(kind: Any) -> None:
    incident, facts = credit_fallback()
    assert len(news_of(incident, facts, event(kind.ledger_type(), **LEAST.get(kind, {}))).text) > 20


@pytest.mark.parametrize("kind", ["receipt", "party"])
def test_what_is_no_news_is_refused_with_the_place_to_add_it(kind: str) -> None:
    told = event(kind, action="post-1", kind="post", at="2026-11-21T02:00:00Z")
    with pytest.raises(ValueError, match=r"responses/news.py"):
        news_of(*credit_fallback(), told)


def test_opened_tells_the_whole_summary_where_there_is_no_room() -> None:
    incident, facts = credit_fallback()
    assert incident.assessment is not None
    told = event("opened", monitor="credit", environment="staging", night="2026-11-21",
                 assessment=incident.assessment.model_dump(mode="json"))  # fmt: skip
    assert news_of(incident, facts, told) == room_for(incident, facts).summary


def test_a_new_family_is_a_new_finding_and_an_old_one_a_repetition() -> None:
    incident, facts = iris()
    night = NIGHT + timedelta(days=1)
    unfair = finding(Family.FAIRNESS, air(0.6, 0.5, 0.7), night=night)
    incident = of(incident, findings=(*incident.findings, unfair), last_bad_night=night)
    told = event("signals", night=str(night), signals=[s.model_dump(mode="json") for s in unfair.signals])
    assert "New finding: fairness" in news_of(incident, facts, told).text
    again = told.model_copy(update={"payload": {**told.payload, "night": str(night + timedelta(days=1))}})
    text = news_of(incident, facts, again).text
    assert "It happened again" in text


def next_of(incident: Incident, facts: RoomFacts) -> str:
    return room_for(incident, facts).summary.text.partition("*Next*")[2].partition("*Who is here*")[0]


def test_what_to_do_next_follows_the_state() -> None:
    incident, facts = credit_rollback()
    assert "approve or reject" in next_of(incident, facts)
    assert "vigil incidents release" in next_of(of(incident, held=True), facts)
    assert "no version is known to be better" in next_of(of(incident, proposed=Mitigation.FREEZE), facts)
    back = of(incident, status=Status.MITIGATED, mitigation=Mitigation.ROLLBACK, mitigation_target="3")
    assert "Find out what is wrong with version `4`" in next_of(back, facts)
    assert "vigil restore credit_scoring" in next_of(*credit_fallback())
    assert "closed" in next_of(of(incident, status=Status.RESOLVED), facts)


def test_an_unverified_change_is_said_to_be_unverified() -> None:
    told = event(
        "mitigation_done", mitigation="rollback", to="3", by="gil", automatic=False, verified=False, how="no probe"
    )
    text = news_of(*credit_rollback(), told).text
    assert "Not verified:* no probe" in text
    assert "approved by gil" in text


def test_links_that_are_no_web_address_are_left_out() -> None:
    facts = credit_facts().model_copy(update={"incident_url": "/vigil/incident/1", "report_url": "javascript:alert(1)"})
    incident, _ = credit_fallback()
    room = room_for(incident, facts)
    assert [title for title, _ in room.bookmarks] == ["Airflow DAG"]
    assert "javascript" not in room.summary.text
