"""One night, step by step. Each step can be killed at any instruction and run again."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, LeaseLost, NotRegistered
from vigil.core.spec import Spec
from vigil.incidents.events import NightJudged
from vigil.metrics.types import Measurement
from vigil.ports import Partition, Ports, QualityOutcome, ReadPorts
from vigil.profiles.row_ledger import RowLedger
from vigil.profiles.types import Edges
from vigil.usecases import budget_policy, last_known, restatements
from vigil.usecases import incidents as incident_steps
from vigil.usecases.baseline import basis_of, past_nights, proposal, propose, usual_of
from vigil.usecases.cohorts import same_age
from vigil.usecases.ingest import Ingested, ingest
from vigil.usecases.intake_findings import intake_findings, newly_unread, note_intake, noted
from vigil.usecases.night.notes import NoBaseline, Problem, ProblemNote, SchemaProblem, SuiteNote
from vigil.usecases.nights import (
    Night,
    budget_past,
    is_young,
    load_night,
    lookback,
    partition,
    quality_of,
    rows_key,
    suite_failed,
    suite_note,
)
from vigil.usecases.promote import reconcile_aliases
from vigil.usecases.record import append
from vigil.usecases.reference import yardstick_rows
from vigil.usecases.row_ledgers import look, row_ledger
from vigil.usecases.surroundings import count_traffic, measured
from vigil.usecases.without_rules import notes_of, problems, undecided
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.coverage import covered
from vigil.verdicts.judge import Facts, ruled, trusted
from vigil.verdicts.judge import judge as judge_numbers
from vigil.verdicts.lost_rows import other_environment
from vigil.verdicts.memory import main_version
from vigil.verdicts.onset import burning, with_onset
from vigil.verdicts.service_days import ServiceDays, service_days, service_note
from vigil.verdicts.spent import nights_spent
from vigil.verdicts.types import PROVISIONAL, Cause, NightResult, State

log = logging.getLogger("vigil")
ALL_ROWS = 2**62
SUITE_ROWS = 200_000  # `quality: auto` runs Great Expectations on pandas up to this many rows of a night


class Judgement(Spec):
    """What the stage `judge` did. changed: past nights of which the incident process must hear, those that had been
    missed among them. tally: the night's verdicts by state."""

    night: date
    changed: tuple[date, ...]
    tally: Mapping[str, int]


def intake(ports: Ports, monitor: Monitor, night: date, *, since: date | None = None) -> Ingested:
    """Takes what is new in a log that others write, so far back as late rows are looked for, or `since` a night."""
    told = ingest(ports, monitor, since or lookback(monitor, night)[0], night)
    if monitor.source is not None:
        note_intake(ports, monitor, night, told)
    return told


def quality(ports: Ports, monitor: Monitor, night: date) -> None:
    """Runs the suite over the night's rows and leaves its verdicts for the judge.

    Whatever keeps the suite from running as a whole is the suite's own unknown: the night's numbers are judged.
    """
    found = partition(ports, monitor, night)
    if monitor.suite is None or not found.files:
        return
    try:
        outcome = _suite(ports, monitor, night, found)
    except Exception as error:
        log.exception("model=%s night=%s: the suite could not be run", monitor.model, night)
        outcome = suite_failed(monitor.suite, str(error) if isinstance(error, DataError) else type(error).__name__)
    ports.notes.put(monitor.model, night, SuiteNote(rows=rows_key(found), content=outcome))


def _suite(ports: Ports, monitor: Monitor, night: date, found: Partition) -> QualityOutcome:
    """Checked by Great Expectations in memory, or counted where the rows lie; nothing of a night without rows."""
    if monitor.quality != "gx":
        size = ports.quality_scan.rows(found)
        if monitor.quality == "compiled" or size > SUITE_ROWS:
            return ports.quality_scan.scan(monitor, found, night=night) or QualityOutcome(verdicts=())
    rows = ports.log.sample(monitor, found, rows=ALL_ROWS)
    return ports.quality.run(monitor, rows, night=night) if rows.num_rows else QualityOutcome(verdicts=())


def profile(ports: Ports, monitor: Monitor, night: date, *, nights: Sequence[date] | None = None) -> tuple[date, ...]:
    """Profiles the night, and every past night whose rows or labels changed since. Returns those nights.

    nights: where changes are looked for; by default as far back as labels may come.
    """
    edges = ports.profiles.edges(monitor.model)
    if edges is None:
        why = f"{monitor.model} has no baseline yet: run `vigil promote {monitor.model} VERSION` once"
        ports.notes.put(monitor.model, night, ProblemNote(content=NoBaseline(why=why)))
        return (night,)
    changed = []
    for each in lookback(monitor, night) if nights is None else nights:
        found = partition(ports, monitor, each)
        if not found.files and not found.broken and each != night:
            continue
        if ports.profiles.partition_digest(monitor.model, monitor.environment, each) == found.digest and each != night:
            continue
        if _scan(ports, monitor, each, found, edges):
            changed.append(each)
    return tuple(changed)


def _scan(ports: Ports, monitor: Monitor, night: date, found: Partition, edges: Edges) -> bool:
    problem: Problem | None = None
    count_traffic(ports, monitor, night)
    try:
        look(ports, monitor, night, found)
        profiles = ports.scanner.scan(monitor, found, edges, night) if found.files else {}
    except DataError as error:
        profiles, problem = {}, SchemaProblem(why=str(error), digest=found.digest)
    if profiles:
        ports.profiles.put_night(profiles, partition_digest=found.digest)
    ports.notes.put(monitor.model, night, ProblemNote(content=problem))
    return bool(profiles) or problem is not None or not found.files


def judge(ports: Ports, monitor: Monitor, night: date, *, nights: Sequence[date] | None = None) -> Judgement:
    """Judges the night, and re-judges past nights (`nights`, as in `profile`) whose facts changed, in date order."""
    for each in lookback(monitor, night) if nights is None else nights:
        if each == night or _stale(ports, monitor, each, as_of=night):
            _suite_has_run(ports, monitor, each, as_of=night)
            judge_night(ports, monitor, each, as_of=night)
    changed = restatements.told_by(ports, monitor, night)
    result = ports.results.latest(monitor.model, monitor.environment, night)
    tally = Counter(v.state for v in result.verdicts) if result else Counter[State]()
    counts = {state.value: tally[state] for state in State}
    log.info("judged model=%s night=%s %s changed=%s", monitor.model, night, counts, [str(day) for day in changed])
    return Judgement(night=night, changed=changed, tally=counts)


def _suite_has_run(ports: Ports, monitor: Monitor, night: date, *, as_of: date) -> None:
    """Runs the suite over rows that it has not seen: late ones, or those of a night that was missed.

    Where it cannot run over a past night, that night's judgement says so, and tonight is judged all the same.
    """
    if monitor.suite is None or suite_note(ports, monitor, night, partition(ports, monitor, night)) is not None:
        return
    try:
        quality(ports, monitor, night)
    except Exception:
        if night == as_of:
            raise
        log.exception("model=%s night=%s: the suite could not run over rows that changed", monitor.model, night)


def _stale(ports: Ports, monitor: Monitor, night: date, *, as_of: date) -> bool:
    """Whether the latest judgement of a past night is of other facts than the stored ones, or from a time when there
    were no bin edges, or when its labels were not overdue yet."""
    digest = ports.profiles.partition_digest(monitor.model, monitor.environment, night)
    if digest is None:
        return False
    result = ports.results.latest(monitor.model, monitor.environment, night)
    if result is None or result.partition_digest != digest or not result.edges_digest:
        return True
    return monitor.labels.overdue(night, as_of) and _waits_for_labels(monitor, result)


def _waits_for_labels(monitor: Monitor, result: NightResult) -> bool:
    """Whether something is unknown because the cohort is not mature, and nobody was told yet that this is too late."""
    known = next((m.value for m in result.all_measurements if m.metric == "label_coverage"), None) or 0.0
    waiting = any(
        v.cohort == PROVISIONAL or (v.cause is Cause.LABELS_PENDING and not v.overdue) for v in result.verdicts
    )
    return waiting and known < monitor.labels.mature_share


def judge_night(ports: Ports, monitor: Monitor, night: date, *, as_of: date) -> bool:
    """Judges one night as of another; False when nothing changed since the last judgement."""
    result = night_result(ports, monitor, night, as_of=as_of)
    before = ports.results.latest(monitor.model, monitor.environment, night)
    if before is not None and restatements.same(ports, monitor, before, result):
        return False
    restatements.record(ports, monitor, before, result, as_of)
    now = ports.clock.now()
    return bool(ports.results.append(result, evaluated_at=now, labels_through=now))


def night_result(ports: ReadPorts, monitor: Monitor, night: date, *, as_of: date) -> NightResult:
    """The judgement of a night from what is stored; stores nothing."""
    found = partition(ports, monitor, night)
    loaded = load_night(ports, monitor, night) if found.files else None
    past = past_nights(ports, monitor, night, loaded)
    measurements = _measure(ports, monitor, night, loaded)
    outcome, suite = quality_of(ports, monitor, night, found, served=loaded is not None)
    suite = with_onset(suite, past)
    rows = row_ledger(ports, monitor, night, found, loaded)
    facts = _facts(ports, monitor, night, as_of, found, loaded, outcome.failed_gates, rows)
    service = service_days(monitor.serves, past, night)
    note: ProblemNote | None = ports.notes.get(monitor.model, night, ProblemNote)
    problem = note.content if note else None
    remarks = (service_note(service, night, rows=_rows(loaded)), proposal(ports, monitor, past, night))
    lost = other_environment(monitor.environment, rows, past)
    rest = loaded is None and not found.broken and not problem and not lost and service.rests(night)
    if rest:
        verdicts = undecided(monitor, night, service)
    else:
        verdicts = [*judge_numbers(measurements, monitor.rules, past, facts, service), *suite]
        verdicts += [*problems(monitor, night, found, loaded, problem), *([lost] if lost else [])]
    verdicts += intake_findings(noted(ports, monitor, night))
    draft = NightResult(
        monitor=monitor.model,
        environment=monitor.environment,
        night=night,
        partition_digest=found.digest,
        config_digest=monitor.digest,
        edges_digest=loaded.served.edges_digest if loaded else "",
        versions=dict(loaded.served.versions) if loaded else {},
        champion_rows=loaded.champion.rows if loaded and loaded.champion else 0,
        rows=_rows(loaded),
        verdicts=tuple(verdicts),
        measurements=ruled(measurements, verdicts),
        as_of=as_of,
        notes=notes_of(found, outcome.failed_gates, loaded, remarks),
        basis=basis_of(ports, monitor, loaded, suite),
        row_ledger=rows,
        rest=rest,
    )
    answered = covered(draft, past, monitor.coverage, young=is_young(ports, monitor, past, night))
    judged = _with_budgets(monitor, answered, budget_past(ports, monitor, night, past), facts, service)
    return _with_onsets(judged, past)


def _rows(loaded: Night | None) -> int:
    return loaded.served.rows if loaded else 0


def _measure(ports: ReadPorts, monitor: Monitor, night: date, loaded: Night | None) -> tuple[Measurement, ...]:
    if loaded is None:
        return ()
    return measured(ports, monitor, night, loaded.served, loaded)


def _facts(
    ports: ReadPorts,
    monitor: Monitor,
    night: date,
    as_of: date,
    found: Partition,
    loaded: Night | None,
    failed_gates: Sequence[str],
    ledger: RowLedger | None,
) -> Facts:
    rows = _rows(loaded)
    labelled = loaded.served.outcome.labelled if loaded else 0
    share = min(1.0, labelled / rows) if rows else 0.0
    alike = same_age(ports, monitor, night, as_of=as_of, labelled_share=share)
    return Facts(
        night=night,
        as_of=as_of,
        labels=monitor.labels,
        labelled_share=share,
        version=main_version(loaded.served.versions) if loaded else "",
        same_age=dict(alike),
        unreadable=(
            *(f"{Path(name).name}: {why}" for name, why in found.broken),
            *(f"{one.origin}: {one.why}" for one in newly_unread(ports, monitor, night)),
        ),
        failed_gates=tuple(failed_gates),
        surprise=usual_of(ports, monitor),
        rows=ledger,
    )


def _with_budgets(
    monitor: Monitor, draft: NightResult, past: Sequence[NightResult], facts: Facts, service: ServiceDays
) -> NightResult:
    """With the error budgets. Rows in a file that cannot be read were served too; a failed gate changes no count.

    A day of rest leaves them as they were, and says nothing of how they burn.
    """
    counted = facts.model_copy(update={"failed_gates": ()})
    daily = monitor.schedule.split()[2:] == ["*"] * 3
    budgets, verdicts = [], []
    for slo in monitor.slos:
        told = nights_spent(slo, (*past, draft), labels=monitor.labels, as_of=facts.as_of, daily=daily, service=service)
        budgets.append(made := budget(slo, told))
        if not draft.rest:
            verdicts.append(trusted(burn_verdict(slo, made), counted))
    return draft.model_copy(update={"budgets": tuple(budgets), "verdicts": (*draft.verdicts, *verdicts)})


def _with_onsets(result: NightResult, past: Sequence[NightResult]) -> NightResult:
    """With the onset of budgets that burn, by all nights that are known."""
    verdicts = (burning(v, past) if v.of_budget else v for v in result.verdicts)
    return result.model_copy(update={"verdicts": tuple(verdicts)})


def report(ports: Ports, monitor: Monitor, night: date, *, rows: int = 5000) -> str | None:
    """Renders the night's HTML for people, from a bounded sample that is always the same. Returns its address."""
    result = ports.results.latest(monitor.model, monitor.environment, night)
    loaded = load_night(ports, monitor, night)
    edges = ports.profiles.edges(monitor.model)
    if result is None or loaded is None or edges is None:
        return None
    current = ports.log.sample(monitor, partition(ports, monitor, night), rows=rows)
    reference = yardstick_rows(ports, monitor, loaded.version)
    if current.num_rows == 0 or reference is None:
        return None
    to = ports.artifacts.path(monitor.model, night, "report.html")
    ports.reporter.render(monitor, current=current, reference=reference, result=result, edges=edges, to=to)
    url: str = ports.artifacts.url(monitor.model, night, "report.html")
    return url


def correlate(ports: Ports, monitor: Monitor, night: date, *, changed: Sequence[date] = ()) -> str | None:
    """Joins the night, and every past night whose judgement changed, to their incidents, in date order.

    changed: nights as `judge` returns them. Returns the newest incident about which something is still to be done.
    """
    found = None
    todo = sorted({*changed, night})
    for each in todo:
        found = incident_steps.correlate(ports, monitor, each) or found
        for later in incident_steps.nights_after_opening(ports, monitor, each, until=night):
            if later not in todo:
                found = incident_steps.correlate(ports, monitor, later) or found
    return found


def account(ports: Ports, monitor: Monitor, night: date, *, run_url: str | None = None) -> str:
    """The night's line in the ledger, its MLflow run, aliases that others moved, a checkpoint. Returns the line."""
    result = ports.results.latest(monitor.model, monitor.environment, night)
    if result is None:
        raise DataError(f"{monitor.model} {night}: nothing was judged; run the `judge` step first")
    last_known.record(ports, monitor)
    propose(ports, monitor, night, proposal(ports, monitor, past_nights(ports, monitor, night, None), night))
    budget_policy.record(ports, monitor, result)
    tally = Counter(v.state.value for v in result.verdicts)
    counts = ", ".join(f"{tally[s.value]} {s.value}" for s in State)
    line = f"{monitor.model} {night}: " + (f"a day of rest, {counts}" if result.rest else counts)
    file = ports.artifacts.path(monitor.model, night, "report.html")
    run_id = ports.registry.log_night(monitor, result, report=file if file.exists() else None)
    judged = NightJudged(
        night=night,
        digest=result.digest_key,
        tally={State(name): count for name, count in tally.items()},
        not_ok=tuple(v.id for v in result.verdicts if v.state is not State.OK),
        mlflow_run=run_id,
        run_url=run_url,
    )
    key = f"night/{monitor.environment}/{night}/{result.digest_key}"
    append(ports, f"model/{monitor.model}", key=key, body=judged)
    with suppress(LeaseLost, NotRegistered):  # somebody changes it right now, and records it; or no aliases
        reconcile_aliases(ports, monitor)
    ports.ledger.checkpoint(ports.clock.now())
    return line
