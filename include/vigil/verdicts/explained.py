"""How a verdict came about, step by step, in words: for whoever has the result, the rules and the past."""

from collections.abc import Sequence
from datetime import date
from statistics import fmean, median, pstdev

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.kinds.registry import thresholds
from vigil.verdicts.memory import lesson, waits
from vigil.verdicts.scored_nights import REST, by_night, reference_nights
from vigil.verdicts.surprise import CONFIRM_NIGHTS
from vigil.verdicts.types import PROVISIONAL, Cause, NightResult, Rule, Rules, State, Verdict
from vigil.verdicts.words import number

NAMED = 5  # nights that are named one by one


class Step(Spec):
    """One step on the way to a verdict."""

    title: str
    says: str


def explained(verdict: Verdict, e: Evidence) -> tuple[Step, ...]:
    """The steps, from the rows to what would have been seen."""
    m = verdict.measurement
    steps = [Step(title="rows", says=_rows(e.result))]
    if m is not None:
        steps += [Step(title="measurement", says=_measurement(m, e)), Step(title="yardstick", says=_yardstick(m))]
    rules = asking(verdict, e.rules)
    if m is not None and rules:
        steps.append(Step(title="past", says=_past(m, e, rules)))
    steps += [Step(title="test", says=says) for rule in rules for says in _tests(verdict, rule, e)]
    if not rules:
        steps.append(Step(title="test", says=_without_rule(verdict, e.result)))
    if m is not None and any(rule.sigma or rule.quantile or rule.surprise for rule in rules):
        steps.append(Step(title="confirmation", says=_confirmation(verdict, e)))
    steps.append(Step(title="gates", says=_gates(e.result)))
    steps.append(Step(title="verdict", says=f"{verdict.state.value}: {verdict.reason}"))
    steps.append(Step(title="seen", says=_seen(verdict)))
    return tuple(steps)


def asking(verdict: Verdict, rules: Rules) -> tuple[Rule, ...]:
    """The rules that ask this question."""
    mine: tuple[Rule, ...] = getattr(rules, verdict.family.value)
    return tuple(r for r in mine if r.metric == verdict.metric and r.asks(verdict.subject))


def _rows(result: NightResult) -> str:
    versions = ", ".join(f"version {v}: {n:,}" for v, n in sorted(result.versions.items())) or "no version answered"
    return (
        f"{result.rows:,} rows of {result.night} ({versions}); rows and labels "
        f"{result.partition_digest[:12] or 'none'}, settings {result.config_digest}, "
        f"bin edges {result.edges_digest[:12] or 'none'}"
    )


def _measurement(m: Measurement, e: Evidence) -> str:
    what = f"{m.metric}({m.subject}): {e.says or 'not in the catalogue'}"
    if m.value is None:
        return f"{what}. It cannot be known: {m.why_not or 'no reason was kept'}"
    interval = "an exact number" if m.low is None or m.high is None else (
        f"95 % interval {number(m.low, m.unit)} to {number(m.high, m.unit)}"
    )  # fmt: skip
    formula = f" {e.formula}" if e.formula else ""
    detail = f" ({m.detail})" if m.detail else ""
    return f"{what}. {number(m.value, m.unit)}{detail}, {interval}, {_counts(m)}.{formula}"


def _counts(m: Measurement) -> str:
    if m.kind is Kind.PROPORTION and len(m.parts) == 2:
        return f"{m.parts[0]:,.0f} of {m.parts[1]:,.0f}"
    if m.kind in (Kind.RATIO, Kind.DIFFERENCE) and len(m.parts) == 4:
        k1, n1, k0, n0 = m.parts
        return f"{k1:,.0f} of {n1:,.0f} against {k0:,.0f} of {n0:,.0f} in the reference group"
    return f"over {m.n:,} rows"


def _yardstick(m: Measurement) -> str:
    if not m.yardstick:
        return "none: this number is not compared with a baseline"
    if m.baseline == 0 and m.family is Family.DRIFT:
        return f"the {m.yardstick}: the number is the distance from it"
    return f"the {m.yardstick}, on which it was {number(m.baseline, m.unit)}"


def _past(m: Measurement, e: Evidence, rules: Sequence[Rule]) -> str:
    """Which nights taught, and which were left out and why."""
    known = by_night(e.past)
    reference, left_out = _reference(m, e, rules, known)
    values = [value for n in reference if (value := _value(known, n, m.id)) is not None]
    if not values:
        head = "no past night teaches"
    else:
        head = f"{len(values)} nights teach ({reference[0]} to {reference[-1]}): mean {number(fmean(values), m.unit)}"
        head += f", median {number(median(values), m.unit)}, sd between nights {number(pstdev(values), m.unit)}"
    left = [f"{len(days)} {why} ({_named(days)})" for why, days in left_out.items() if days]
    return head + ("; left out: " + "; ".join(left) if left else "; none of the others is left out")


def _reference(
    m: Measurement, e: Evidence, rules: Sequence[Rule], known: dict[date, dict[str, Measurement]]
) -> tuple[list[date], dict[str, list[date]]]:
    """(nights that teach, reason -> nights that do not)."""
    nights = sorted(n for n in known if n < e.result.night)
    bad = {r.night for r in e.past if lesson(r).holds_back(m)}
    pending = {r.night for r in e.past if any(v.id == m.id and waits(v) for v in r.verdicts)} - bad
    left_out = {
        "bad for this question": [n for n in nights if n in bad],
        "without its labels yet": [n for n in nights if n in pending],
        "without this number": [n for n in nights if n not in bad | pending and _value(known, n, m.id) is None],
    }
    gone = {n for days in left_out.values() for n in days}
    usable = [n for n in nights if n not in gone]
    if any(r.surprise for r in rules):
        placed = [r.night for r in e.placed]
        reference = list(reference_nights(placed, e.result.night, e.surprise, usable))
        unused = f"after the {e.surprise.nights} that teach, or of the last {REST} nights"
    else:
        most = max((r.nights for r in rules if r.sigma or r.quantile), default=28)
        reference, unused = usable[-most:], f"before the last {most}"
    return reference, {**left_out, unused: [n for n in usable if n not in set(reference)]}


def _value(known: dict[date, dict[str, Measurement]], night: date, question: str) -> float | None:
    m = known[night].get(question)
    return m.value if m is not None else None


def _named(days: Sequence[date]) -> str:
    shown = ", ".join(map(str, days[:NAMED]))
    return shown if len(days) <= NAMED else f"{shown} and {len(days) - NAMED} more"


def _tests(verdict: Verdict, rule: Rule, e: Evidence) -> list[str]:
    """One sentence for each threshold of a rule."""
    m = verdict.measurement
    if m is None or m.value is None:
        return ["nothing is tested, because there is no number"]
    if verdict.cause is Cause.LABELS_PENDING:
        return ["nothing is tested before enough of the cohort's labels are known"]
    if verdict.cohort == PROVISIONAL:
        return [
            "no bound is tested before the cohort is mature: it is held against past cohorts as they were at its age"
        ]
    return [says for kind in thresholds(rule) for says in kind.explain(rule, m, e)]


def _confirmation(verdict: Verdict, e: Evidence) -> str:
    judged = {r.night for r in e.past}
    before = e.placed[-CONFIRM_NIGHTS:]
    told = []
    for result in (r for r in before if r.night in judged):
        was = next((v for v in result.verdicts if v.id == verdict.id), None)
        told.append(f"{result.night} {was.state.value if was else 'not asked'}")
    return f"2 of 3 nights make a breach; before: {', '.join(told) or 'no judged night'}"


def _gates(result: NightResult) -> str:
    doubts = [str(note) for note in result.notes if note.doubts]
    if doubts:
        return f"{'; '.join(doubts)}: an ok of this night is not trusted"
    return "every file could be read, and no gate failed"


def _without_rule(verdict: Verdict, result: NightResult) -> str:
    if verdict.of_budget:
        made = next((b for b in result.budgets if b.slo == verdict.subject), None)
        return (
            f"the budget after tonight: {made.good:,.0f} good of {made.total:,.0f}"
            if made
            else str(verdict.limit or "")
        )
    if verdict.cause is Cause.BLIND:
        return f"of a family's questions that were due, the share that got a judgement: {verdict.limit} is blind"
    if verdict.metric == "expectation":
        return "an expectation of the suite, by the severity that its author gave it"
    return "no rule is needed for it: it is looked at every night"


def _seen(verdict: Verdict) -> str:
    if verdict.would_see:
        return verdict.would_see
    if verdict.state is State.OK:
        return "nothing is said about what would have been seen"
    return "not asked: only an ok says what it would have seen"
