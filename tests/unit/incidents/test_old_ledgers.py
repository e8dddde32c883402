"""Streams that an older release wrote: findings by family, good nights of everything."""

from datetime import UTC, date, datetime, timedelta

import pytest

from vigil.core.words import Family
from vigil.incidents.findings import tellings
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Event, Severity, Status

NIGHT = date(2026, 11, 20)
ASSESSED = {"severity": 2, "impact": 2, "urgency": 2, "tier": 1, "reasons": ["I2: a reason"]}


def a_signal(metric, subject, family, night):
    verdict = {"metric": metric, "subject": subject, "family": family, "state": "breach", "reason": "bad"}
    return {"fingerprint": f"{metric}{subject}", "night": night.isoformat(), "verdict": verdict}


def bad(type, night, *signals, severity=2):
    told = {"assessment": {**ASSESSED, "severity": severity}, "signals": list(signals), "night": night.isoformat()}
    return type, {**told, "monitor": "credit", "environment": "staging", "versions": {}, "report_url": None}


def good(type, night, **more):
    return type, {"night": night.isoformat(), "version": "2", "rows": 500, **more}


def stream(*events):
    return [
        Event(stream="incident/x", sequence=n, key=f"{kind}/{n}", type=kind, at=datetime(2026, 11, 21, tzinfo=UTC),
              payload=payload, previous="", hash="")
        for n, (kind, payload) in enumerate(events, 1)
    ]  # fmt: skip


def after(days):
    return NIGHT + timedelta(days=days)


@pytest.fixture
def told():
    return [
        bad("opened", NIGHT, a_signal("auc", "all", "performance", NIGHT), a_signal("psi", "age", "drift", NIGHT)),
        bad("signals", after(2), *(a_signal("psi", c, "drift", after(2)) for c in ("age", "income")), severity=3),
    ]  # fmt: skip


def test_its_findings_are_seen_as_faults(told):
    incident = fold(stream(*told))
    assert [(f.id, f.subjects) for f in incident.findings] == [
        (f"drift/{NIGHT}", ("age",)),
        (f"performance/{NIGHT}", ("all",)),
        (f"drift/{after(2)}", ("income",)),
    ]
    assert incident.findings[-1].assessment.severity is Severity.SEV3
    assert [f.family for f in tellings(stream(*told))[2].new] == [Family.DRIFT]


def test_a_good_night_without_questions_answers_all_of_them_well(told):
    incident = fold(stream(*told, good("good_night", after(3)), good("recovered", after(3))))
    assert incident.status is Status.RECOVERED
    assert incident.good_nights == (after(3),)
    assert all(q.since(q.good) == (after(3),) for q in incident.questions.values())


def test_an_end_without_what_stands_is_an_end(told):
    incident = fold(stream(*told, good("good_night", after(3)), good("resolved", after(3), why="1 good night")))
    assert (incident.status, incident.standing) == (Status.RESOLVED, ())
