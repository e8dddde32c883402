"""What must hold of judgements about groups, whatever the counts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.verdicts.made_measurements import NIGHT, bound, ratio
from vigil.metrics.pool import pool
from vigil.metrics.types import Kind
from vigil.verdicts.bounds import judge_bound, pools
from vigil.verdicts.disparity import trend
from vigil.verdicts.judge import BADNESS, Facts, judge
from vigil.verdicts.power import least_found
from vigil.verdicts.types import Rule, Rules

law = settings(max_examples=50, deadline=None)
MATURE = Facts(night=NIGHT, as_of=NIGHT, labelled_share=1.0)
FOUR_FIFTHS = bound("< 0.8")
RULES = Rules(fairness=(Rule(metric="selection_rate_ratio", breach="< 0.8"),))
pairs = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
counts = st.tuples(pairs, pairs.filter(lambda p: p[0] > 0)).map(lambda t: (*t[0], *t[1]))


@law
@given(st.lists(counts, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_other_names_for_the_groups_permute_the_verdicts_and_nothing_else(groups, random):
    order = list(range(len(groups)))
    random.shuffle(order)
    named = [ratio(*g, subject=f"a=g{i}") for i, g in enumerate(groups)]
    renamed = [ratio(*g, subject=f"a=g{order[i]}") for i, g in enumerate(groups)]
    once, again = ({v.subject: v for v in judge(ms, RULES, (), MATURE)} for ms in (named, renamed))
    for i in range(len(groups)):
        mine, other = once[f"a=g{i}"], again[f"a=g{order[i]}"]
        assert (mine.state, mine.cause, mine.would_see) == (other.state, other.cause, other.would_see)


@law
@given(st.lists(counts, min_size=1, max_size=7))
def test_a_pool_is_judged_like_one_night_with_all_of_its_people(each):
    made = [ratio(*c) for c in each]
    together = ratio(*(sum(column) for column in zip(*each, strict=True)))
    pooled = pool(made)
    assert (pooled.parts, pooled.value, pooled.low, pooled.high) == (
        together.parts, together.value, together.low, together.high)  # fmt: skip
    week = pools(made[-1], made[:-1]).week
    assert week.parts == together.parts


@law
@given(counts, st.lists(counts, max_size=30), st.data())
def test_a_group_favoured_less_is_never_judged_better_with_a_past_either(tonight, past, data):
    fewer = data.draw(st.integers(0, tonight[0]))
    history = [ratio(*p) for p in past]
    said = [
        judge_bound([pools(ratio(k, *tonight[1:]), history)], FOUR_FIFTHS, min_difference=None, min_rows=30)[0]
        for k in (tonight[0], fewer)
    ]
    assert BADNESS[said[1].state] >= BADNESS[said[0].state]


@law
@given(counts, st.sampled_from([0.005, 0.0005]))
def test_what_would_have_been_seen_lies_beyond_the_bound_and_is_possible(parts, level):
    found = least_found(Kind.RATIO, parts, FOUR_FIFTHS, level=level)
    assert found is None or 0 <= found < 0.8


@law
@given(counts, st.lists(counts, max_size=10))
def test_every_disparity_has_one_story(tonight, past):
    words = trend(ratio(*tonight), [ratio(*p) for p in past], "<")
    assert sum(w in words for w in ("got worse", "(known)", "no past nights tell")) == 1
