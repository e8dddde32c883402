"""What must hold of verdicts whatever the counts."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.verdicts.made_measurements import (
    NIGHT,
    bound,
    counted,
    judged,
    missing,
    night,
    nights,
    number,
    ratio,
    share,
)
from vigil.core.words import Family
from vigil.metrics.types import Kind, Worse
from vigil.verdicts.bounds import holm, judge_bound, pools
from vigil.verdicts.budget import budget, burn_verdict
from vigil.verdicts.judge import BADNESS, Facts, judge
from vigil.verdicts.spent import Spent
from vigil.verdicts.types import Cause, Labels, Prospect, Rule, Rules, Slo, State

law = settings(max_examples=50, deadline=None)
MATURE = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
RULES = Rules(
    performance=(Rule(metric="accuracy", warn="< 0.9", breach="< 0.8", hard="< 0.5", sigma=4),),
    fairness=(
        Rule(metric="selection_rate_ratio", breach="< 0.8"),
        Rule(metric="equal_opportunity", breach="< -0.15"),
    ),
    drift=(Rule(metric="mean_shift", warn="> 0.5", hard="> 1", sigma=5, floor=0.2),),
)
pairs = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
subjects = st.sampled_from(["age", "income", "sex=f", "sex=d", "all"])
accuracies = pairs.map(lambda p: share(*p))
shifts = st.tuples(st.floats(-3, 3), st.floats(0, 2), st.integers(1, 2000)).map(
    lambda t: number(t[0], half=t[1], n=t[2])
)
ratios = st.tuples(pairs, pairs).map(lambda p: ratio(*p[0], *p[1]))
opportunities = st.tuples(pairs, pairs).map(lambda p: counted(Kind.DIFFERENCE, *p[0], *p[1]))
reasons = st.sampled_from(["no rows", "too few rows: 3", "labels pending", "check failed: x", "no baseline", ""])
unmeasured = st.builds(lambda m, why: m.model_copy(update={"value": None, "low": None, "high": None, "parts": (),
                                                            "why_not": why}), accuracies, reasons)  # fmt: skip
measurements = st.lists(
    st.builds(lambda m, s: m.model_copy(update={"subject": s}),
              st.one_of(accuracies, shifts, ratios, opportunities, unmeasured), subjects),
    max_size=8,
    unique_by=lambda m: m.id,
)  # fmt: skip
pasts = st.lists(accuracies, max_size=12).map(nights)
trusts = st.builds(
    lambda share, days, gate, broken: Facts(
        night=NIGHT, as_of=NIGHT + timedelta(days=days), labels=Labels(), labelled_share=share,
        failed_gates=("g",) * gate, unreadable=("f",) * broken),
    st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 9), st.integers(0, 1), st.integers(0, 1))  # fmt: skip


def badness(m, rules, past=()):
    (verdict,) = judge([m], rules, past, MATURE)
    return BADNESS[verdict.state]


@law
@given(measurements, pasts, st.randoms(use_true_random=False))
def test_judging_does_not_depend_on_the_order_of_measurements(given_, past, random):
    shuffled = list(given_)
    random.shuffle(shuffled)
    once, again = (judge(ms, RULES, past, MATURE) for ms in (given_, shuffled))
    assert {v.id: v for v in once} == {v.id: v for v in again}


@law
@given(measurements, pasts, trusts)
def test_a_verdict_is_unknown_exactly_when_it_has_a_cause(given_, past, facts):
    for v in judge(given_, RULES, past, facts):
        assert (v.state is State.UNKNOWN) == (v.cause is not None)
        assert v.reason
        assert not v.overdue or v.state is State.UNKNOWN


@law
@given(measurements, pasts, trusts)
def test_what_has_no_value_or_no_trust_is_never_ok(given_, past, facts):
    for v in judge(given_, RULES, past, facts):
        if v.state is State.OK:
            assert v.measurement is not None
            assert v.measurement.value is not None
            assert not facts.failed_gates
            assert not facts.unreadable
            assert v.family is not Family.PERFORMANCE or facts.labelled_share >= facts.labels.mature_share


@law
@given(measurements, pasts, trusts)
def test_distrust_takes_away_every_ok_and_nothing_else(given_, past, facts):
    trusted = facts.model_copy(update={"failed_gates": (), "unreadable": ()})
    plain = {v.id: v for v in judge(given_, RULES, past, trusted)}
    for v in judge(given_, RULES, past, facts):
        was = plain[v.id]
        assert v.state is was.state or (was.state, v.state) == (State.OK, State.UNKNOWN)
        assert was.state is State.OK or v == was


@law
@given(measurements, pasts)
def test_every_question_is_answered_once(given_, past):
    found = [v.id for v in judge(given_, RULES, past, MATURE)]
    assert len(found) == len(set(found))
    assert {m.id for m in given_} <= set(found)


@law
@given(measurements, pasts)
def test_only_what_is_ok_says_what_it_would_have_seen(given_, past):
    assert all(v.state is State.OK or not v.would_see for v in judge(given_, RULES, past, MATURE))


@law
@given(st.integers(1, 3000), st.data())
def test_fewer_successes_are_never_judged_better(n, data):
    more = data.draw(st.integers(0, n))
    fewer = data.draw(st.integers(0, more))
    for rule in (Rule(metric="accuracy", breach="< 0.8"), Rule(metric="accuracy", warn="< 0.9", breach="< 0.7"),
                 Rule(metric="accuracy", hard="< 0.5"), Rule(metric="accuracy", holdout=-0.05)):  # fmt: skip
        rules = Rules(performance=(rule,))
        worse, better = (badness(share(k, n, baseline=0.9), rules) for k in (fewer, more))
        assert worse >= better, rule


@law
@given(pairs, pairs, st.data())
def test_a_group_that_is_favoured_less_is_never_judged_better(group, reference, data):
    fewer = data.draw(st.integers(0, group[0]))
    for make, rule in ((ratio, RULES.fairness[0]), (lambda *p: counted(Kind.DIFFERENCE, *p), RULES.fairness[1])):
        better, worse = make(*group, *reference), make(fewer, group[1], *reference)
        if better.value is not None:
            rules = Rules(fairness=(rule,))
            assert badness(worse, rules) >= badness(better, rules), rule.metric


@law
@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0.01, 1), st.integers(1, 200), st.sampled_from(list(Worse)))
def test_a_number_further_beyond_is_never_judged_better(value, further, half, n, side):
    sign = -1 if side is Worse.LOWER or (side is Worse.AWAY and value < 0) else 1
    text = "< -0.5" if side is Worse.LOWER else "> 0.5"
    rules = Rules(drift=(Rule(metric="mean_shift", breach=text, sigma=4),))
    past = nights([number(0.01 * (i % 3), worse=side) for i in range(10)])
    here, there = (number(v, half=half, n=n, worse=side) for v in (value, value + sign * further))
    assert badness(there, rules, past) >= badness(here, rules, past)


@law
@given(st.integers(1, 29), pairs)
def test_a_group_below_the_least_rows_is_never_ok_on_one_night(n, reference):
    for m in (ratio(n, n, *reference), share(n, n), number(0.0, half=0.01, n=n)):
        (said,) = judge_bound([pools(m, [])], bound("< -0.5" if m.kind is Kind.NUMBER else "< 0.8"),
                              min_difference=None, min_rows=30)  # fmt: skip
        assert said.state is not State.OK


@law
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_of_p_values_and_never_makes_one_smaller(p_values):
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert all(a <= 1 for a in adjusted)
    ranked = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@law
@given(st.lists(accuracies, min_size=1, max_size=6))
def test_a_subject_is_never_judged_worse_for_having_company(shares):
    named = [m.model_copy(update={"subject": f"class-{i}"}) for i, m in enumerate(shares)]
    rules = Rules(performance=(Rule(metric="accuracy", breach="< 0.8"),))
    together = {v.subject: v for v in judge(named, rules, (), MATURE)}
    for m in named:
        assert BADNESS[together[m.subject].state] <= badness(m, rules)


@law
@given(st.lists(pairs, max_size=40), st.integers(7, 30), st.sampled_from([0.9, 0.99, 0.999]))
def test_a_budget_counts_every_night_of_its_window_once(counts, window, target):
    slo = Slo(name="availability", sli="availability", target=target, nights=window)
    made = budget(slo, [Spent(night=NIGHT, good=k, total=n) for k, n in counts])
    last = counts[-window:]
    assert made.judged_nights + made.unjudged_nights == len(last)
    assert (made.good, made.total) == (sum(k for k, _ in last), sum(n for _, n in last))
    assert (made.left is None) == (not last)
    assert made.left is None or made.left <= 1


@law
@given(st.lists(pairs, min_size=1, max_size=20), st.data())
def test_a_worse_night_never_leaves_more_of_the_budget_nor_a_milder_state(counts, data):
    slo = Slo(name="availability", sli="availability", target=0.99)
    good, total = counts[-1]
    fewer = data.draw(st.integers(0, good))
    better, worse = (
        budget(slo, [Spent(night=NIGHT, good=k, total=n) for k, n in [*counts[:-1], (k, total)]]) for k in (good, fewer)
    )
    assert worse.left <= better.left + 1e-9
    assert worse.burn >= better.burn - 1e-9
    assert BADNESS[burn_verdict(slo, worse).state] >= BADNESS[burn_verdict(slo, better).state]


@law
@given(st.lists(pairs, min_size=1, max_size=20), st.integers(0, 19))
def test_a_night_that_could_not_be_counted_leaves_what_is_left(counts, where):
    slo = Slo(name="availability", sli="availability", target=0.99, nights=28)
    seen = [Spent(night=NIGHT, good=k, total=n) for k, n in counts]
    gap = [*seen[:where], Spent(night=NIGHT, good=0, total=0), *seen[where:]]
    assert budget(slo, gap).left == pytest.approx(budget(slo, seen).left)
    assert budget(slo, gap).unjudged_nights == 1


def dated(counts):
    """Counted nights, one a day, the last on NIGHT."""
    first = NIGHT - timedelta(days=len(counts) - 1)
    return [Spent(night=first + timedelta(days=n), good=k, total=total) for n, (k, total) in enumerate(counts)]


@law
@given(st.lists(pairs, min_size=3, max_size=40), st.floats(0.5, 0.999))
def test_the_range_of_an_exhaustion_date_holds_it_and_lies_ahead(counts, target):
    found = budget(Slo(name="up", sli="availability", target=target), dated(counts)).exhaustion
    assert (found.on is not None) == (found.prospect is Prospect.BURNING)
    if found.on is not None:
        assert NIGHT < found.earliest <= found.on
        assert found.latest is None or found.on <= found.latest


@law
@given(st.lists(pairs, min_size=1, max_size=28), st.integers(0, 27), st.data())
def test_one_more_bad_event_on_any_night_never_leaves_more_of_the_budget(counts, where, data):
    slo = Slo(name="up", sli="availability", target=0.99)
    where %= len(counts)
    good, total = counts[where]
    worse = [*counts[:where], (data.draw(st.integers(0, good)), total), *counts[where + 1 :]]
    assert budget(slo, dated(worse)).left <= budget(slo, dated(counts)).left + 1e-9


@law
@given(st.lists(pairs, min_size=1, max_size=28), st.randoms())
def test_what_is_left_and_attained_does_not_depend_on_the_order_of_the_nights(counts, chance):
    slo = Slo(name="up", sli="availability", target=0.99)
    mixed = chance.sample(counts, len(counts))
    one, other = budget(slo, dated(counts)), budget(slo, dated(mixed))
    assert (one.left, one.attained) == (pytest.approx(other.left), pytest.approx(other.attained))


@law
@given(st.text("+-?!w", min_size=1, max_size=60))
def test_every_night_of_the_window_is_judged_unjudged_or_waiting(signs):
    nights = [
        n.model_copy(update={"waiting": s == "w", "overdue": s == "!"})
        for n, s in zip(dated([(s == "+", s in "+-") for s in signs]), signs, strict=True)
    ]
    made = budget(Slo(name="fair", sli="good_nights", target=0.893), nights)
    assert made.judged_nights + made.unjudged_nights == min(28, len(signs) - signs.count("w"))
    assert made.waiting_nights == signs.count("w")
    assert not made.blind or made.coverage_left < 0


@law
@given(st.lists(accuracies, min_size=8, max_size=12), accuracies, st.integers(0, 1000))
def test_the_value_of_a_bad_night_teaches_its_question_nothing(past, tonight, broken):
    before = [r.model_copy(update={"night": r.night - timedelta(days=5)}) for r in nights(past)]
    rules = Rules(performance=(Rule(metric="accuracy", sigma=4),))

    def after(k: int):
        bad = [night(n, judged(share(k, 1000), State.BREACH)) for n in range(5, 2, -1)]
        quiet = [night(n, judged(share(999, 1000), State.UNKNOWN, cause=Cause.LABELS_PENDING)) for n in (2, 1)]
        return judge([tonight], rules, [*before, *bad, *quiet], MATURE)

    assert after(broken) == after(0)


@law
@given(st.lists(accuracies, min_size=8, max_size=12), accuracies, st.sampled_from(["missing", "psi", "selection_rate"]))
def test_what_is_bad_about_one_question_changes_no_other(past, tonight, metric):
    """Whatever holds an incident open: other questions learn from the same nights as if nothing were wrong."""
    rules = Rules(performance=(Rule(metric="accuracy", sigma=4),))
    other = missing(970, 1000, metric=metric, subject="income", family=Family.QUALITY)
    quiet, chronic = (
        [r.model_copy(update={"verdicts": (*r.verdicts, judged(other, state))}) for r in nights(past)]
        for state in (State.OK, State.BREACH)
    )
    assert judge([tonight], rules, chronic, MATURE) == judge([tonight], rules, quiet, MATURE)
