"""What the service did, and what the model said against what happened, from the table `night`."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.adapters.duckdb_columns import Layout, dicts, literal
from vigil.adapters.duckdb_rows import quoted
from vigil.core.words import Role, Task
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES
from vigil.profiles.types import Errors, Outcome, Service

CLIP = 1e-15  # of a probability, as scikit-learn's log loss clips


def services(layout: Layout) -> dict[tuple[str, Role], Service]:
    """How each version answered. Latency bins are over answered requests with a latency."""
    d = layout.monitor.data
    status = f"CAST({quoted(d.status)} AS VARCHAR)"
    latency = f"TRY_CAST({quoted(d.latency_ms)} AS DOUBLE)"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, count(*) AS n, count(*) FILTER ({status} = 'ok') AS ok, "
        f"count(*) FILTER ({status} = 'timeout') AS timeouts, "
        f"histogram(CASE WHEN isfinite({latency}) THEN {latency} END, {_listed(LATENCY_EDGES_MS)}) AS bins "
        "FROM night GROUP BY 1, 2"
    )
    found = {}
    for row in dicts(layout.db, sql):
        counted: dict[float, int] = row["bins"] or {}
        bins = [int(counted.get(float(e), 0)) for e in LATENCY_EDGES_MS]
        over = sum(n for key, n in counted.items() if key > LATENCY_EDGES_MS[-1])
        found[row["v"], Role(row["r"])] = Service(
            requests=row["n"],
            ok=row["ok"],
            timeouts=row["timeouts"],
            errors=row["n"] - row["ok"] - row["timeouts"],
            fallback=row["n"] if row["r"] == Role.FALLBACK else 0,
            latency_bins=(*bins, int(over)),
        )
    return found


def _listed(edges: Sequence[float]) -> str:
    return "[" + ", ".join(repr(float(e)) for e in edges) + "]"


def outcomes(layout: Layout) -> dict[tuple[str, Role], Outcome]:
    """Predictions, confusion, score histograms and exact sums, for each version and role."""
    answered = f"{layout.answer} IS NOT NULL"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, count(*) FILTER (label IS NOT NULL) AS labelled, "
        f"count(*) FILTER (vigil_contradictory) AS contradictory FROM night WHERE {answered} GROUP BY 1, 2"
    )
    base = {(row["v"], Role(row["r"])): row for row in dicts(layout.db, sql)}
    predictions, confusion = _predictions(layout), _confusion(layout)
    scores, sums = _scores(layout), _score_sums(layout)
    errors = _errors(layout)
    return {
        who: Outcome(
            labelled=row["labelled"],
            contradictory=row["contradictory"],
            predictions=predictions.get(who, {}),
            confusion=confusion.get(who, {}),
            scores=scores.get(who, {}),
            log_loss=sums.get(who, (0.0, 0.0))[0],
            brier=sums.get(who, (0.0, 0.0))[1],
            errors=errors.get(who, Errors()),
        )
        for who, row in base.items()
    }


def _predictions(layout: Layout) -> dict[tuple[str, Role], dict[str, int]]:
    if layout.monitor.task is Task.REGRESSION:
        return {}
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, {layout.answer} AS p, count(*) AS n FROM night "
        f"WHERE {layout.answer} IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    found: dict[tuple[str, Role], dict[str, int]] = {}
    for row in dicts(layout.db, sql):
        found.setdefault((row["v"], Role(row["r"])), {})[row["p"]] = row["n"]
    return found


def _confusion(layout: Layout) -> dict[tuple[str, Role], dict[str, int]]:
    """ "predicted<TAB>label" -> rows; a binary model's prediction is said in the words of its labels."""
    if layout.monitor.task is Task.REGRESSION:
        return {}
    decision = layout.monitor.decision
    if layout.monitor.task is Task.BINARY and decision is not None:
        yes, no = literal(decision.positive), literal(f"not {decision.positive}")
        yes, no = literal(decision.positive), literal(f"not {decision.positive}")
        said = f"CASE WHEN {layout.positive} THEN {yes} ELSE {no} END"
        truth = f"CASE WHEN label = {yes} THEN {yes} ELSE {no} END"
    else:
        said, truth = layout.answer, "label"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, {said} AS p, {truth} AS t, count(*) AS n FROM night "
        f"WHERE label IS NOT NULL AND {layout.answer} IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    found: dict[tuple[str, Role], dict[str, int]] = {}
    for row in dicts(layout.db, sql):
        found.setdefault((row["v"], Role(row["r"])), {})[f"{row['p']}\t{row['t']}"] = row["n"]
    return found


def _scored(layout: Layout) -> str | None:
    score = layout.monitor.data.score
    if layout.monitor.task is not Task.BINARY or score is None:
        return None
    return f"TRY_CAST({quoted(score)} AS DOUBLE)"


def _scores(layout: Layout) -> dict[tuple[str, Role], dict[str, tuple[int, ...]]]:
    x, decision = _scored(layout), layout.monitor.decision
    if x is None or decision is None:
        return {}
    truth = f"CASE WHEN label IS NULL THEN 'none' WHEN label = {literal(decision.positive)} THEN '1' ELSE '0' END"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, {truth} AS t, count(*) AS n, "
        f"histogram(CASE WHEN isfinite({x}) THEN {x} END, {_listed(SCORE_EDGES)}) AS bins FROM night GROUP BY 1, 2, 3"
    )
    found: dict[tuple[str, Role], dict[str, tuple[int, ...]]] = {}
    for row in dicts(layout.db, sql):
        counted: dict[float, int] = row["bins"] or {}
        bins = [int(counted.get(float(e), 0)) for e in SCORE_EDGES]
        over = sum(n for key, n in counted.items() if key > SCORE_EDGES[-1])
        found.setdefault((row["v"], Role(row["r"])), {})[row["t"]] = (*bins, int(over))
    return found


def _score_sums(layout: Layout) -> dict[tuple[str, Role], tuple[float, float]]:
    """Exact sums of log loss and squared error over labelled rows with a score."""
    x, decision = _scored(layout), layout.monitor.decision
    if x is None or decision is None:
        return {}
    truth = f"CAST(label = {literal(decision.positive)} AS INTEGER)"
    p = f"least(greatest({x}, {CLIP!r}), 1 - {CLIP!r})"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, "
        f"sum(-({truth} * ln({p}) + (1 - {truth}) * ln(1 - {p}))) AS ll, sum(({x} - {truth}) ** 2) AS sq "
        f"FROM night WHERE label IS NOT NULL AND isfinite({x}) GROUP BY 1, 2"
    )
    return {(row["v"], Role(row["r"])): (row["ll"] or 0.0, row["sq"] or 0.0) for row in dicts(layout.db, sql)}


def _errors(layout: Layout) -> dict[tuple[str, Role], Errors]:
    """Sums of the error e = prediction - label of a regression."""
    if layout.monitor.task is not Task.REGRESSION:
        return {}
    y, p = "TRY_CAST(label AS DOUBLE)", f"TRY_CAST({quoted(layout.monitor.data.prediction)} AS DOUBLE)"
    sql = (
        f"SELECT {layout.version} AS v, {layout.role} AS r, count(*) AS n, sum({p} - {y}) AS total, "
        f"sum(abs({p} - {y})) AS absolute, sum(({p} - {y}) ** 2) AS squared, sum({y}) AS label_total, "
        f"sum({y} ** 2) AS label_squared FROM night WHERE isfinite({y}) AND isfinite({p}) GROUP BY 1, 2"
    )
    return {
        (row["v"], Role(row["r"])): Errors(**{k: row[k] for k in Errors.model_fields}) for row in dicts(layout.db, sql)
    }
