"""Decisions, labels and hours of a night, counted once in two small tables that everything else is added up from.

`cube`: version, role, groups, decision, label, score bin, … -> rows, and sums over them.
`tally`: version, role, groups, quarter of an hour -> decisions and failures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vigil.adapters.duckdb_layout import Layout, dicts, select
from vigil.adapters.duckdb_rows import BLANKS, compared, double, literal, quoted
from vigil.adapters.duckdb_word import word_of_text
from vigil.core.words import Task
from vigil.profiles.aggregates import FALSE, FINITE
from vigil.profiles.edges import SCORE_EDGES

if TYPE_CHECKING:
    from vigil.profiles.layout import Decision

CLIP = 1e-15  # of a probability, as scikit-learn's log loss clips
RANKS = 10  # places of a label in the model's order of classes that are counted one by one


def make_cube(layout: Layout) -> None:
    """Makes `cube` from the view `night`."""
    keys = layout.who | layout.groups(layout.attributes) | _said(layout) | _context(layout)
    counted = {
        "n": "count(*)",
        "neither": "CAST(0 AS BIGINT)",
        "contradictory": "count(CASE WHEN vigil_contradictory THEN 1 END)",
    }
    counted |= _sums(layout) | _score_sums(layout) | _errors(layout)
    layout.db.execute(f"CREATE TEMP TABLE cube AS {select(keys, counted, 'night')}")
    if layout.monitor.task is not Task.REGRESSION:
        _forget(layout, f"trim(label, {BLANKS}) = ''")
    if layout.monitor.task is Task.BINARY and layout.monitor.decision is not None:
        _set_aside(layout, layout.monitor.decision)


def _forget(layout: Layout, which: str, also: str = "") -> None:
    """Rows of `cube` lose their label, and the sums over labelled rows that it is in."""
    gone = ["label", *_score_sums(layout), *(["rank"] if "rank" in _context(layout) else [])]
    layout.db.execute(f"UPDATE cube SET {also}{', '.join(f'{name} = NULL' for name in gone)} WHERE {which}")


def _set_aside(layout: Layout, decision: Decision) -> None:
    """A label in a word of neither class says nothing about the row: `said` keeps it, `neither` counts it.

    The negative word is the `deserving` one, or where that is the positive one, the night's: one that says no before
    others, and of those the most frequent.
    """
    positive, negative = decision.positive, decision.deserving
    if negative == positive:
        no = f"lower(label) IN ({', '.join(map(literal, FALSE))})"
        found = dicts(
            layout.db,
            f"SELECT label, sum(n) AS n FROM cube WHERE label <> {literal(positive)} "
            f"GROUP BY label ORDER BY {no} DESC, n DESC, label LIMIT 1",
        )
        negative = found[0]["label"] if found else negative
    layout.db.execute("ALTER TABLE cube ADD COLUMN said VARCHAR")
    _forget(layout, f"label NOT IN ({literal(positive)}, {literal(negative)})", also="said = label, neither = n, ")


def make_tally(layout: Layout) -> None:
    """Makes `tally` from the view `served`: nothing in it waits for a label."""
    answered, good = layout.answered, f"coalesce({layout.favourable}, false)"
    failed = f"CAST({quoted(layout.monitor.data.status)} AS VARCHAR) IS DISTINCT FROM 'ok'"
    keys = layout.who | layout.groups(layout.attributes) | {"slot": ("vigil_slot", "s.vigil_slot")}
    counted = {
        "n": "count(*)",
        "answered": f"count(CASE WHEN {answered} THEN 1 END)",
        "favourable": f"count(CASE WHEN {answered} AND {good} THEN 1 END)",
        "failed": f"count(CASE WHEN {failed} THEN 1 END)",
    }
    layout.db.execute(f"CREATE TEMP TABLE tally AS {select(keys, counted, 'served')}")


def combinations(layout: Layout) -> int:
    """How many combinations of version, role and groups the night has."""
    by = ", ".join([*layout.who, *layout.groups(layout.attributes)])
    return int(dicts(layout.db, f"SELECT count(*) AS n FROM (SELECT DISTINCT {by} FROM cube)")[0]["n"])


def bin_of(x: str, edges: Sequence[float], first: int = 0) -> str:
    """SQL of the bin of a number, as a tree of comparisons.

    >>> bin_of("x", (0.5,))
    "CASE WHEN x <= CAST('0.5' AS DOUBLE) THEN 0 ELSE 1 END"
    """
    if not edges:
        return str(first)
    middle = len(edges) // 2
    below, above = bin_of(x, edges[:middle], first), bin_of(x, edges[middle + 1 :], first + middle + 1)
    return f"CASE WHEN {x} <= {double(edges[middle])} THEN {below} ELSE {above} END"


def _said(layout: Layout) -> dict[str, tuple[str, str]]:
    """What was answered and what was true. Of a regression only whether: its values are summed."""
    good = f"coalesce({layout.favourable}, false)"
    if layout.monitor.task is Task.REGRESSION:
        answer = f"CASE WHEN {layout.answered} THEN '' END"
        label = f"CASE WHEN trim({layout.label}, {BLANKS}) <> '' THEN '' END"
        return {"answer": (answer, answer), "good": (good, good), "label": (label, label)}
    keys = {
        "answer": (layout.answer, f"s.{layout.prediction}"),
        "good": (good, f"s.{layout.prediction}"),
        "label": (layout.label, "s.label"),
    }
    if layout.monitor.task is Task.BINARY:
        keys["positive"] = (layout.positive, layout.positive)
    return keys


def _context(layout: Layout) -> dict[str, tuple[str, str]]:
    """The bin of the score, the level of the strata, and the place of the label in the model's order."""
    keys: dict[str, tuple[str, str]] = {}
    if layout.score is not None:
        edges = compared(SCORE_EDGES, layout.types[str(layout.monitor.data.score)])
        score = f"CASE WHEN isfinite({layout.score}) THEN {bin_of(layout.score, edges)} END"
        keys["bin"] = (score, score)
    strata, ranking = layout.monitor.strata, layout.monitor.data.ranking
    if strata is not None and strata in layout.types:
        keys["stratum"] = (layout.named(strata), f"s.{quoted(strata)}")
    if ranking is not None and ranking in layout.types:
        order = f"list_transform(string_split({layout.text(ranking)}, '|'), lambda c: {word_of_text('c')})"
        place = f"coalesce(nullif(list_position({order}, {layout.label}), 0), {RANKS + 1})"
        said = f"{layout.label} IS NOT NULL AND {layout.text(ranking)} IS NOT NULL"
        rank = f"CASE WHEN {said} THEN least({place}, {RANKS + 1}) END"
        keys["rank"] = (rank, rank)
    return keys


def _sums(layout: Layout) -> dict[str, str]:
    """Sums of the monitor's `sums`, and of weights and their squares, over the rows that have them."""
    monitor = layout.monitor
    sums = {f"s{i}": f"sum({_finite(layout, c)})" for i, c in enumerate(monitor.sums) if c in layout.types}
    weight = monitor.data.sampling_weight
    if weight is None or weight not in layout.types:
        return sums
    w, usable = layout.number(weight), _usable(layout, weight)
    return sums | {
        "weighed": f"count(CASE WHEN {usable} THEN 1 END)",
        "weight": f"sum(CASE WHEN {usable} THEN {w} END)",
        "weight_sq": f"sum(CASE WHEN {usable} THEN {w} * {w} END)",
    }


def _usable(layout: Layout, weight: str) -> str:
    """SQL: the row has a weight that can be used."""
    w = layout.number(weight)
    return f"coalesce(isfinite({w}) AND {w} >= 0, false)"


def _score_sums(layout: Layout) -> dict[str, str]:
    """Exact sums of log loss and squared error over labelled rows with a score, and the same times the weight."""
    x, decision = layout.score, layout.monitor.decision
    if x is None or decision is None:
        return {}
    one, clip = f"{layout.label} = {literal(decision.positive)}", double(CLIP)
    p = f"least(greatest({x}, {clip}), 1 - {clip})"
    known = f"{layout.label} IS NOT NULL AND isfinite({x})"
    loss = f"CASE WHEN {known} THEN -ln(CASE WHEN {one} THEN {p} ELSE 1 - {p} END) END"
    miss = f"({x} - CAST({one} AS INTEGER))"
    square = f"CASE WHEN {known} THEN {miss} * {miss} END"
    found = {"log_loss": f"sum({loss})", "brier": f"sum({square})"}
    weight = layout.monitor.data.sampling_weight
    if weight is None or weight not in layout.types:
        return found
    w = f"CASE WHEN {known} AND {_usable(layout, weight)} THEN {layout.number(weight)} END"
    return found | {
        "w_scored": f"sum({w})",
        "w_log_loss": f"sum(({w}) * ({loss}))",
        "w_brier": f"sum(({w}) * ({square}))",
    }


def _errors(layout: Layout) -> dict[str, str]:
    """Sums of the error e = prediction - label of a regression, over the rows where both are finite."""
    if layout.monitor.task is not Task.REGRESSION:
        return {}
    y, p = _finite(layout, "label"), _finite(layout, layout.monitor.data.prediction)
    both, e = f"({y}) IS NOT NULL AND ({p}) IS NOT NULL", f"(({p}) - ({y}))"
    share = f"({e} / nullif({y}, 0))"
    parts = {
        "total": e,
        "absolute": f"abs({e})",
        "squared": f"{e} * {e}",
        "label_total": y,
        "label_squared": f"({y}) * ({y})",
        "relative": f"abs({share})",
        "relative_squared": f"{share} * {share}",
    }
    counts = {"e_n": f"count(CASE WHEN {both} THEN 1 END)", "e_relative_n": f"count(CASE WHEN {both} THEN {share} END)"}
    return counts | {f"e_{name}": f"sum(CASE WHEN {both} THEN {sql} END)" for name, sql in parts.items()}


def _finite(layout: Layout, column: str) -> str:
    return FINITE.format(x=layout.number(column))
