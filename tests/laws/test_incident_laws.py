"""Incidents: whatever the order in which nights are told, the same faults; told twice, nothing more."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigil.core.words import Family
from vigil.incidents.correlate import fingerprint
from vigil.incidents.episodes import bad_night_events
from vigil.incidents.findings import findings, tellings
from vigil.incidents.lifecycle import fold
from vigil.incidents.recovery import Answers, Recovery, night_events
from vigil.incidents.severity import assess, each
from vigil.incidents.types import Event, Risk, Signal, Status
from vigil.verdicts.types import State, Verdict

FIRST = date(2026, 11, 1)
AT = datetime(2026, 11, 2, tzinfo=UTC)
ABOUT = [
    ("mean_shift", "income", Family.DRIFT),
    ("psi", "income", Family.DRIFT),
    ("mean_shift", "age", Family.DRIFT),
    ("missing", "income", Family.QUALITY),
    ("selection_rate_ratio", "sex=female", Family.FAIRNESS),
    ("selection_rate_ratio", "age=young", Family.FAIRNESS),
    ("recall", "all", Family.PERFORMANCE),
]
RISK = Risk(tier=2)


def a_signal(about, days):
    metric, subject, family = about
    v = Verdict(metric=metric, subject=subject, family=family, state=State.BREACH, reason=f"{metric}({subject}) is bad")
    return Signal(fingerprint=fingerprint("m", "test", v), night=FIRST + timedelta(days=days), verdict=v)


def how_bad(signals):
    return assess(signals, RISK, environment="test", has_fallback=True, mitigated=False)


nights = st.dictionaries(st.integers(0, 12), st.sets(st.sampled_from(ABOUT), min_size=1), min_size=1)


def faults(found):
    return {
        (
            f.id,
            f.last_night,
            frozenset(f.subjects),
            frozenset((s.fingerprint, s.night) for s in f.signals),
            f.assessment,
        )
        for f in found
    }


@given(st.data(), nights)
def test_the_same_signals_in_any_order_make_the_same_findings(data, told):
    signals = [a_signal(about, days) for days, those in told.items() for about in those]
    shuffled = data.draw(st.permutations(signals))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(signals)), max_size=3)))
    found = ()
    for start, end in zip([0, *cuts], [*cuts, len(signals)], strict=True):
        found = findings(found, shuffled[start:end], each(shuffled[start:end], how_bad))
    assert faults(found) == faults(findings((), signals, each(signals, how_bad)))


@given(nights)
def test_every_subject_is_in_one_finding_of_its_family_that_begins_when_it_went_bad(told):
    signals = [a_signal(about, days) for days, those in told.items() for about in those]
    found = findings((), signals)
    assert len({f.id for f in found}) == len(found)
    for metric, subject, family in {about for those in told.values() for about in those}:
        own = [f for f in found if f.family is family and subject in f.subjects]
        began = min(d for d, those in told.items() for m, s, f in those if (s, f) == (subject, family))
        assert [f.first_night for f in own] == [FIRST + timedelta(days=began)], metric


class Stream:
    """A ledger stream: numbered, once per key."""

    def __init__(self):
        self.events = []

    def add(self, new):
        for n in new:
            if n.key not in {e.key for e in self.events}:
                self.events.append(Event(stream="incident/x", sequence=len(self.events) + 1, key=n.key, type=n.type,
                                         at=AT, payload=n.payload, previous="", hash=""))  # fmt: skip

    def bad(self, days, abouts):
        signals = [a_signal(about, days) for about in abouts]
        self.add(bad_night_events(
            fold(self.events), signals, monitor="m", environment="test", night=FIRST + timedelta(days=days),
            knowledge=f"{days}", assessment=how_bad(signals), assessments=each(signals, how_bad), versions={},
            report_url=None))  # fmt: skip

    def answered(self, days, **kinds):
        incident = fold(self.events)
        names = {kind: tuple(incident.questions) if whole else () for kind, whole in kinds.items()}
        answers = Answers(night=FIRST + timedelta(days=days), version="1", rows=500, **names)
        self.add(night_events(incident, answers, Recovery(nights=2, standing_nights=4)))


steps = st.lists(
    st.tuples(st.sampled_from(["bad", "good", "known", "unanswered"]), st.integers(0, 14),
              st.sets(st.sampled_from(ABOUT), min_size=1)),
    max_size=16,
)  # fmt: skip


def play(stream, story, *, times=1):
    stream.bad(0, ABOUT[:1])
    for what, days, abouts in story:
        for _ in range(times):
            if what == "bad":
                stream.bad(days, abouts)
            else:
                stream.answered(days, **{what: True})


@given(steps)
def test_whatever_is_told_twice_adds_nothing(story):
    once, twice = Stream(), Stream()
    play(once, story)
    play(twice, story, times=2)
    assert [(e.key, e.payload) for e in once.events] == [(e.key, e.payload) for e in twice.events]


@given(steps)
def test_an_incident_ends_only_when_each_question_has_its_answers_or_stands(story):
    stream = Stream()
    play(stream, story)
    for n, event in enumerate(stream.events):
        if event.type != "resolved":
            continue
        incident = fold(stream.events[: n + 1])
        assert incident.status is Status.RESOLVED
        for q in incident.questions.values():
            answered = {*q.since(q.good), *q.since(q.known)}
            assert q.standing or len(answered) >= 2 or len(q.since(q.unanswered)) >= 4


@given(steps)
def test_every_finding_is_told_first_at_the_top_and_a_thread_leads_to_where_it_was(story):
    stream = Stream()
    play(stream, story)
    told = tellings(stream.events)
    for sequence, telling in told.items():
        assert telling.thread is None or (telling.thread < sequence and told[telling.thread].new)
    before = set()
    for sequence in sorted(told):
        subjects = {(f.family, s) for f in told[sequence].new for s in f.subjects}
        assert not subjects & before
        before |= subjects
