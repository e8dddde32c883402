"""An incident is a fold over its events: one bad night opens, good champion nights close, nothing else does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.words import Family, Mitigation
from vigil.incidents.correlate import fingerprint, incident_id, signals
from vigil.incidents.episodes import bad_night_events, may_join
from vigil.incidents.lifecycle import fold
from vigil.incidents.recovery import Answers, Recovery, night_events
from vigil.incidents.severity import assess
from vigil.incidents.types import Event, Risk, Severity, Signal, Status
from vigil.verdicts.types import Cause, NightResult, State, Verdict

NIGHT = date(2026, 11, 20)
AT = datetime(2026, 11, 21, 2, tzinfo=UTC)


def a_verdict(metric="selection_rate_ratio", subject="sex=female", state=State.BREACH, **changes):
    family = changes.pop("family", Family.FAIRNESS)
    return Verdict(metric=metric, subject=subject, family=family, state=state, reason="AIR 0.61 < 0.80", **changes)


def a_signal(night=NIGHT, **changes):
    verdict = a_verdict(**changes)
    return Signal(fingerprint=fingerprint("credit", "staging", verdict), night=night, verdict=verdict)


def a_result(*verdicts, night=NIGHT):
    return NightResult(monitor="credit", environment="staging", night=night, partition_digest="p", config_digest="c",
                       edges_digest="e", verdicts=verdicts)  # fmt: skip


class Stream:
    """Applies new events as the ledger would: numbered, once per key."""

    def __init__(self):
        self.events: list[Event] = []

    def add(self, new):
        for n in new:
            if n.key not in {e.key for e in self.events}:
                self.events.append(Event(stream="incident/x", sequence=len(self.events) + 1, key=n.key, type=n.type,
                                         at=AT, payload=n.payload, previous="", hash=""))  # fmt: skip
        return self

    def note(self, type, **payload):
        self.events.append(Event(stream="incident/x", sequence=len(self.events) + 1, key=f"{type}/{len(self.events)}",
                                 type=type, at=AT, payload=payload, previous="", hash=""))  # fmt: skip
        return self

    @property
    def incident(self):
        return fold(self.events)

    def bad(self, night=NIGHT, knowledge="k", signal=None):
        sig = [signal or a_signal(night)]
        return self.add(bad_night_events(
            self.incident, sig, monitor="credit", environment="staging", night=night, knowledge=knowledge,
            assessment=assess(sig, Risk(tier=1, affects_access=True), environment="production", has_fallback=True,
                              mitigated=False),
            versions={"2": 100}, report_url=None))  # fmt: skip

    def good(self, night, needed=2):
        answers = Answers(night=night, version="2", rows=500, good=tuple(self.incident.questions))
        return self.add(night_events(self.incident, answers, Recovery(nights=needed)))


def after(days):
    return NIGHT + timedelta(days=days)


def test_a_bad_night_opens_an_incident_with_its_finding():
    incident = Stream().bad().incident
    assert incident.status is Status.OPEN
    assert incident.severity is Severity.SEV1
    assert [f.family for f in incident.findings] == [Family.FAIRNESS]


def test_the_same_night_again_with_the_same_knowledge_changes_nothing():
    stream = Stream().bad()
    before = list(stream.events)
    assert stream.bad().events == before


def test_the_same_night_judged_again_with_late_labels_adds_nothing_when_it_finds_the_same():
    stream = Stream().bad()
    assert len(stream.bad(knowledge="later").events) == 1


def test_another_family_on_the_same_night_joins_as_a_second_finding():
    stream = Stream().bad().bad(knowledge="later", signal=a_signal(metric="psi", family=Family.DRIFT))
    assert len(stream.incident.findings) == 2
    assert stream.incident.opened_night == NIGHT


def test_one_good_night_brings_recovery_and_the_second_resolves():
    stream = Stream().bad().good(after(1))
    assert stream.incident.status is Status.RECOVERED
    assert stream.good(after(2)).incident.status is Status.RESOLVED


def test_the_same_good_night_twice_is_one_good_night():
    assert Stream().bad().good(after(1)).good(after(1)).incident.status is Status.RECOVERED


def test_a_good_night_before_the_bad_one_closes_nothing():
    assert Stream().bad().good(after(-1), needed=1).incident.status is Status.OPEN


def test_a_bad_night_after_recovery_starts_the_count_again():
    stream = Stream().bad().good(after(1)).bad(after(2)).good(after(3))
    assert stream.incident.status is Status.RECOVERED
    assert stream.incident.good_nights == (after(3),)


def test_mitigation_is_not_recovery():
    stream = Stream().bad().note("mitigation_done", mitigation="fallback", to="3", by="vigil", verified=True, how="")
    assert stream.incident.status is Status.MITIGATED
    assert stream.incident.mitigation is Mitigation.FALLBACK


def test_a_resolved_episode_reopens_within_three_nights_and_not_later():
    incident = Stream().bad().good(after(1), needed=1).incident
    assert incident.status is Status.RESOLVED
    assert may_join(incident, after(4))
    assert not may_join(incident, after(5))


def test_reopening_forgets_the_old_replay_and_mitigation():
    stream = Stream().bad().note("mitigation_done", mitigation="rollback", to="1", by="vigil").good(after(1), needed=1)
    incident = stream.bad(after(3)).incident
    assert incident.status is Status.OPEN
    assert incident.mitigation is Mitigation.NONE
    assert incident.reopened == 1


def test_acknowledging_does_not_undo_a_mitigation():
    stream = Stream().bad().note("mitigation_done", mitigation="fallback", to="3").note("acknowledged", by="ada")
    assert stream.incident.status is Status.MITIGATED
    assert stream.incident.acknowledged_by == "ada"


def test_an_event_type_of_a_newer_version_is_skipped_and_counted():
    assert Stream().bad().note("from_the_future", x=1).incident.events == 2


def test_only_breaches_become_signals_on_the_first_night():
    result = a_result(a_verdict(), a_verdict(metric="psi", state=State.WARN),
                      a_verdict(metric="auc", state=State.UNKNOWN, cause=Cause.NO_DATA, overdue=True))  # fmt: skip
    assert [s.verdict.metric for s in signals(result, None)] == ["selection_rate_ratio"]


def test_an_overdue_unknown_becomes_a_signal_on_its_second_night():
    unknown = a_verdict(metric="rows", state=State.UNKNOWN, cause=Cause.NO_DATA, overdue=True)
    assert [s.verdict.metric for s in signals(a_result(unknown), a_result(unknown))] == ["rows"]


def test_an_unknown_that_may_wait_never_becomes_a_signal():
    pending = a_verdict(metric="auc", state=State.UNKNOWN, cause=Cause.LABELS_PENDING)
    assert signals(a_result(pending), a_result(pending)) == ()


def test_the_incident_id_is_the_same_on_every_worker():
    assert incident_id("credit_scoring", "staging", NIGHT) == "20261120-credit-scoring-staging"


def test_good_nights_after_a_late_bad_one_still_count():
    stream = Stream().bad().good(after(3)).bad(after(1))
    assert stream.incident.good_nights == (after(3),)
    stream.good(after(2))
    assert stream.incident.status is Status.RESOLVED
    assert stream.incident.good_nights == (after(2), after(3))


@given(st.lists(st.tuples(st.sampled_from(["bad", "good", "ack", "mitigated"]), st.integers(0, 12)), max_size=14))
def test_whatever_happens_the_fold_keeps_its_promises(story):
    stream = Stream().bad()
    for what, days in story:
        match what:
            case "bad" if may_join(stream.incident, after(days)):
                stream.bad(after(days))
            case "good":
                stream.good(after(days))
            case "ack":
                stream.note("acknowledged", by="ada")
            case "mitigated" if stream.incident.is_open:
                stream.note("mitigation_done", mitigation="fallback", to="3")
    incident = stream.incident
    assert incident.events == len(stream.events)
    assert (incident.status is Status.RESOLVED) == (incident.resolved_at is not None)
    assert incident.status is not Status.RESOLVED or len(incident.good_nights) >= 2
    assert all(n > incident.last_bad_night for n in incident.good_nights)


@pytest.mark.parametrize(
    ("family", "risk", "environment", "fallback", "severity"),
    [
        pytest.param(Family.FAIRNESS, Risk(tier=1, affects_access=True), "production", True, Severity.SEV1,
                     id="unfair credit decisions in production are SEV1"),
        pytest.param(Family.FAIRNESS, Risk(tier=1, affects_access=True), "staging", True, Severity.SEV2,
                     id="the same in staging harms nobody yet: SEV2"),
        pytest.param(Family.DRIFT, Risk(tier=3), "production", True, Severity.SEV3,
                     id="drift of an internal model is SEV3"),
        pytest.param(Family.DRIFT, Risk(tier=1), "production", True, Severity.SEV2, id="tier 1 raises by one"),
        pytest.param(Family.SERVICE, Risk(tier=2), "production", False, Severity.SEV1,
                     id="a failing service that nothing can stand in for is SEV1"),
    ],
)  # fmt: skip
def test_severity_follows_the_matrix(family, risk, environment, fallback, severity):
    found = assess([a_signal(family=family)], risk, environment=environment, has_fallback=fallback, mitigated=False)
    assert found.severity is severity
    assert found.reasons
