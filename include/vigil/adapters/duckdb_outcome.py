"""What the service did, and what the model said against what happened; the outcomes are added up from `cube`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vigil.adapters.duckdb_cube import RANKS
from vigil.adapters.duckdb_layout import By, Layout, bins_of, dicts, said_positive, select
from vigil.adapters.duckdb_rows import literal, quoted
from vigil.core.words import Role, Task
from vigil.profiles.aggregates import EXAMPLE_LENGTH, EXAMPLES
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES
from vigil.profiles.types import Errors, Outcome, Service

LOSSES = ("log_loss", "brier")
# (version, role, group) -> a word about rows -> rows and weights in each bin of the score
Binned = dict[tuple[str, Role, str], dict[str, tuple[tuple[int, ...], tuple[float, ...]]]]
BEYOND = "beyond"  # the place of a label that is not among the first ones


def services(layout: Layout) -> dict[By, Service]:
    """How each version answered. Latency bins are over the requests with a latency."""
    d = layout.monitor.data
    status, latency = f"CAST({quoted(d.status)} AS VARCHAR)", layout.number(d.latency_ms)
    counted = {
        "n": "count(*)",
        "ok": f"count(CASE WHEN {status} = 'ok' THEN 1 END)",
        "timeouts": f"count(CASE WHEN {status} = 'timeout' THEN 1 END)",
        "known": f"count(CASE WHEN {status} IN ('ok', 'error', 'timeout') THEN 1 END)",
        "bins": f"histogram(CASE WHEN isfinite({latency}) THEN {latency} END, $edges)",
    }
    return {
        _who(row): Service(
            requests=row["n"],
            ok=row["ok"],
            timeouts=row["timeouts"],
            errors=row["n"] - row["ok"] - row["timeouts"],
            other_words=row["n"] - row["known"],
            fallback=row["n"] if row["r"] == Role.FALLBACK else 0,
            latency_bins=bins_of(row["bins"], LATENCY_EDGES_MS),
        )
        for row in dicts(layout.db, select(layout.who, counted, "served"), {"edges": list(LATENCY_EDGES_MS)})
    }


def outcomes(layout: Layout) -> dict[By, Outcome]:
    """Predictions, confusion, scores, ranks, errors and weights, for each version and role."""
    labelled = "answer IS NOT NULL AND label IS NOT NULL"
    weighed = _weighed(layout)
    sums = {
        "labelled": f"sum(n) FILTER ({labelled})",
        "neither": "sum(neither) FILTER (answer IS NOT NULL)",
        "contradictory": "sum(contradictory) FILTER (answer IS NOT NULL)",
        "bad_weights": f"sum(n - weighed) FILTER ({labelled})" if weighed else "0",
    }
    sums |= {name: f"sum({name})" if layout.score else "0" for name in LOSSES}
    if weighed and layout.score:
        sums |= {f"w_{name}": f"sum(w_{name})" for name in ("scored", *LOSSES)}
    if layout.monitor.task is Task.REGRESSION:
        sums |= {f"e_{name}": f"sum(e_{name})" for name in Errors.model_fields}
    base = dicts(
        layout.db, f"SELECT v, r, {', '.join(f'{sql} AS {n}' for n, sql in sums.items())} FROM cube GROUP BY v, r"
    )
    confusion, scores = _confusion(layout, weighed=weighed), score_bins(layout, None, weighed=weighed)
    against = overruled(layout, None, weighed=weighed)
    predictions, ranks, words = _predictions(layout), _ranks(layout), _words_of_neither(layout)
    return {
        who: Outcome(
            **{name: row[name] or 0 for name in sums if not name.startswith(("e_", "w_"))},
            predictions=predictions.get(who, {}),
            confusion={key: n for key, (n, _, _) in confusion.get(who, {}).items()},
            weighted={key: (w, sq) for key, (_, w, sq) in confusion.get(who, {}).items() if w is not None},
            scores={truth: n for truth, (n, _) in scores.get((*who, ""), {}).items()},
            weighted_scores={truth: w for truth, (_, w) in scores.get((*who, ""), {}).items() if weighed},
            overruled={side: n for side, (n, _) in against.get((*who, ""), {}).items()},
            weighted_overruled={side: w for side, (_, w) in against.get((*who, ""), {}).items() if weighed},
            weighted_losses={n: (row[f"w_{n}"], row["w_scored"]) for n in LOSSES if row.get("w_scored") is not None},
            neither_examples=words.get(who, ()),
            ranks=ranks.get(who, {}),
            errors=Errors(**{n: row.get(f"e_{n}") or 0 for n in Errors.model_fields}),
        )
        for row in base
        for who in [_who(row)]
    }


def group_scores(layout: Layout) -> dict[By, dict[str, dict[str, tuple[int, ...]]]]:
    """ "attribute=group" -> "1", "0" or "none" -> counts of scores."""
    return _in_groups(layout, score_bins)


def group_overruled(layout: Layout) -> dict[By, dict[str, dict[str, tuple[int, ...]]]]:
    """ "attribute=group" -> as `overruled`."""
    return _in_groups(layout, overruled)


def _in_groups(layout: Layout, count: Callable[..., Binned]) -> dict[By, dict[str, dict[str, tuple[int, ...]]]]:
    """ "attribute=group" -> what `count` counts in that group, without weights."""
    counts: dict[By, dict[str, dict[str, tuple[int, ...]]]] = {}
    for i, attribute in enumerate(layout.attributes):
        for (version, role, group), parts in count(layout, f"g{i}", weighed=False).items():
            mine = counts.setdefault((version, role), {})
            mine[f"{attribute}={group}"] = {part: n for part, (n, _) in parts.items()}
    return counts


def overruled(layout: Layout, group: str | None, *, weighed: bool) -> Binned:
    """(version, role, group) -> "1" or "0", the logged decision -> rows and weights in each bin of the score, of the
    rows whose score lies on the other side of the threshold."""
    decision = layout.monitor.decision
    if layout.score is None or decision is None:
        return {}
    said = said_positive(decision, "answer")
    where = f"bin IS NOT NULL AND answer IS NOT NULL AND ({said}) <> positive"
    if decision.favourable == decision.deserving != decision.positive:  # another word is no decision for either side
        where += f" AND answer IN ({literal(decision.positive)}, {literal(decision.favourable)})"
    return _binned(layout, group, f"CASE WHEN {said} THEN '1' ELSE '0' END", where, weighed=weighed)


def score_bins(layout: Layout, group: str | None, *, weighed: bool) -> Binned:
    """(version, role, group) -> "1", "0" or "none" -> rows and weights in each bin of the score."""
    decision = layout.monitor.decision
    if layout.score is None or decision is None:
        return {}
    truth = f"CASE WHEN label IS NULL THEN 'none' WHEN label = {literal(decision.positive)} THEN '1' ELSE '0' END"
    return _binned(layout, group, truth, "true", weighed=weighed)


def _binned(layout: Layout, group: str | None, word: str, where: str, *, weighed: bool) -> Binned:
    """Rows of the cube by a word about them (SQL) and by the bin of their score."""
    sql = (
        f"SELECT v, r, {group or literal('')} AS g, {word} AS t, bin, sum(n) AS n, "
        f"{'sum(weight)' if weighed else '0'} AS w FROM cube WHERE {where} GROUP BY 1, 2, 3, 4, 5 "
        "ORDER BY 1, 2, 3, 4, 5"
    )
    counted: dict[tuple[str, Role, str], dict[str, tuple[list[int], list[float]]]] = {}
    for row in dicts(layout.db, sql):
        by_truth = counted.setdefault((*_who(row), row["g"]), {})
        length = len(SCORE_EDGES) + 1
        rows, weights = by_truth.setdefault(row["t"], ([0] * length, [0.0] * length))
        if row["bin"] is not None:
            rows[row["bin"]], weights[row["bin"]] = row["n"], row["w"] or 0.0
    return {
        who: {t: (tuple(rows), tuple(weights)) for t, (rows, weights) in by_truth.items()}
        for who, by_truth in counted.items()
    }


def _who(row: Mapping[str, Any]) -> By:
    return row["v"], Role(row["r"])


def _weighed(layout: Layout) -> bool:
    return layout.monitor.data.sampling_weight in layout.types


def _predictions(layout: Layout) -> dict[By, dict[str, int]]:
    if layout.monitor.task is Task.REGRESSION:
        return {}
    sql = "SELECT v, r, answer AS key, sum(n) AS n FROM cube WHERE answer IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    return _by_key(dicts(layout.db, sql))


def _words_of_neither(layout: Layout) -> dict[By, tuple[str, ...]]:
    """The first labels, in text order, that are in words of neither class (binary)."""
    if layout.monitor.task is not Task.BINARY or layout.monitor.decision is None:
        return {}
    sql = (
        f"SELECT v, r, min(DISTINCT left(said, {EXAMPLE_LENGTH}), {EXAMPLES}) AS words FROM cube "
        "WHERE said IS NOT NULL AND answer IS NOT NULL GROUP BY 1, 2"
    )
    return {_who(row): tuple(sorted(row["words"])) for row in dicts(layout.db, sql)}


def _ranks(layout: Layout) -> dict[By, dict[str, int]]:
    if layout.monitor.data.ranking not in layout.types:
        return {}
    place = f"CASE WHEN rank > {RANKS} THEN {literal(BEYOND)} ELSE CAST(rank AS VARCHAR) END"
    return _by_key(
        dicts(
            layout.db,
            f"SELECT v, r, {place} AS key, sum(n) AS n FROM cube WHERE rank IS NOT NULL AND answer IS NOT NULL "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        )
    )


def _by_key(rows: Iterable[Mapping[str, Any]]) -> dict[By, dict[str, int]]:
    found: dict[By, dict[str, int]] = {}
    for row in rows:
        found.setdefault(_who(row), {})[row["key"]] = row["n"]
    return found


def _confusion(layout: Layout, *, weighed: bool) -> dict[By, dict[str, tuple[int, float | None, float | None]]]:
    """ "predicted<TAB>label" -> rows, weights and their squares; a binary prediction is said in its labels' words."""
    if layout.monitor.task is Task.REGRESSION:
        return {}
    decision, said, truth = layout.monitor.decision, "answer", "label"
    if layout.monitor.task is Task.BINARY and decision is not None:
        yes, no = literal(decision.positive), literal(f"not {decision.positive}")
        said = f"CASE WHEN positive THEN {yes} ELSE {no} END"
        truth = f"CASE WHEN label = {yes} THEN {yes} ELSE {no} END"
    weights = "sum(weight) AS w, sum(weight_sq) AS sq" if weighed else "NULL AS w, NULL AS sq"
    sql = (
        f"SELECT v, r, {said} || chr(9) || {truth} AS key, sum(n) AS n, {weights} FROM cube "
        "WHERE label IS NOT NULL AND answer IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    found: dict[By, dict[str, tuple[int, float | None, float | None]]] = {}
    for row in dicts(layout.db, sql):
        found.setdefault(_who(row), {})[row["key"]] = (row["n"], row["w"], row["sq"])
    return found
