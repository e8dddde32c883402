"""Numbers of small groups stay out of chat where the policy says so; that there is a finding does not."""

from datetime import timedelta

import pytest

from tests.golden.messages.stories import credit_fallback, event
from vigil.incidents.types import Basis, Clue, Question, Standing, Status
from vigil.responses.messages import room_for, update_message
from vigil.responses.small_groups import hidden, is_small
from vigil.responses.types import Announcement, Response


def strict(story, smallest):
    incident, facts = story()
    return incident, facts.model_copy(update={"smallest_group_shown": smallest})


def news(incident, facts, told):
    return update_message(incident, facts, Announcement(what=told.type, sequence=told.sequence), (told,))


def test_nothing_is_hidden_unless_the_policy_asks():
    assert Response().smallest_group_shown == 0
    assert room_for(*strict(credit_fallback, 0)) == room_for(*credit_fallback())
    assert "0.61*" in room_for(*strict(credit_fallback, 1204)).summary.text


def test_a_small_group_is_named_without_its_numbers_everywhere_in_the_room():
    incident, facts = strict(credit_fallback, 1205)
    clue = "sex=female: the favourable share went from 80% to 40% at about 05:00 local time"
    told = room_for(
        incident.model_copy(
            update={"clues": (Clue(text=clue, group="sex=female"), Clue(text="several pipeline versions ran"))}
        ),
        facts,
    )
    text = told.summary.text
    assert "Selection-rate ratio" in text
    assert "groups of fewer than 1205 rows are shown without numbers here" in text
    assert "several pipeline versions ran" in text
    for number in ("0.61", "1,204", "[0.55", "went from"):
        assert number not in text
        assert all(number not in str(block) for block in told.summary.blocks)


def test_news_of_a_small_group_have_no_numbers_either():
    incident, facts = strict(credit_fallback, 5000)
    signals = [s.model_dump(mode="json") for f in incident.findings for s in f.signals]
    night = (incident.last_bad_night + timedelta(days=1)).isoformat()
    for what in ("signals", "reopened"):
        message = news(incident, facts, event(what, signals=signals, night=night))
        assert "0.61" not in message.text
        assert "shown without numbers" in message.text
    replay = incident.replay.model_dump(mode="json")
    message = news(incident, facts, event("replayed", replay=replay))
    assert all(f"{v.measurement.value:.3g}" not in message.text
               for r in incident.replay.versions for v in r.verdicts if v.measurement and "=" in v.subject)  # fmt: skip


def test_what_stands_of_a_small_group_has_no_numbers_either():
    incident, facts = strict(credit_fallback, 5000)
    signal = next(s for f in incident.findings for s in f.signals if "=" in s.verdict.subject)
    v, night = signal.verdict, signal.night
    stands = Standing(question=v.id, fingerprint="f", basis=Basis.KNOWN, night=night, first_night=night,
                      review=night + timedelta(days=90), verdict=v)  # fmt: skip
    for what in ("resolved", "accepted"):
        told = event(what, standing=[stands.model_dump(mode="json")], why="known", by="ana")
        text = news(incident, facts, told).text
        assert "0.61" not in text
        assert "Known until the review on" in text
    asked = Question(id=v.id, fingerprint="f", family=v.family, bad=(night,), standing=stands)
    over = incident.model_copy(update={"questions": {v.id: asked}, "status": Status.RESOLVED})
    assert "0.61" not in room_for(over, facts).summary.text


def test_the_smaller_of_two_compared_groups_counts():
    signal = next(s for f in credit_fallback()[0].findings for s in f.signals if "=" in s.verdict.subject)
    few = signal.verdict.measurement.model_copy(update={"parts": (600.0, 1204.0, 8.0, 9.0)})
    verdict = signal.verdict.model_copy(update={"measurement": few})
    assert is_small(verdict, 10)
    assert not is_small(verdict, 9)
    assert hidden(verdict, 10).measurement is None
    assert hidden(verdict, 9) is verdict


@pytest.mark.parametrize("smallest", [0, 100, 10**6])
def test_what_is_about_no_group_is_never_hidden(smallest):
    incident, facts = strict(credit_fallback, smallest)
    text = room_for(incident, facts).summary.text
    assert "Population stability" in text
    assert "n = " in text
