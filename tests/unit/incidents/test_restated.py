"""An incident whose every breach is restated away never was; anything less leaves it open.

Statistics: docs/statistics.md#late-labels.
"""

from datetime import timedelta

from tests.unit.incidents.test_lifecycle import NIGHT, Stream, a_signal, a_verdict, after
from vigil.core.words import Mitigation
from vigil.incidents.episodes import episode_of, may_join
from vigil.incidents.restated import never_was_events, told
from vigil.incidents.types import Status
from vigil.usecases.nights import incident_nights
from vigil.verdicts.types import Cause, State


def answers(*states):
    """What is known now of NIGHT and the nights after it."""
    made = {}
    for back, state in enumerate(states):
        cause = Cause.LABELS_PENDING if state is State.UNKNOWN else None
        verdict = a_verdict(state=state, cause=cause)
        made[after(back), verdict.id] = verdict
    return made


def restated(stream, *states):
    return stream.add(never_was_events(stream.incident, stream.events, answers(*states)))


def test_when_every_breach_is_restated_away_it_never_was_and_says_why():
    stream = restated(Stream().bad().bad(after(1)), State.OK, State.WARN)
    incident = stream.incident
    assert (incident.status, incident.is_open) == (Status.NEVER_WAS, False)
    assert "2 nights since 2026-11-20 is no breach any more" in stream.events[-1].payload["why"]
    assert restated(stream, State.OK, State.WARN).events == stream.events


def test_one_night_that_is_still_bad_or_not_known_keeps_it_open():
    for now in ((State.OK, State.BREACH), (State.BREACH, State.OK), (State.OK, State.UNKNOWN), (State.OK,)):
        assert restated(Stream().bad().bad(after(1)), *now).incident.status is Status.OPEN


def test_an_earlier_night_of_the_same_question_is_not_forgotten():
    stream = Stream().bad().bad(after(1))
    assert [s.night for s in told(stream.events)] == [NIGHT, after(1)]
    assert [s.night for f in stream.incident.findings for s in f.signals] == [after(1)]
    assert restated(stream, State.BREACH, State.OK).incident.is_open


def test_a_monitor_that_was_blind_was_blind_whatever_came_later():
    blind = a_signal(state=State.UNKNOWN, cause=Cause.LABELS_PENDING, overdue=True)
    assert restated(Stream().bad(signal=blind), State.OK).incident.is_open


def test_a_mitigation_in_effect_is_ended_by_people_not_by_labels():
    stream = Stream().bad().note("mitigation_done", mitigation=Mitigation.ROLLBACK, to="1")
    assert restated(stream, State.OK).incident.status is Status.MITIGATED
    assert restated(stream.note("mitigation_ended"), State.OK).incident.status is Status.NEVER_WAS


def test_what_is_closed_stays_as_it_was_told():
    stream = Stream().bad().good(after(1)).good(after(2))
    assert restated(stream, State.OK).incident.status is Status.RESOLVED


def test_nights_that_never_were_bad_are_quiet_nights_again():
    stream = Stream().bad()
    assert incident_nights([stream.incident]) == {NIGHT}
    assert incident_nights([restated(stream, State.OK).incident]) == frozenset()


def test_nights_that_were_only_unknown_show_no_harm():
    blind = a_signal(state=State.UNKNOWN, cause=Cause.NO_DATA, overdue=True)
    assert incident_nights([Stream().bad(signal=blind).incident]) == frozenset()
    assert incident_nights([Stream().bad(signal=blind).bad(after(1)).incident]) == {NIGHT, after(1)}


def test_a_night_found_bad_later_moves_the_first_night_and_one_long_before_is_an_episode_of_its_own():
    stream = Stream().bad().bad(NIGHT - timedelta(days=2))
    assert stream.incident.opened_night == NIGHT
    assert stream.incident.first_night == NIGHT - timedelta(days=2)
    assert incident_nights([stream.incident]) == {NIGHT - timedelta(days=n) for n in range(3)}
    assert may_join(Stream().bad().incident, NIGHT - timedelta(days=3))
    assert episode_of([Stream().bad().incident], NIGHT - timedelta(days=4)) is None
    closed = Stream().bad().good(after(1)).good(after(2)).incident
    assert episode_of([closed], NIGHT - timedelta(days=20)) is None
