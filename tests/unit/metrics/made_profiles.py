"""Profiles made from numpy arrays, independently of the scan, so that metrics can be held against raw rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vigil.core.words import Task
from vigil.metrics.types import View
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES, edges_digest, fit, tails
from vigil.profiles.layout import Decision, Protected
from vigil.profiles.types import (
    CategoryColumn,
    Cell,
    Columns,
    Contribution,
    Edges,
    Errors,
    NumericColumn,
    Outcome,
    Profile,
    Service,
)

DECISION = Decision(positive="1", favourable="0", deserving="0")
SEX = Protected(attribute="sex", reference="male")


def bins(values: np.ndarray, edges: Sequence[float]) -> tuple[int, ...]:
    """Counts of finite values; bin j is edges[j-1] < x <= edges[j]."""
    finite = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, finite, side="left"), minlength=len(edges) + 1)
    return tuple(int(c) for c in counts)


def numeric(values: np.ndarray, edges: Sequence[float], *, nulls: int = 0, wrong_type: int = 0) -> NumericColumn:
    finite = values[np.isfinite(values)]
    return NumericColumn(
        rows=len(values) + nulls + wrong_type,
        nulls=nulls,
        wrong_type=wrong_type,
        nans=int(np.isnan(values).sum()),
        infs=int(np.isinf(values).sum()),
        bins=bins(values, edges),
        total=float(finite.sum()),
        total_sq=float((finite**2).sum()),
        tail_rows=int(finite.size),
        low_tail=float(finite[finite <= tails(edges)[0]].sum()),
        high_tail=float(finite[finite > tails(edges)[1]].sum()),
        smallest=float(finite.min()) if finite.size else None,
        largest=float(finite.max()) if finite.size else None,
    )


def category(values: Sequence[str | None], levels: Sequence[str]) -> CategoryColumn:
    counts = Counter(values)
    new = {k: n for k, n in counts.items() if k is not None and k not in levels}
    return CategoryColumn(
        rows=len(values),
        nulls=counts[None],
        levels={k: counts[k] for k in levels if counts[k]},
        new=sum(new.values()),
        new_examples=tuple(sorted(new))[:5],
    )


@dataclass
class Rows:
    """Rows of a binary model: score, label (nan: not known yet), sex, one numeric and one category feature."""

    score: np.ndarray
    label: np.ndarray
    sex: np.ndarray
    x: np.ndarray
    c: Sequence[str | None]
    latency: np.ndarray = field(default_factory=lambda: np.array([]))

    @property
    def positive(self) -> np.ndarray:
        return self.score >= 0.5

    @property
    def known(self) -> np.ndarray:
        return np.isfinite(self.label)


def drawn(seed: int, n: int = 400, *, shift: float = 0.0, labelled: float = 1.0, hurt: float = 0.0) -> Rows:
    """A night: `shift` moves x by so many sd, `hurt` adds to the scores of women (1 is denied)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1.0, n)
    sex = np.where(rng.random(n) < 0.4, "female", "male")
    logit = 0.8 * x - 0.5 + hurt * (sex == "female") + rng.normal(0, 0.7, n)
    score = 1 / (1 + np.exp(-logit))
    label = (rng.random(n) < score).astype(float)
    label[rng.random(n) >= labelled] = np.nan
    c = [("a", "b", "c")[i] for i in rng.integers(0, 3, n)]
    return Rows(score=score, label=label, sex=sex, x=x, c=c, latency=rng.lognormal(4.0, 0.5, n))


EDGES = fit(drawn(1, 2000).x, 31)
FITTED = Edges(numeric={"x": EDGES}, levels={"c": ("a", "b", "c")})
DIGEST = edges_digest(FITTED)
VIEW = View(
    task=Task.BINARY,
    features={"x": "numeric", "c": "category"},
    decision=DECISION,
    protected=(SEX,),
    latency_ms=(LATENCY_EDGES_MS[50], 100.0),
    strata="c",
    expected_versions=("2",),
)


def cell(rows: Rows, who: np.ndarray) -> Cell:
    known = who & rows.known
    bad, positive = rows.label == 1, rows.positive
    return Cell(
        n=int(who.sum()),
        favourable=int((who & ~positive).sum()),
        labelled=int(known.sum()),
        tp=int((known & bad & positive).sum()),
        fp=int((known & ~bad & positive).sum()),
        fn=int((known & bad & ~positive).sum()),
        tn=int((known & ~bad & ~positive).sum()),
        deserving=int((known & ~bad).sum()),
        favourable_deserving=int((known & ~bad & ~positive).sum()),
    )


def outcome(rows: Rows) -> Outcome:
    said, known = rows.positive.astype(int), rows.known
    pairs = Counter(f"{p}\t{int(y)}" for p, y in zip(said[known], rows.label[known], strict=True))
    p, y = np.clip(rows.score[known], 1e-15, 1 - 1e-15), rows.label[known]
    return Outcome(
        labelled=int(known.sum()),
        scores={str(k): bins(rows.score[rows.label == k], SCORE_EDGES) for k in (0, 1)},
        confusion=dict(pairs),
        predictions={str(k): int(n) for k, n in Counter(said.tolist()).items()},
        log_loss=float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum()),
        brier=float(((p - y) ** 2).sum()),
    )


def columns(rows: Rows, who: np.ndarray | None = None, edges: Sequence[float] = EDGES) -> Columns:
    who = np.ones(len(rows.x), bool) if who is None else who
    c = [v for v, seen in zip(rows.c, who, strict=True) if seen]
    return Columns(numeric={"x": numeric(rows.x[who], edges)}, category={"c": category(c, ("a", "b", "c"))})


def contributions(rows: Rows) -> dict[str, Contribution]:
    """As if x moved the score by 0.8 per unit and c by the index of its level."""
    parts = {"x": 0.8 * rows.x, "c": np.array([0.1 * ("abc".find(v or "a") - 1) for v in rows.c])}
    return {
        f: Contribution(n=len(v), total=float(v.sum()), absolute=float(np.abs(v).sum()), squared=float((v**2).sum()))
        for f, v in parts.items()
    }


def group_scores(rows: Rows) -> dict[str, dict[str, tuple[int, ...]]]:
    """By group and label, on the score's edges."""
    kinds = {"1": rows.label == 1, "0": rows.label == 0, "none": ~rows.known}
    groups = sorted(set(rows.sex.tolist()))
    return {
        f"sex={g}": {k: bins(rows.score[(rows.sex == g) & who], SCORE_EDGES) for k, who in kinds.items()}
        for g in groups
    }


def strata(rows: Rows) -> dict[str, dict[str, tuple[int, int]]]:
    """Level of c -> sex -> (decisions, favourable)."""
    level = np.array([v or "" for v in rows.c])
    return {
        c: {
            g: (
                int(((level == c) & (rows.sex == g)).sum()),
                int(((level == c) & (rows.sex == g) & ~rows.positive).sum()),
            )
            for g in sorted(set(rows.sex.tolist()))
        }
        for c in sorted(set(level.tolist()))
    }


def profile(rows: Rows, *, edges: Sequence[float] = EDGES, digest: str = DIGEST) -> Profile:
    groups = {g: rows.sex == g for g in sorted(set(rows.sex.tolist()))}
    n = len(rows.score)
    return Profile(
        monitor="m",
        environment="test",
        task=Task.BINARY,
        edges_digest=digest,
        rows=n,
        duplicates=n // 50,
        columns=columns(rows, edges=edges),
        prediction=Columns(numeric={"score": numeric(rows.score, SCORE_EDGES)}),
        groups={"sex": {g: cell(rows, who) for g, who in groups.items()}},
        group_columns={f"sex={g}": columns(rows, who, edges) for g, who in groups.items()},
        service=Service(requests=n, ok=n - 3, errors=2, timeouts=1, latency_bins=bins(rows.latency, LATENCY_EDGES_MS)),
        outcome=outcome(rows),
        versions={"2": n},
        contributions=contributions(rows),
        group_scores=group_scores(rows),
        strata={"sex": strata(rows)},
    )


def counted_errors(prediction: np.ndarray, label: np.ndarray) -> Errors:
    e = prediction - label
    return Errors(
        n=len(e),
        total=float(e.sum()),
        absolute=float(np.abs(e).sum()),
        squared=float((e**2).sum()),
        label_total=float(label.sum()),
        label_squared=float((label**2).sum()),
    )


def regression(prediction: np.ndarray, label: np.ndarray) -> Profile:
    return Profile(
        monitor="m",
        environment="test",
        task=Task.REGRESSION,
        edges_digest="e",
        rows=len(label),
        outcome=Outcome(labelled=len(label), errors=counted_errors(prediction, label)),
    )


def multiclass(predicted: Sequence[str], label: Sequence[str]) -> Profile:
    confusion: Mapping[str, int] = Counter(f"{p}\t{y}" for p, y in zip(predicted, label, strict=True))
    return Profile(
        monitor="m",
        environment="test",
        task=Task.MULTICLASS,
        edges_digest="e",
        rows=len(label),
        outcome=Outcome(labelled=len(label), confusion=confusion, predictions=Counter(predicted)),
    )
