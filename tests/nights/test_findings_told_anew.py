"""A new fault inside an open incident is told as one: its own severity, its own message, its own thread."""

from pathlib import Path

import pytest
from judged import KNOWN, NEW, Watched, after, fine, ratio, recall, shift

from vigil.core.words import Family
from vigil.incidents.types import Severity


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def found(watched: Watched) -> list[tuple[str, tuple[str, ...]]]:
    return [(f.id, f.subjects) for f in watched.only.findings]


def texts(watched: Watched, channel: str) -> list[str]:
    (one,) = [c for c in watched.stage.notifier.channels.values() if c.name == channel]
    return [m.text for m in one.messages]


def test_drift_inside_a_chronic_disparity_is_a_finding_of_its_own_with_its_own_severity(watched):
    watched.nights(range(2), ratio(onset=NEW))
    watched.night(2, ratio(onset=NEW), shift("income"))
    assert found(watched) == [(f"fairness/{after(0)}", ("sex=female",)), (f"drift/{after(2)}", ("income",))]
    assert [f.assessment.severity for f in watched.only.findings] == [Severity.SEV1, Severity.SEV2]


def test_columns_that_go_bad_on_one_night_are_one_fault_and_a_later_column_is_another(watched):
    watched.night(0, shift("income"), shift("age"))
    watched.night(1, shift("income"), shift("age"), shift("tenure"))
    assert found(watched) == [(f"drift/{after(0)}", ("income", "age")), (f"drift/{after(1)}", ("tenure",))]


def test_everything_about_one_column_is_one_fault(watched):
    watched.night(0, shift("income"))
    watched.night(1, shift("income"), shift("income"), shift("income|sex=female"), shift("income:high"))
    assert found(watched) == [(f"drift/{after(0)}", ("income",))]


def test_a_group_that_goes_bad_later_is_told_anew(watched):
    watched.night(0, ratio(onset=NEW))
    watched.night(1, ratio(onset=NEW), ratio(onset=NEW, group="age=young"))
    assert [s for _, s in found(watched)] == [("sex=female",), ("age=young",)]


def test_a_grave_finding_raises_the_incident_and_opens_the_room(watched):
    watched.night(0, shift("income"))
    watched.respond()
    assert watched.only.severity is Severity.SEV2
    assert watched.only.room == {}
    watched.night(1, shift("income"), recall())
    watched.respond()
    assert watched.only.severity is Severity.SEV1
    assert watched.only.room


def test_news_of_a_new_finding_is_told_once_at_the_top_and_goes_on_in_its_thread(watched):
    watched.nights(range(2), ratio(onset=KNOWN))
    watched.night(2, ratio(onset=KNOWN), shift("income"))
    watched.night(3, ratio(onset=KNOWN), shift("income", 0.7))
    for _ in range(2):
        watched.respond()
    room = watched.stage.notifier.channels[watched.only.room["channel"]]
    (first,) = [n for n, m in enumerate(room.messages) if "New finding: drift of `income` (SEV2)" in m.text]
    (more,) = [n for n, m in enumerate(room.messages) if "It happened again" in m.text]
    assert room.replies == {more: str(first)}
    assert room.messages[first].mention == ()


def test_a_new_finding_that_is_grave_by_itself_calls_those_on_call(watched):
    watched.night(0, ratio(onset=NEW))
    watched.night(1, ratio(onset=NEW), recall())
    watched.respond()
    room = watched.stage.notifier.channels[watched.only.room["channel"]]
    (told,) = [m for m in room.messages if "New finding: performance" in m.text]
    assert told.mention == ("call@bank.example",)


def test_without_a_room_the_thread_is_in_the_digest_channel(watched):
    watched.night(0, shift("income"))
    watched.night(1, shift("income"), shift("age"))
    watched.respond()
    watched.night(2, shift("age"))
    watched.respond()
    (digest,) = watched.stage.notifier.channels.values()
    assert [m.text.split("*")[1] for m in digest.messages[1:]] == [
        "New finding: drift of `age` (SEV2)",
        "It happened again",
    ]
    assert digest.replies == {2: "1"}


def test_the_same_night_twice_adds_nothing(watched):
    story = [(ratio(onset=KNOWN),), (ratio(onset=KNOWN), shift()), (ratio(onset=KNOWN), fine(shift()))]
    for days, verdicts in enumerate(story):
        watched.night(days, *verdicts)
        before = watched.stage.events()
        watched.night(days, *verdicts)
        assert watched.stage.events() == before


def test_a_fault_that_labels_show_late_has_the_night_on_which_it_began(watched):
    watched.night(5, shift("income"))
    watched.night(4, recall())
    assert [(f.family, f.first_night) for f in watched.only.findings] == [
        (Family.PERFORMANCE, after(4)),
        (Family.DRIFT, after(5)),
    ]
