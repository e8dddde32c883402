"""A column that never changed in the reference: one odd value is nothing, and a night of them is seen at once."""

from datetime import date, timedelta

import numpy as np
import pytest

from vigil.core.words import Task
from vigil.metrics.evaluate import evaluate
from vigil.metrics.example import profile
from vigil.metrics.types import View
from vigil.profiles.edges import fit
from vigil.profiles.types import CategoryColumn, Columns, NumericColumn
from vigil.verdicts.judge import Facts, judge, ruled
from vigil.verdicts.types import NightResult, Rule, Rules, State

FIRST, NIGHTS, ROWS = date(2026, 9, 1), 20, 100
EDGES = fit(np.zeros(1400), 20)
DRIFT = Rules(
    drift=tuple(Rule(metric=name, surprise=True) for name in ("position_shift", "width_shift", "level_shift"))
)
VIEW = View(task=Task.REGRESSION, features={"x": "numeric", "unit": "category"}, decision=None, protected=())


def night(values, words):
    x = np.asarray(values, dtype=float)
    bins = np.bincount(np.searchsorted(EDGES, x, side="left"), minlength=len(EDGES) + 1)
    numbers = NumericColumn(rows=len(x), bins=tuple(map(int, bins)), total=float(x.sum()), total_sq=float((x**2).sum()))
    known = sum(w == "EUR" for w in words)
    units = CategoryColumn(rows=len(words), levels={"EUR": known}, new=len(words) - known)
    return profile(rows=len(x), columns=Columns(numeric={"x": numbers}, category={"unit": units}))


def last(values, words):
    """What is said of a night after twenty that were constant: question -> state."""
    whole, results = night(np.zeros(1400), ["EUR"] * 1400), []
    for n in range(NIGHTS + 1):
        tonight = night(values, words) if n == NIGHTS else night(np.zeros(ROWS), ["EUR"] * ROWS)
        found, day = evaluate(tonight, whole, VIEW, yardstick="reference"), FIRST + timedelta(days=n)
        verdicts = judge(found, DRIFT, results, Facts(night=day, as_of=day))
        results.append(NightResult(
            monitor="m", environment="e", night=day, partition_digest="", config_digest="", edges_digest="",
            rows=ROWS, verdicts=verdicts, measurements=ruled(found, verdicts),
        ))  # fmt: skip
    assert all(v.state is not State.BREACH for r in results[:-1] for v in r.verdicts)
    return {v.id: v.state for v in results[-1].verdicts}


@pytest.mark.parametrize(("values", "question"), [
    (np.random.default_rng(0).normal(size=ROWS), "width_shift/x"), (np.ones(ROWS), "position_shift/x"),
    (-np.arange(1.0, ROWS + 1), "position_shift/x"),
])  # fmt: skip
def test_a_constant_that_comes_alive_is_a_breach_on_its_first_night(values, question):
    found = last(values, ["EUR"] * ROWS)
    assert found[question] is State.BREACH
    assert found["level_shift/unit:EUR"] is State.OK


def test_one_odd_value_of_a_constant_is_no_alarm():
    found = last([*np.zeros(ROWS - 1), 7.0], ["EUR"] * ROWS)
    assert not {State.BREACH, State.WARN} & set(found.values())


def test_another_word_in_a_column_that_had_one_is_a_breach():
    assert last(np.zeros(ROWS), ["USD"] * ROWS)["level_shift/unit:EUR"] is State.BREACH
