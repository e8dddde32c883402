"""A home and a state folder as Vigil leaves them after forty nights: one model with an incident, one never judged."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.golden.messages.stories import CREDIT, NIGHT, air, credit_fallback, psi
from tests.unit.examples.played import HOME
from tests.unit.plugins.shown import HOSTILE, MONITOR, night, spent
from tests.unit.plugins.weeks import weeks
from vigil.adapters.file_artifacts import FileArtifacts
from vigil.adapters.sql_engine import open_engine, upgrade
from vigil.adapters.sql_ledger import SqlLedger
from vigil.adapters.sql_results import SqlResults
from vigil.incidents.correlate import signals
from vigil.incidents.episodes import bad_night_events
from vigil.incidents.types import Clue
from vigil.settings import Settings
from vigil.verdicts.types import NightResult, State

JUDGED = datetime(2026, 11, 22, 2, 7, 31, tzinfo=UTC)
LONG = "column_" + "x" * 300
# A report of somebody else: it tries to read the session, and to ask Airflow as the reader.
REPORT = """<!doctype html><title>report</title><h1>A report</h1><p id="cookie"></p><p id="api"></p>
<script>
function say(id, words) { document.getElementById(id).textContent = words; }
try { say("cookie", "read " + document.cookie); } catch (error) { say("cookie", error.name); }
fetch("/api/v2/dags").then(a => say("api", "answered " + a.status)).catch(error => say("api", error.name));
</script>"""


def made(folder: Path) -> tuple[Path, Path]:
    """(home, state)."""
    home, state = folder / "home", folder / "state"
    (home / "monitors").mkdir(parents=True)
    for model in ("credit_scoring", "iris"):
        shutil.copy(HOME / "monitors" / f"{model}.yaml", home / "monitors")
    with (home / "monitors" / "credit_scoring.yaml").open("a") as credit:
        credit.write("budget_policy: {approvers: [risk.board@bank.example], review_nights: 7}\n")
    (home / "monitors" / "churn.yaml").write_text("version: vigil/v1\nmodel: churn\ntask: <script>\n")
    settings = Settings(home=home, state=state)
    state.mkdir()
    engine = open_engine(settings.database)
    upgrade(engine)
    results = SqlResults(engine)
    for result in (*weeks()[:-1], last_night()):
        results.append(result, evaluated_at=JUDGED, labels_through=JUDGED)
    open_incident(SqlLedger(engine, settings.checkpoints))
    engine.dispose()
    FileArtifacts(settings.artifacts_dir, "").path("credit_scoring", NIGHT, "report.html").write_text(REPORT)
    (state / "artifacts" / "credit_scoring" / str(NIGHT) / "secret.html").write_text("SECRET")
    (state / "artifacts" / "secret.html").write_text("SECRET")
    return home, state


def last_night() -> NightResult:
    """A bad one, with names that are hard to show."""
    fine = psi(LONG, 0.02).model_copy(update={"state": State.OK, "would_see": HOSTILE})
    bad = air(0.61, 0.55, 0.68).model_copy(update={"reason": f"women are denied {HOSTILE}"})
    drifted = psi("utilisation", 0.63).model_copy(update={"reason": f"psi({LONG}) 0.63 nats"})
    budgets = (*weeks()[-1].budgets[:2], spent(None, None, slo="fair-nights"))
    usual = weeks()[-1]
    # every question is asked once a night
    rest = [v for v in usual.verdicts if v.id != bad.id]
    more = {"measurements": usual.measurements, "budgets": budgets}
    return night(bad, drifted, fine, *rest, **more, notes=(f"{LONG}.parquet could not be read",))


def open_incident(ledger: SqlLedger) -> None:
    """Opened by the last night, replayed, told, mitigated, held."""
    whole, _ = credit_fallback()
    assert whole.replay is not None
    assert whole.assessment is not None
    opened = bad_night_events(
        None,
        signals(last_night(), None),
        monitor=MONITOR.model,
        environment=MONITOR.environment,
        night=NIGHT,
        knowledge="k",
        assessment=whole.assessment,
        versions={"3": 2410},
        report_url=None,
        clues=(Clue(text=f"since 05:00 the pipeline {LONG} ran"), Clue(text=HOSTILE)),
    )
    room = {"name": "inc-20261121-credit-scoring-fairness", "url": "http://127.0.0.1:1/archives/C1"}
    told: list[tuple[str, str, Mapping[str, Any]]] = [
        *[(e.key, e.type, e.payload) for e in opened],
        ("replayed", "replayed", {"replay": whole.replay.model_dump(mode="json")}),
        ("receipt/1", "receipt", {"action": "a1", "kind": "open_room", "reference": room}),
        ("receipt/2", "receipt", {"action": "a2", "kind": "mitigate", "reference": {"run_id": f"rollback__{LONG}"}}),
        ("done", "mitigation_done", {"mitigation": "fallback", "from": "3", "to": "1", "by": "vigil", "how": HOSTILE}),
        ("held", "held", {"by": "gil.tanaka@bank.example", "why": "evidence first"}),
    ]
    for number, (key, kind, payload) in enumerate(told):
        at = JUDGED + timedelta(seconds=20 * number)
        ledger.append(f"incident/{CREDIT}", expected=number, key=key, type=kind, at=at, payload=payload)
