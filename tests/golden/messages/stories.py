"""Three incidents, built by hand: the ones whose words are kept in this folder."""

from datetime import UTC, date, datetime
from typing import Any

from vigil.core.words import Family, Mitigation
from vigil.incidents.types import (
    Event,
    Finding,
    Incident,
    Replay,
    ReplayedVersion,
    Severity,
    SeverityAssessment,
    Signal,
    Status,
)
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.responses.messages import RoomFacts
from vigil.verdicts.types import State, Verdict

NIGHT = date(2026, 11, 21)
OPENED = datetime(2026, 11, 22, 2, 7, 31, tzinfo=UTC)
AIR = "selection_rate_ratio"
CREDIT = "20261121-credit-scoring-staging"


def verdict(
    metric: str, subject: str, family: Family, value: float, *, state: State = State.BREACH, **more: Any
) -> Verdict:
    """A verdict on a measurement; `more` goes to either."""
    own = {k: more.pop(k) for k in ("limit", "hard") if k in more}
    fields = {"kind": Kind.NUMBER, "n": 1204, "unit": "", "worse": Worse.HIGHER, **more}
    measurement = Measurement(metric=metric, subject=subject, family=family, value=value, **fields)
    return Verdict(
        metric=metric,
        subject=subject,
        family=family,
        state=state,
        reason="see the number",
        measurement=measurement,
        **own,
    )


def air(value: float, low: float, high: float, *, state: State = State.BREACH, n: int = 1204) -> Verdict:
    """The four-fifths ratio of one subgroup."""
    return verdict(
        AIR,
        "sex=female",
        Family.FAIRNESS,
        value,
        state=state,
        kind=Kind.RATIO,
        low=low,
        high=high,
        n=n,
        unit="ratio",
        worse=Worse.LOWER,
        baseline=0.97,
        yardstick="holdout of version 3",
        limit="< 0.8",
    )


def finding(family: Family, *verdicts: Verdict, night: date = NIGHT) -> Finding:
    """All signals of one night."""
    signals = tuple(Signal(fingerprint=f"{v.metric}-{v.subject}", night=night, verdict=v) for v in verdicts)
    return Finding(family=family, first_night=night, last_night=night, signals=signals)


def assessed(severity: Severity, *reasons: str) -> SeverityAssessment:
    """With its reasons."""
    return SeverityAssessment(severity=severity, impact=2, urgency=2, tier=1, reasons=reasons)


def psi(column: str, value: float) -> Verdict:
    """A hard drift of one input."""
    more = {"n": 318, "baseline": 0.021, "yardstick": "28 past nights", "limit": "> 0.2", "hard": True, "unit": "nats"}
    return verdict("psi", column, Family.DRIFT, value, **more)


def iris() -> tuple[Incident, RoomFacts]:
    """A sensor reports inches; nothing can be mitigated by another version."""
    incident = Incident(
        id="20261121-iris-production",
        monitor="iris",
        environment="production",
        status=Status.OPEN,
        severity=Severity.SEV3,
        assessment=assessed(Severity.SEV3, "I3: drift is a cause, not yet harm", "U2: it goes on, a fallback exists"),
        opened_at=OPENED,
        opened_night=NIGHT,
        last_bad_night=NIGHT,
        findings=(
            finding(Family.DRIFT, psi("petal_width", 2.9), psi("petal_length", 3.21), psi("prediction", 1.04)),
            finding(
                Family.QUALITY,
                verdict("out_of_range", "petal_length", Family.QUALITY, 0.41, n=318, unit="share", limit="> 0.05"),
            ),
        ),
        report_url="http://127.0.0.1:8080/vigil/report/iris/2026-11-21",
    )
    facts = RoomFacts(
        model="iris",
        environment="production",
        description="Which iris is it? A first model.",
        owner="ana.silva@bank.example",
        on_call=("ben.okafor@bank.example",),
        data_owner="dora.weiss@bank.example",
        invite=("ana.silva@bank.example", "ben.okafor@bank.example", "dora.weiss@bank.example"),
        tier=3,
        report_url=incident.report_url,
        incident_url="http://127.0.0.1:8080/vigil/incident/20261121-iris-production",
        dag_url="http://127.0.0.1:8080/dags/vigil_nightly__iris",
    )
    return incident, facts


def credit_facts() -> RoomFacts:
    """People and links of the credit model."""
    return RoomFacts(
        model="credit_scoring",
        environment="staging",
        description="Approves or denies consumer credit.",
        owner="ana.silva@bank.example",
        on_call=("ben.okafor@bank.example",),
        data_owner="dora.weiss@bank.example",
        governance="gil.tanaka@bank.example",
        tier=1,
        affects_access=True,
        invite=("ana.silva@bank.example", "ben.okafor@bank.example", "dora.weiss@bank.example"),
        report_url="http://127.0.0.1:8080/vigil/report/credit_scoring/2026-11-21",
        incident_url=f"http://127.0.0.1:8080/vigil/incident/{CREDIT}",
        dag_url="http://127.0.0.1:8080/dags/vigil_nightly__credit_scoring",
    )


def _credit(**changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": CREDIT,
        "monitor": "credit_scoring",
        "environment": "staging",
        "status": Status.MITIGATED,
        "severity": Severity.SEV2,
        "assessment": assessed(
            Severity.SEV2,
            "I1: unfair decisions on access (credit, job, benefit) by a tier-1 model",
            "staging: no customer decision is made here, one line less",
            "U2: it goes on, a fallback exists",
        ),
        "opened_at": OPENED,
        "opened_night": NIGHT,
        "last_bad_night": NIGHT,
        "findings": (finding(Family.DRIFT, psi("utilisation", 0.63)), finding(Family.FAIRNESS, air(0.61, 0.55, 0.68))),
        "versions": {"3": 2410},
    }
    return Incident(**{**fields, **changes})


def credit_fallback() -> tuple[Incident, RoomFacts]:
    """The pipeline is the cause: the previous version breaches too, the rules do not."""
    replay = Replay(
        night=NIGHT,
        versions=(
            ReplayedVersion(
                role="previous", version="2", rows=2410, helps=False, why="it stays", verdicts=(air(0.64, 0.57, 0.71),)
            ),
            ReplayedVersion(
                role="fallback", version="1", rows=2410, helps=True, why="gone",
                verdicts=(air(0.96, 0.9, 1.02, state=State.OK),),
            ),
        ),
        mitigation=Mitigation.FALLBACK,
        target_version="1",
        why="version 2 breaches on the same inputs too, so a rollback would not help; "
        "the fallback (version 1) does not breach",
    )  # fmt: skip
    done = {"replay": replay, "proposed": Mitigation.FALLBACK, "mitigation": Mitigation.FALLBACK}
    return _credit(**done, mitigation_target="1"), credit_facts()


def credit_rollback() -> tuple[Incident, RoomFacts]:
    """The new version is the cause: the previous one is fine. A person has to approve."""
    replay = Replay(
        night=NIGHT,
        versions=(
            ReplayedVersion(
                role="previous", version="3", rows=2388, helps=True, why="gone",
                verdicts=(air(0.95, 0.89, 1.01, state=State.OK),),
            ),
            ReplayedVersion(role="fallback", version="1", rows=0, helps=None, why="time limit of 120 s", verdicts=()),
        ),
        mitigation=Mitigation.ROLLBACK,
        target_version="3",
        why="version 3 on the same inputs would not have breached: the new version is the cause",
    )  # fmt: skip
    changes = {"status": Status.ACKNOWLEDGED, "acknowledged_by": "ben.okafor@bank.example", "versions": {"4": 2388}}
    return _credit(**changes, replay=replay, proposed=Mitigation.ROLLBACK), credit_facts()


def event(type: str, /, **payload: Any) -> Event:
    """Event number 7 of the stream."""
    return Event(
        stream=f"incident/{CREDIT}",
        sequence=7,
        key=type,
        type=type,
        at=OPENED,
        payload=payload,
        previous="0" * 64,
        hash="1" * 64,
    )


STORIES = {"iris_drift": iris, "credit_fallback": credit_fallback, "credit_rollback": credit_rollback}
