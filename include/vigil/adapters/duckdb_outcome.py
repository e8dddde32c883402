"""What the service did, and what the model said against what happened, from the table `night`."""

from __future__ import annotations

from vigil.adapters.duckdb_columns import Layout, bins_of, dicts
from vigil.adapters.duckdb_rows import literal, quoted
from vigil.core.words import Role, Task
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES
from vigil.profiles.types import Errors, Outcome, Service

CLIP = 1e-15  # of a probability, as scikit-learn's log loss clips
By = tuple[str, Role]  # version, role


def services(layout: Layout) -> dict[By, Service]:
    """How each version answered. Latency bins are over the requests with a latency."""
    d = layout.monitor.data
    status = f"CAST({quoted(d.status)} AS VARCHAR)"
    latency = f"TRY_CAST({quoted(d.latency_ms)} AS DOUBLE)"
    sql = (
        f"SELECT {_who(layout)}, count(*) AS n, count(*) FILTER ({status} = 'ok') AS ok, "
        f"count(*) FILTER ({status} = 'timeout') AS timeouts, "
        f"histogram(CASE WHEN isfinite({latency}) THEN {latency} END, $edges) AS bins FROM night GROUP BY 1, 2"
    )
    return {
        (row["v"], Role(row["r"])): Service(
            requests=row["n"],
            ok=row["ok"],
            timeouts=row["timeouts"],
            errors=row["n"] - row["ok"] - row["timeouts"],
            fallback=row["n"] if row["r"] == Role.FALLBACK else 0,
            latency_bins=bins_of(row["bins"], LATENCY_EDGES_MS),
        )
        for row in dicts(layout.db, sql, {"edges": list(LATENCY_EDGES_MS)})
    }


def outcomes(layout: Layout) -> dict[By, Outcome]:
    """Predictions, confusion, score histograms and exact sums, for each version and role."""
    answered = f"{layout.answer} IS NOT NULL"
    sql = (
        f"SELECT {_who(layout)}, count(*) FILTER ({answered} AND {layout.label} IS NOT NULL) AS labelled, "
        f"count(*) FILTER ({answered} AND vigil_contradictory) AS contradictory FROM night GROUP BY 1, 2"
    )
    base = {(row["v"], Role(row["r"])): row for row in dicts(layout.db, sql)}
    predictions, confusion = _predictions(layout), _confusion(layout)
    scores, sums, errors = _scores(layout), _score_sums(layout), _errors(layout)
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


def _who(layout: Layout) -> str:
    return f"{layout.version} AS v, {layout.role} AS r"


def _predictions(layout: Layout) -> dict[By, dict[str, int]]:
    if layout.monitor.task is Task.REGRESSION:
        return {}
    sql = (
        f"SELECT {_who(layout)}, {layout.answer} AS p, count(*) AS n FROM night "
        f"WHERE {layout.answer} IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    found: dict[By, dict[str, int]] = {}
    for row in dicts(layout.db, sql):
        found.setdefault((row["v"], Role(row["r"])), {})[row["p"]] = row["n"]
    return found


def _confusion(layout: Layout) -> dict[By, dict[str, int]]:
    """ "predicted<TAB>label" -> rows; a binary model's prediction is said in the words of its labels."""
    if layout.monitor.task is Task.REGRESSION:
        return {}
    decision, said, truth = layout.monitor.decision, layout.answer, layout.label
    if layout.monitor.task is Task.BINARY and decision is not None:
        yes, no = literal(decision.positive), literal(f"not {decision.positive}")
        said = f"CASE WHEN {layout.positive} THEN {yes} ELSE {no} END"
        truth = f"CASE WHEN {layout.label} = {yes} THEN {yes} ELSE {no} END"
    sql = (
        f"SELECT {_who(layout)}, {said} AS p, {truth} AS t, count(*) AS n FROM night "
        f"WHERE {layout.label} IS NOT NULL AND {layout.answer} IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    found: dict[By, dict[str, int]] = {}
    for row in dicts(layout.db, sql):
        found.setdefault((row["v"], Role(row["r"])), {})[f"{row['p']}\t{row['t']}"] = row["n"]
    return found


def _scores(layout: Layout) -> dict[By, dict[str, tuple[int, ...]]]:
    x, decision = layout.score, layout.monitor.decision
    if x is None or decision is None:
        return {}
    truth = (
        f"CASE WHEN {layout.label} IS NULL THEN 'none' "
        f"WHEN {layout.label} = {literal(decision.positive)} THEN '1' ELSE '0' END"
    )
    sql = (
        f"SELECT {_who(layout)}, {truth} AS t, "
        f"histogram(CASE WHEN isfinite({x}) THEN {x} END, $edges) AS bins FROM night GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    found: dict[By, dict[str, tuple[int, ...]]] = {}
    for row in dicts(layout.db, sql, {"edges": list(SCORE_EDGES)}):
        found.setdefault((row["v"], Role(row["r"])), {})[row["t"]] = bins_of(row["bins"], SCORE_EDGES)
    return found


def _score_sums(layout: Layout) -> dict[By, tuple[float, float]]:
    """Exact sums of log loss and squared error over labelled rows with a score."""
    x, decision = layout.score, layout.monitor.decision
    if x is None or decision is None:
        return {}
    truth = f"CAST({layout.label} = {literal(decision.positive)} AS INTEGER)"
    p = f"least(greatest({x}, CAST('{CLIP!r}' AS DOUBLE)), 1 - CAST('{CLIP!r}' AS DOUBLE))"
    sql = (
        f"SELECT {_who(layout)}, sum(-({truth} * ln({p}) + (1 - {truth}) * ln(1 - {p}))) AS ll, "
        f"sum(({x} - {truth}) * ({x} - {truth})) AS sq "
        f"FROM night WHERE {layout.label} IS NOT NULL AND isfinite({x}) GROUP BY 1, 2"
    )
    return {(row["v"], Role(row["r"])): (row["ll"] or 0.0, row["sq"] or 0.0) for row in dicts(layout.db, sql)}


def _errors(layout: Layout) -> dict[By, Errors]:
    """Sums of the error e = prediction - label of a regression."""
    if layout.monitor.task is not Task.REGRESSION:
        return {}
    y, p = "TRY_CAST(label AS DOUBLE)", f"TRY_CAST({quoted(layout.monitor.data.prediction)} AS DOUBLE)"
    share = f"(({p} - {y}) / {y})"
    sql = (
        f"SELECT {_who(layout)}, count(*) AS n, sum({p} - {y}) AS total, sum(abs({p} - {y})) AS absolute, "
        f"sum(({p} - {y}) * ({p} - {y})) AS squared, sum({y}) AS label_total, sum({y} * {y}) AS label_squared, "
        f"count(*) FILTER ({y} <> 0) AS relative_n, coalesce(sum(abs({share})) FILTER ({y} <> 0), 0) AS relative, "
        f"coalesce(sum({share} * {share}) FILTER ({y} <> 0), 0) AS relative_squared "
        f"FROM night WHERE isfinite({y}) AND isfinite({p}) GROUP BY 1, 2"
    )
    return {
        (row["v"], Role(row["r"])): Errors(**{k: row[k] for k in Errors.model_fields}) for row in dicts(layout.db, sql)
    }
