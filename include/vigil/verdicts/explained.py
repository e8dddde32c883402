"""How a verdict came about, step by step, in words: for whoever has the result, the rules and the past."""

from collections.abc import Sequence
from datetime import date
from statistics import fmean, median, pstdev

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.bounds import BREACH_LEVEL, WARN_LEVEL, Pools, excludes, holm, p_values, pools, said
from vigil.verdicts.history import distance, in_place
from vigil.verdicts.memory import Remembered, added_up, lesson, main_version, remembered, taught, waits
from vigil.verdicts.quantiles import by_quantile
from vigil.verdicts.scored_nights import REST, by_night, reference_nights
from vigil.verdicts.seasons import Alike, alike
from vigil.verdicts.service_days import EVERY_DAY, ServiceDays
from vigil.verdicts.surprise import CONFIRM_NIGHTS, SURPRISE
from vigil.verdicts.types import PROVISIONAL, Bound, Cause, NightResult, Rule, Rules, State, Surprise, Verdict
from vigil.verdicts.words import number

NAMED = 5  # nights that are named one by one
WINDOWS = (("tonight", "tonight"), ("recent", "added up over 3 nights"), ("week", "over 7"), ("month", "over 28"))


class Step(Spec):
    """One step on the way to a verdict."""

    title: str
    says: str


class Evidence(Spec):
    """What a verdict was made of. past: the nights that the judge looked at.

    service: on which weekdays the model serves.
    says, formula: what the metric is and how it is worked out, in the catalogue's words.
    """

    result: NightResult
    rules: Rules
    past: tuple[NightResult, ...] = ()
    surprise: Surprise = Surprise()
    service: ServiceDays = EVERY_DAY
    says: str = ""
    formula: str = ""


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
        placed = [r.night for r in in_place(e.past, e.result.night, e.service)]
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
    found = [_bound(m, rule, bound, name, e) for name in ("breach", "warn", "hard") if (bound := getattr(rule, name))]
    if rule.holdout is not None and m.baseline is not None:
        found.append(_bound(m, rule, None, f"holdout {rule.holdout:+g}", e))
    if rule.sigma is not None:
        found.append(_sigma(m, rule, e))
    if rule.quantile is not None:
        like = _alike(m, rule, e)
        told = by_quantile(rule, m, like.past, in_place(e.past, e.result.night, e.service), like.called)
        found += [f"quantile {rule.quantile:g}: {one.why}; beyond it, one night is a warn" for one in told]
    if rule.surprise:
        found.append(_surprise(m, rule, e))
    return found


def _nights(m: Measurement, e: Evidence) -> list[Remembered]:
    """The question on past nights, as bounds, sigma and quantiles look at it."""
    return remembered(e.past, [m.metric]).get(m.id, [])


def _alike(m: Measurement, rule: Rule, e: Evidence) -> Alike:
    """The past nights that a sigma or quantile rule looks at."""
    nights = _nights(m, e)
    return alike(nights, e.result.night) if rule.season else Alike(taught(nights), "nights")


def _same_rule(rule: Rule, e: Evidence) -> list[Measurement]:
    """Tonight's numbers that the rule asks about: the subjects it is adjusted for."""
    mine = [v.measurement for v in e.result.verdicts if v.metric == rule.metric and v.measurement and not waits(v)]
    asked = [m for m in mine if rule.asks(m.subject)]
    return [m for m in asked if m.value is not None]


def _bound(m: Measurement, rule: Rule, bound: Bound | None, name: str, e: Evidence) -> str:
    """bound: None where each subject has its own, relative to its value on the holdout."""
    asked = [(s, b) for s in _same_rule(rule, e) if (b := bound or _of_holdout(s, rule)) is not None]
    before = remembered(e.past, [m.metric])
    version = main_version(e.result.versions)
    every = [Pools.alone(s) if name == "hard" else pools(s, added_up(before.get(s.id, ()), version)) for s, _ in asked]
    place = next(i for i, (s, _) in enumerate(asked) if s.id == m.id)
    mine, pooled = asked[place][1], every[place]
    windows = [(w, words) for w, words in WINDOWS if w == "tonight" or getattr(pooled, w).n > m.n]
    each_p = [
        dict(zip((w for w, _ in WINDOWS), p_values(s, b), strict=True)) for s, (_, b) in zip(every, asked, strict=True)
    ]
    tested = [[p[w] for p in each_p] for w, _ in windows]
    each = [_window(p[place], getattr(pooled, w), words) for p, (w, words) in zip(tested, windows, strict=True)]
    text = f"{name}: a test that the true value is not {said(m, mine)}, one-sided: p = {', '.join(each)}"
    if len(asked) > 1:
        adjusted = ", ".join(f"{holm(p)[place]:.2g}" for p in tested)
        text += f"; with {len(asked)} subjects of the rule (Holm) {adjusted}"
    if len(windows) > 1 and excludes(m, mine, 0.0):
        text += "; tonight alone excludes that it is beyond, so that the nights before decide nothing"
    return f"{text}. {_levels(name, months=windows[-1][0] == 'month')}"


def _of_holdout(m: Measurement, rule: Rule) -> Bound | None:
    if m.baseline is None or rule.holdout is None:
        return None
    return Bound(side="<" if rule.holdout < 0 else ">", limit=m.baseline + rule.holdout)


def _window(p: float, pooled: Measurement, words: str) -> str:
    return f"{p:.2g} {words}" + ("" if words == "tonight" else f" ({pooled.n:,} rows)")


def _levels(name: str, *, months: bool) -> str:
    """What follows from how small a p-value is. A `warn:` bound never breaks anything."""
    if name == "hard":
        return f"Below {BREACH_LEVEL:g} it is a breach"
    if name == "warn":
        lasting = f", or below {BREACH_LEVEL:g} tonight or on 28 nights," if months else ""
        return f"Below {WARN_LEVEL:g} on 7 nights{lasting} it is a warn, and never a breach"
    lasting = ", also on 28 nights where fewer cannot tell that it is within or say only probably" if months else ""
    return f"Below {BREACH_LEVEL:g} it is a breach{lasting}, below {WARN_LEVEL:g} on 7 nights a warn"


def _sigma(m: Measurement, rule: Rule, e: Evidence) -> str:
    like = _alike(m, rule, e)
    d = distance(m, like.past, sigma=rule.sigma or 0.0, nights=rule.nights, floor=rule.floor)
    if d is None:
        return f"sigma {rule.sigma:g}: too few past nights to know what is usual"
    floor = f", and more than {number(rule.floor, m.unit)} away" if rule.floor else ""
    return (
        f"sigma {rule.sigma:g}: {d.sigmas:+.1f} robust sd (of {number(d.scale, m.unit)}) from the median "
        f"{number(d.centre, m.unit)} of {d.nights} {like.called}; beyond {rule.sigma:g}{floor}, one night is a warn"
    )


def _surprise(m: Measurement, rule: Rule, e: Evidence) -> str:
    family = sum(v.limit.startswith(SURPRISE) for v in e.result.verdicts)
    floor = f"at least {rule.floor:g} away" if rule.floor else "far enough away to matter"
    weight = e.surprise.importance.get(m.subject.split("|", 1)[0].split(":", 1)[0])
    more = f"; {m.subject} weighs {weight:g}" if weight else ""
    return (
        f"surprise: further from its usual place than chance explains, at a false-discovery rate of "
        f"{e.surprise.level:.1%} over the {max(family, 1)} scores of the night together (Benjamini-Hochberg), and "
        f"{floor}{more}; one night is a warn, small drift that lasts a ticket"
    )


def _confirmation(verdict: Verdict, e: Evidence) -> str:
    judged = {r.night for r in e.past}
    before = in_place(e.past, e.result.night, e.service)[-CONFIRM_NIGHTS:]
    told = []
    for result in (r for r in before if r.night in judged):
        was = next((v for v in result.verdicts if v.id == verdict.id), None)
        told.append(f"{result.night} {was.state.value if was else 'not asked'}")
    return f"2 of 3 nights make a breach; before: {', '.join(told) or 'no judged night'}"


def _gates(result: NightResult) -> str:
    doubts = [n for n in result.notes if n.startswith("gate failed") or "could not be read" in n]
    if doubts:
        return f"{'; '.join(doubts)}: an ok of this night is not trusted"
    return "every file could be read, and no gate failed"


def _without_rule(verdict: Verdict, result: NightResult) -> str:
    if verdict.of_budget:
        made = next((b for b in result.budgets if b.slo == verdict.subject), None)
        return f"the budget after tonight: {made.good:,.0f} good of {made.total:,.0f}" if made else verdict.limit
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
