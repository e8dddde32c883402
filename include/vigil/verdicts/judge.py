"""Measurements + rules + the model's own past -> verdicts. The only place that compares a number with a limit."""

from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.reasons import Absence
from vigil.metrics.types import Measurement
from vigil.profiles.row_ledger import RowLedger
from vigil.verdicts.cohorts import Maturity, maturity, provisional
from vigil.verdicts.disparity import trend
from vigil.verdicts.hard_failures import hard_failures
from vigil.verdicts.history import in_place
from vigil.verdicts.kinds.kind import Tonight
from vigil.verdicts.kinds.registry import thresholds
from vigil.verdicts.lost_rows import missing_rows
from vigil.verdicts.memory import Remembered, added_up, remembered, taught
from vigil.verdicts.onset import onset
from vigil.verdicts.scored_nights import Asked
from vigil.verdicts.seasons import Alike, alike
from vigil.verdicts.service_days import EVERY_DAY, ServiceDays
from vigil.verdicts.stuck import frozen
from vigil.verdicts.support import supported
from vigil.verdicts.surprise import judge_surprise
from vigil.verdicts.thresholds import Outcome
from vigil.verdicts.types import Cause, Labels, NightResult, Onset, Rule, Rules, State, Surprise, Verdict
from vigil.verdicts.words import measured

BADNESS = {State.OK: 0, State.UNKNOWN: 1, State.WARN: 2, State.BREACH: 3}
CAUSES = {
    Absence.LABELS_PENDING: Cause.LABELS_PENDING,
    Absence.NO_BASELINE: Cause.NO_DATA,
    Absence.NO_ROWS: Cause.NO_DATA,
    Absence.ALL_NULL: Cause.NO_DATA,
    Absence.NO_SPREAD: Cause.NO_DATA,
    Absence.NOT_LOGGED: Cause.NO_DATA,
    Absence.TOO_FEW: Cause.TOO_FEW_ROWS,
    Absence.CHECK_FAILED: Cause.CHECK_FAILED,
}


class Facts(Spec):
    """What the judge must know beside numbers and rules.

    version: the one that answered most of tonight's rows; nights of another are not added up with it.
    unreadable: files whose rows are missing from every number; failed_gates: gating expectations that failed.
    same_age: of a provisional cohort, question -> what past cohorts showed at its age.
    surprise: what is usual, and how surprising a night must be.
    rows: where the night's rows went, and what those that are judged are without; None where it was not counted.
    """

    night: date
    as_of: date
    labels: Labels = Labels()
    labelled_share: float = Field(default=0.0, ge=0, le=1)
    version: str = ""
    unreadable: tuple[str, ...] = ()
    failed_gates: tuple[str, ...] = ()
    surprise: Surprise = Surprise()
    rows: RowLedger | None = None
    same_age: dict[str, tuple[Measurement, ...]] = Field(default_factory=dict)

    @property
    def labels_overdue(self) -> bool:
        """Whether the cohort is older than its labels may be."""
        return self.labels.overdue(self.night, self.as_of)


def judge(
    measurements: Sequence[Measurement],
    rules: Rules,
    past: Sequence[NightResult],
    facts: Facts,
    service: ServiceDays = EVERY_DAY,
) -> tuple[Verdict, ...]:
    """Every rule, for every subject it names; each verdict once, the worst of its rules.

    past: judged nights, oldest first. service: on which weekdays the model serves, for "2 of 3 nights".
    """
    history = in_place(past, facts.night, service)
    asked = {r.metric for r in rules.each if _looks_back(r)} | {r.metric for r in rules.fairness}
    nights = remembered(history, asked)
    surprising = _surprises(measurements, rules, history, facts)
    worst: dict[str, Verdict] = {}
    for family in Family:
        for rule in getattr(rules, family.value):
            for verdict in _judge_rule(rule, family, measurements, nights, history, facts, surprising):
                have = worst.get(verdict.id)
                if have is None or _badness(verdict, verdict.onset) > _badness(have, have.onset):
                    worst[verdict.id] = verdict
    without_rule = (
        *hard_failures(measurements, history),
        *frozen(measurements, history, rules.drift),
        *missing_rows(facts.rows, history, measurements),
    )
    for verdict in without_rule:
        worst[verdict.id] = verdict
    return tuple(trusted(supported(v, facts.rows, history), facts) for v in worst.values())


def _badness(one: Verdict | Outcome, since: Onset | None) -> tuple[int, bool, bool, bool]:
    """What is new outranks what is known, so that a known weakness hides no new fault of the same question."""
    return BADNESS[one.state], since is not Onset.KNOWN, one.hard, one.ticket


def _looks_back(rule: Rule) -> bool:
    """Whether a rule asks question by question what past nights were; surprise asks of all together."""
    return any(kind.looks_back(rule) for kind in thresholds(rule))


def ruled(measurements: Sequence[Measurement], verdicts: Sequence[Verdict]) -> tuple[Measurement, ...]:
    """The measurements that no rule asked about."""
    asked = {v.id for v in verdicts}
    return tuple(m for m in measurements if m.id not in asked)


def _surprises(
    measurements: Sequence[Measurement], rules: Rules, history: Sequence[NightResult], facts: Facts
) -> Mapping[str, Outcome]:
    """What surprise says of every question that a rule asks it of: one family, of all rules together."""
    asked: dict[str, Asked] = {}
    for family in Family:
        for rule in getattr(rules, family.value):
            for m in _about(rule, measurements) if rule.surprise else ():
                if _unknown(m, family, facts) is None:
                    asked.setdefault(m.id, Asked(m, rule))
    if not asked:
        return {}
    return judge_surprise(list(asked.values()), history, facts.night, facts.surprise)


def _about(rule: Rule, measurements: Sequence[Measurement]) -> list[Measurement]:
    return [m for m in measurements if m.metric == rule.metric and rule.asks(m.subject)]


def _judge_rule(
    rule: Rule,
    family: Family,
    measurements: Sequence[Measurement],
    past: Mapping[str, list[Remembered]],
    history: Sequence[NightResult],
    facts: Facts,
    surprising: Mapping[str, Outcome],
) -> list[Verdict]:
    asked = _about(rule, measurements)
    verdicts = [_missing_subject(rule, family, s) for s in _unseen(rule, asked)]
    known = []
    for m in asked:
        unknown = _unknown(m, family, facts)
        if unknown is None:
            known.append(m)
        else:
            verdicts.append(unknown)
    tonight = Tonight(
        known,
        pooled={m.id: added_up(past.get(m.id, ()), facts.version) for m in known},
        alike={m.id: _alike(rule, past.get(m.id, ()), facts.night) for m in known},
        history=history,
        surprising=surprising,
    )
    outcomes: dict[str, list[Outcome]] = {m.subject: [] for m in known}
    for kind in thresholds(rule):
        for subject, outcome in kind.answer(rule, tonight):
            outcomes[subject].append(outcome)
    return verdicts + [_worst(m, outcomes[m.subject], past.get(m.id, ())) for m in known]


def _alike(rule: Rule, nights: Sequence[Remembered], night: date) -> Alike:
    return alike(nights, night) if rule.season else Alike(taught(nights), "nights")


def _unseen(rule: Rule, asked: Sequence[Measurement]) -> list[str]:
    if "*" in rule.subjects:
        return [] if asked else ["all"]
    seen = {m.subject for m in asked}
    return [s for s in rule.subjects if s not in seen]


def _missing_subject(rule: Rule, family: Family, subject: str) -> Verdict:
    return Verdict(
        metric=rule.metric,
        subject=subject,
        family=family,
        state=State.UNKNOWN,
        cause=Cause.NO_DATA,
        reason=f"{rule.metric}({subject}) was not measured: no row of tonight belongs to it",
    )


def _unknown(m: Measurement, family: Family, facts: Facts) -> Verdict | None:
    """The verdict on a number that cannot be known, or must not be believed yet."""
    cause, why = None, m.why_not
    if m.value is None:
        cause = CAUSES[m.absence] if m.absence is not None else Cause.NO_DATA
    elif _needs_labels(m.metric) and facts.labelled_share < facts.labels.mature_share:
        if not facts.labels_overdue and maturity(facts.labels, facts.labelled_share) is Maturity.PROVISIONAL:
            past, age = facts.same_age.get(m.id, ()), (facts.as_of - facts.night).days
            return provisional(m, family, past, labels=facts.labels, labelled_share=facts.labelled_share, age=age)
        cause = Cause.LABELS_PENDING
        why = f"labels for {facts.labelled_share:.0%} of the cohort; {facts.labels.mature_share:.0%} make it mature"
    if cause is None:
        return None
    overdue = cause is Cause.CHECK_FAILED or (cause is Cause.LABELS_PENDING and facts.labels_overdue)
    reason = (
        f"{m.metric}({m.subject}): {cause.value}; {why}"
        if why and why != cause.value
        else f"{m.metric}({m.subject}): {cause.value}"
    )
    return Verdict(
        metric=m.metric,
        subject=m.subject,
        family=family,
        state=State.UNKNOWN,
        cause=cause,
        reason=reason,
        overdue=overdue,
        measurement=m,
    )


def _needs_labels(metric: str) -> bool:
    entry = CATALOG.get(metric)
    return entry is not None and entry.needs_labels


def _is_estimate(metric: str) -> bool:
    entry = CATALOG.get(metric)
    return entry is not None and entry.estimate


def _worst(m: Measurement, outcomes: Sequence[Outcome], nights: Sequence[Remembered]) -> Verdict:
    since = [_onset(m, outcome, nights) for outcome in outcomes]
    place = max(range(len(outcomes)), key=lambda n: _badness(outcomes[n], since[n]))
    worst = _no_page(m, outcomes[place])
    moved = trend(m, taught(nights), worst.limit.side) if worst.state in (State.WARN, State.BREACH) else ""
    said = "; ".join(part for part in (worst.why, moved, m.detail) if part)
    reason = f"{m.metric}({m.subject}) {measured(m)}: {said}"
    return Verdict(
        metric=m.metric,
        subject=m.subject,
        family=m.family,
        state=worst.state,
        cause=worst.cause,
        reason=reason,
        hard=worst.hard,
        ticket=worst.ticket,
        trend=moved,
        onset=since[place],
        measurement=m,
        limit=worst.limit,
        would_see=worst.would_see if worst.state is State.OK else "",
    )


def _onset(m: Measurement, outcome: Outcome, nights: Sequence[Remembered]) -> Onset | None:
    if outcome.side is None or outcome.state not in (State.WARN, State.BREACH):
        return None
    return onset(m, nights, outcome.side)


def _no_page(m: Measurement, said: Outcome) -> Outcome:
    """An estimate is blind to what only labels can tell: it warns at most, and never reaches people at night."""
    if not _is_estimate(m.metric) or said.state is not State.BREACH:
        return said
    return said.model_copy(update={"state": State.WARN, "hard": False, "why": f"{said.why}; an estimate warns at most"})


def trusted(verdict: Verdict, facts: Facts) -> Verdict:
    """A failed gate or an unreadable file turns an ok into unknown, and never removes a warn or a breach."""
    if verdict.state is not State.OK:
        return verdict
    if facts.unreadable:
        cause, why = Cause.CHECK_FAILED, f"{len(facts.unreadable)} file(s) could not be read: {facts.unreadable[0]}"
    elif facts.failed_gates:
        cause, why = Cause.GATE_FAILED, f"the gate {facts.failed_gates[0]} failed"
    else:
        return verdict
    reason = f"{verdict.reason}; not trusted: {why}"
    return verdict.model_copy(
        update={"state": State.UNKNOWN, "cause": cause, "reason": reason, "overdue": True, "would_see": ""}
    )
