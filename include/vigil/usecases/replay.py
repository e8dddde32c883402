"""What would another version have done with the night's inputs? The ordinary engine measures and judges."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError, ReplayError
from vigil.core.words import Role
from vigil.diagnosis.counterfactual import answer, conclude, could_not, questions
from vigil.incidents.events import NightReplayed
from vigil.incidents.types import Replay, ReplayedVersion, ReplayRole
from vigil.metrics.evaluate import evaluate
from vigil.ports import Ports
from vigil.responses.model_history import history
from vigil.responses.rollback import QUARANTINED
from vigil.usecases.incidents import get
from vigil.usecases.nights import load_night, partition, serving_state, view
from vigil.usecases.record import append
from vigil.usecases.row_ledgers import answered_rows
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import Rules

if TYPE_CHECKING:
    import pyarrow as pa

REPLAY_ROWS = 20_000


def replay(
    ports: Ports, monitor: Monitor, night: date, incident: str, *, seconds: int = 120, megabytes: int = 2048
) -> Replay | None:
    """Replays harm of `night` through the previous version and the fallback; the answer goes to the incident.

    None when the night's findings are of a kind that no other version can answer (drift, service, blindness).
    A night is replayed once: a second call finds the event.
    """
    found, _ = get(ports, incident)
    asked = questions(found, night)
    if not asked or not found.is_open:
        return None
    if found.replay is not None and found.replay.night == night:
        return found.replay
    rows = ports.log.sample(monitor, partition(ports, monitor, night), rows=REPLAY_ROWS)
    replayed = [
        _one(ports, monitor, night, rows, role, version, asked, (seconds, megabytes))
        for role, version in _candidates(ports, monitor, night)
    ]
    concluded = conclude(night, replayed)
    body = NightReplayed(replay=concluded)
    append(ports, f"incident/{incident}", key=f"{body.type}/{night}", body=body)
    return concluded


def _candidates(ports: Ports, monitor: Monitor, night: date) -> list[tuple[ReplayRole, str]]:
    """The champion before the one that served the night (by our ledger), and the fallback."""
    loaded = load_night(ports, monitor, night)
    served = loaded.version if loaded else None
    state = serving_state(ports, monitor.model)
    candidates = []
    previous = previous_champion(ports, monitor.model, before=served or state.champion)
    if previous is not None:
        candidates.append((ReplayRole.PREVIOUS, previous))
    if state.fallback is not None:
        candidates.append((ReplayRole.FALLBACK, state.fallback))
    return candidates


def previous_champion(ports: Ports, model: str, *, before: str | None) -> str | None:
    """The last version that was champion before `before` became it, by our ledger; quarantined ones left out."""
    order = [reign.version for reign in history(ports.ledger.read(f"model/{model}")).champions]
    if before in order:
        order = order[: len(order) - 1 - order[::-1].index(before)]
    for version in reversed(order):
        if version != before and not ports.registry.version(model, version).tags.get(QUARANTINED):
            return version
    return None


def _one(
    ports: Ports,
    monitor: Monitor,
    night: date,
    rows: "pa.Table",
    role: ReplayRole,
    version: str,
    asked: Sequence[str],
    limits: tuple[int, int],
) -> ReplayedVersion:
    try:
        scored = ports.runner.score(monitor.model, version, rows, seconds=limits[0], megabytes=limits[1])
        table = replace_answers(monitor, rows, scored)
    except (ReplayError, RegistryError) as error:
        return could_not(role, version, str(error))
    edges = ports.profiles.edges(monitor.model)
    if edges is None:
        return could_not(role, version, f"{monitor.model} has no bin edges yet; `vigil promote` a version first")
    made = ports.scanner.scan_table(monitor, table, edges, night=night, version=version, role=Role.CHALLENGER)
    baseline = ports.profiles.baseline(monitor.model, version)
    measurements = evaluate(made, baseline, view(monitor), yardstick=f"holdout of version {version}")
    harm = Rules(fairness=monitor.rules.fairness, performance=monitor.rules.performance)
    labelled = made.outcome.labelled / made.rows if made.rows else 0.0
    rows_lost = answered_rows(monitor, made, baseline, scored=role is not ReplayRole.FALLBACK)
    facts = Facts(
        night=night, as_of=night, labels=monitor.labels, labelled_share=min(1.0, labelled), rows=rows_lost
    )  # fmt: skip
    return answer(role, version, made.rows, asked, judge(measurements, harm, (), facts))


def replace_answers(monitor: Monitor, rows: "pa.Table", scored: "pa.Table") -> "pa.Table":
    """The night's rows with another version's answers in the places of the logged ones."""
    for logged, name in ((monitor.data.prediction, "prediction"), (monitor.data.score, "score")):
        if logged is None:
            continue
        index = rows.column_names.index(logged)
        if name in scored.column_names:
            rows = rows.set_column(index, logged, scored.column(name))
        else:
            rows = rows.drop_columns([logged]).append_column(logged, _nulls(rows, logged))
    return rows


def _nulls(rows: "pa.Table", name: str) -> "pa.Array":
    import pyarrow as pa

    return pa.nulls(rows.num_rows, type=rows.schema.field(name).type)
