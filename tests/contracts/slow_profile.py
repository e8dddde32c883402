"""The profile of a night, counted slowly and plainly from rows: what a scanner must agree with, cell by cell."""

import hashlib
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import date
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

from vigil.config.schema import Monitor
from vigil.core.window import Window
from vigil.profiles.aggregates import EXAMPLE_LENGTH, EXAMPLES, HASHES
from vigil.profiles.edges import LATENCY_EDGES_MS, SCORE_EDGES, edges_digest
from vigil.profiles.types import Edges

Row = dict[str, Any]
CLIP = 1e-15


def text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
    if not isinstance(value, str):
        return str(int(value)) if whole else str(value)
    stripped = normalize("NFC", value.strip())
    return {"true": "1", "false": "0", "": None}.get(stripped, stripped)


def number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def finite(values: list[Any]) -> list[float]:
    return [x for x in map(number, values) if x is not None and math.isfinite(x)]


def binned(values: list[float], edges: Any) -> list[int]:
    counts = Counter(bisect_left(edges, x) for x in values)
    return [counts[j] for j in range(len(edges) + 1)]


def named(value: Any) -> str:
    found = text(value)
    return "(missing)" if found is None else found


def numeric(values: list[Any], edges: Any) -> Row:
    numbers = [number(v) for v in values]
    real = finite(values)
    return {
        "rows": len(values),
        "nulls": sum(v is None for v in values),
        "nans": sum(x is not None and math.isnan(x) for x in numbers),
        "infs": sum(x is not None and math.isinf(x) for x in numbers),
        "wrong_type": sum(v is not None and x is None for v, x in zip(values, numbers, strict=True)),
        "bins": binned(real, edges),
        "total": math.fsum(real),
        "total_sq": math.fsum(x * x for x in real),
        "tail_rows": len(real),
        "low_tail": math.fsum(x for x in real if x <= (edges[1] if len(edges) > 2 else edges[0])),
        "high_tail": math.fsum(x for x in real if x > (edges[-2] if len(edges) > 2 else edges[-1])),
        "smallest": min(real, default=None),
        "largest": max(real, default=None),
    }


def category(values: list[Any], name: str, edges: Edges) -> Row:
    texts = [text(v) for v in values]
    known, tail = set(edges.levels[name]), set(edges.tails.get(name, ()))
    unknown = [t for t in texts if t is not None and t not in known and t not in tail]
    new = [] if name in edges.open else unknown
    hashes = {int.from_bytes(hashlib.md5(t.encode()).digest()[8:], "little") for t in new}
    return {
        "rows": len(texts),
        "nulls": texts.count(None),
        "levels": dict(Counter(t for t in texts if t in known)),
        "other": sum(t in tail for t in texts) + len(unknown) - len(new),
        "new": len(new),
        "new_hashes": sorted(hashes)[:HASHES],
        "new_examples": sorted({t[:EXAMPLE_LENGTH] for t in new})[:EXAMPLES],
    }


def features(rows: list[Row], monitor: Monitor, edges: Edges) -> Row:
    kinds = monitor.features
    return {
        "numeric": {n: numeric([r[n] for r in rows], edges.numeric[n]) for n in kinds if kinds[n] == "numeric"},
        "category": {n: category([r[n] for r in rows], n, edges) for n in kinds if kinds[n] == "category"},
    }


# what a row says


class Said:
    """One row as the monitor reads it."""

    def __init__(self, row: Row, monitor: Monitor) -> None:
        data, decision = monitor.data, monitor.decision
        self.row, self.answer, self.label = row, text(row[data.prediction]), text(row["label"])
        if self.label is not None and not self.label.strip():
            self.label = None
        self.neither = None
        if decision is not None and monitor.task == "binary" and self.label not in ("0", "1", None):
            self.neither, self.label = self.label, None
        self.score = number(row[data.score]) if data.score and monitor.task == "binary" else None
        if self.score is not None and not math.isfinite(self.score):
            self.score = None
        self.favourable = decision is not None and self.answer == decision.favourable
        self.positive = decision is not None and self.answer == decision.positive
        if decision is not None and decision.favourable != decision.deserving:
            self.positive = self.favourable is (decision.deserving == decision.positive)
        self.decided: bool | None = self.positive
        if decision is not None and decision.favourable == decision.deserving != decision.positive:
            self.decided = self.positive if self.answer in (decision.positive, decision.favourable) else None
        if self.score is not None and decision is not None:
            self.positive = self.score >= decision.threshold
        self.true = decision is not None and self.label == decision.positive
        self.deserving = decision is not None and self.label == decision.deserving
        self.both = self.answer is not None and self.label is not None
        weight = number(row.get(data.sampling_weight)) if data.sampling_weight else None
        self.weight = weight if weight is not None and math.isfinite(weight) and weight >= 0 else None


def cell(said: list[Said]) -> Row:
    answered = [s for s in said if s.answer is not None]
    both = [s for s in answered if s.both]
    return {
        "n": len(answered),
        "favourable": sum(s.favourable for s in answered),
        "labelled": len(both),
        "tp": sum(s.positive and s.true for s in both),
        "fp": sum(s.positive and not s.true for s in both),
        "tn": sum(not s.positive and not s.true for s in both),
        "fn": sum(not s.positive and s.true for s in both),
        "deserving": sum(s.deserving for s in both),
        "favourable_deserving": sum(s.favourable and s.deserving for s in both),
    }


def by(said: list[Said], key: Any) -> dict[Any, list[Said]]:
    found = defaultdict(list)
    for s in said:
        found[key(s)].append(s)
    return dict(found)


def cells(said: list[Said], key: Any) -> Row:
    return {group: c for group, part in by(said, key).items() for c in [cell(part)] if c["n"]}


def pair(said: list[Said]) -> list[int]:
    answered = [s for s in said if s.answer is not None]
    return [len(answered), sum(s.favourable for s in answered)]


def scores(said: list[Said], values: Any) -> Row:
    def truth(s: Said) -> str:
        return "none" if s.label is None else "1" if s.true else "0"

    return {t: values([s for s in part if s.score is not None]) for t, part in by(said, truth).items()}


def overruled(said: list[Said], values: Any) -> Row:
    against = [s for s in said if s.answer is not None and s.score is not None and s.decided in (True, False)]
    against = [s for s in against if s.decided is not s.positive]
    return {side: values(part) for side, part in by(against, lambda s: "1" if s.decided else "0").items()}


def counted(said: list[Said]) -> list[int]:
    return binned([s.score for s in said], SCORE_EDGES)


def weighed(said: list[Said]) -> list[float]:
    bins = [0.0] * (len(SCORE_EDGES) + 1)
    for s in said:
        bins[bisect_left(SCORE_EDGES, s.score)] += s.weight or 0
    return bins


# the parts of a profile


def outcome(said: list[Said], monitor: Monitor) -> Row:
    both, answered = [s for s in said if s.both], [s for s in said if s.answer is not None]
    scored = [s for s in said if s.label is not None and s.score is not None]
    clipped = [(s, min(max(s.score, CLIP), 1 - CLIP)) for s in scored]
    binary, classes = monitor.task == "binary", monitor.task != "regression"
    yes = monitor.decision.positive if monitor.decision else ""

    def confused(s: Said) -> str:
        words = (yes if s.positive else f"not {yes}", yes if s.true else f"not {yes}")
        return "\t".join(words if binary else (s.answer, s.label))

    weights = by([s for s in both if s.weight is not None], confused) if classes else {}
    weighing = monitor.data.sampling_weight is not None
    return {
        "labelled": len(both),
        "contradictory": sum(s.row["contradictory"] for s in answered),
        "scores": scores(said, counted) if binary else {},
        "confusion": dict(Counter(map(confused, both))) if classes else {},
        "predictions": dict(Counter(s.answer for s in answered)) if classes else {},
        "log_loss": math.fsum(-math.log(p if s.true else 1 - p) for s, p in clipped),
        "brier": math.fsum((s.score - s.true) ** 2 for s in scored),
        "errors": errors(said, monitor),
        "ranks": ranks(both, monitor),
        "weighted": {k: [sum(s.weight for s in p), sum(s.weight**2 for s in p)] for k, p in weights.items()},
        "weighted_scores": scores(said, weighed) if binary and weighing else {},
        "overruled": overruled(said, counted) if binary and monitor.data.score else {},
        "weighted_overruled": overruled(said, weighed) if binary and monitor.data.score and weighing else {},
        "weighted_losses": losses(clipped, scored) if binary and weighing else {},
        "neither": sum(s.neither is not None for s in answered),
        "neither_examples": sorted({s.neither for s in answered if s.neither is not None})[:5],
        "bad_weights": sum(s.weight is None for s in both) if weighing else 0,
    }


def losses(clipped: list[tuple[Said, float]], scored: list[Said]) -> Row:
    usable = [s for s in scored if s.weight is not None]
    each = {
        "log_loss": [-math.log(p if s.true else 1 - p) * s.weight for s, p in clipped if s.weight is not None],
        "brier": [(s.score - s.true) ** 2 * s.weight for s in usable],
    }
    total = math.fsum(s.weight for s in usable)
    return {name: [math.fsum(found), total] for name, found in each.items()} if usable else {}


def ranks(both: list[Said], monitor: Monitor) -> Row:
    name = monitor.data.ranking
    found: Counter[str] = Counter()
    for s in both if name else ():
        if text(s.row[name]) is not None:
            order = [part.strip() for part in s.row[name].split("|")]
            place = order.index(s.label) + 1 if s.label in order else 11
            found[str(place) if place <= 10 else "beyond"] += 1
    return dict(found)


def errors(said: list[Said], monitor: Monitor) -> Row:
    pairs = [(number(s.row[monitor.data.prediction]), number(s.row["label"])) for s in said]
    if monitor.task != "regression":
        pairs = []
    real = [(p, y) for p, y in pairs if p is not None and y is not None and math.isfinite(p) and math.isfinite(y)]
    shares = [(p - y) / y for p, y in real if y != 0]
    return {
        "n": len(real),
        "total": math.fsum(p - y for p, y in real),
        "absolute": math.fsum(abs(p - y) for p, y in real),
        "squared": math.fsum((p - y) ** 2 for p, y in real),
        "label_total": math.fsum(y for _, y in real),
        "label_squared": math.fsum(y * y for _, y in real),
        "relative": math.fsum(map(abs, shares)),
        "relative_squared": math.fsum(x * x for x in shares),
        "relative_n": len(shares),
    }


def service(rows: list[Row], monitor: Monitor) -> Row:
    data = monitor.data
    status = Counter(r[data.status] for r in rows)
    return {
        "requests": len(rows),
        "ok": status["ok"],
        "timeouts": status["timeout"],
        "errors": len(rows) - status["ok"] - status["timeout"],
        "other_words": len(rows) - status["ok"] - status["timeout"] - status["error"],
        "fallback": sum(r[data.role] == "fallback" for r in rows),
        "latency_bins": binned(finite([r[data.latency_ms] for r in rows]), LATENCY_EDGES_MS),
    }


def sums(said: list[Said], monitor: Monitor) -> Row:
    answered = [s for s in said if s.answer is not None]
    parts = {"all": said}
    if monitor.decision:
        parts["favourable"] = [s for s in answered if s.favourable]
        parts["unfavourable"] = [s for s in answered if not s.favourable]
    if monitor.task == "binary":
        both = [s for s in said if s.both]
        for name, positive, true in (("tp", 1, 1), ("fp", 1, 0), ("fn", 0, 1), ("tn", 0, 0)):
            parts[name] = [s for s in both if (s.positive, s.true) == (positive, true)]
    return {
        n: {p: math.fsum(known) for p, part in parts.items() for known in [finite([s.row[n] for s in part])]
            if known or not part}
        for n in monitor.sums
    }  # fmt: skip


def flags(rows: list[Row], monitor: Monitor) -> Row:
    yes, no = {"1", "true", "yes", "t", "y"}, {"0", "false", "no", "f", "n"}
    found = {}
    for name in (n for columns in monitor.flags.values() for n in columns):
        words = [(text(r[name]) or "").strip().lower() for r in rows]
        found[name] = [sum(w in yes for w in words), sum(w in yes | no for w in words)]
    return found


def contributions(rows: list[Row], monitor: Monitor) -> Row:
    found = {}
    for name in monitor.features:
        if f"contrib__{name}" in rows[0]:
            real = finite([r[f"contrib__{name}"] for r in rows])
            found[name] = {
                "n": len(real),
                "total": math.fsum(real),
                "absolute": math.fsum(map(abs, real)),
                "squared": math.fsum(x * x for x in real),
            }
    return found


def prediction(rows: list[Row], monitor: Monitor, edges: Edges) -> Row:
    data, found = monitor.data, {}
    if monitor.task == "binary" and data.score:
        found = {"score": numeric([r[data.score] for r in rows], SCORE_EDGES)}
    elif monitor.task == "regression":
        found = {"prediction": numeric([r[data.prediction] for r in rows], edges.numeric[data.prediction])}
    return {"numeric": found, "category": {}}


def key_of(row: Row, monitor: Monitor) -> tuple[Any, bool]:
    """What tells two rows of a night apart; a row without an id is like no other one."""
    named = row[monitor.data.prediction_id]
    return (named if named and named.strip() else None, row[monitor.data.role] == "challenger")


def content(row: Row, monitor: Monitor) -> dict[str, str]:
    """What the monitor reads of a row; NaN is like NaN."""
    declared = [*filter(None, monitor.data.model_dump().values()), *monitor.features, *monitor.sums, monitor.strata]
    declared += [p.attribute for p in monitor.protected] + [c for each in monitor.flags.values() for c in each]
    declared += [f"contrib__{name}" for name in monitor.features]
    return {name: repr(row[name]) for name in declared if name in row}


def earliest(rows: list[Row], monitor: Monitor) -> dict[Any, Row]:
    """The row that stays of each id; rows without an id all stay."""
    first: dict[Any, Row] = {}
    for r in rows:
        key = key_of(r, monitor)
        if key[0] is None:
            key = (None, len(first))
        if key not in first or r[monitor.data.served_at] < first[key][monitor.data.served_at]:
            first[key] = r
    return first


def profile(
    rows: list[Row], monitor: Monitor, edges: Edges, night: date, apart: list[Row], kept: dict[Any, Row]
) -> Row:
    """Of the rows of one version and role, each once, with `label`, `contradictory` and served_at.

    apart: the rows that were left out because their id is that of a row in `kept`.
    """
    data, zone = monitor.data, ZoneInfo(monitor.timezone)
    said = [Said(r, monitor) for r in rows]
    attributes = [p.attribute for p in monitor.protected]
    groups = {a: by(said, lambda s, a=a: named(s.row[a])) for a in attributes}
    hours = by(said, lambda s: str(s.row[data.served_at].astimezone(zone).hour))
    binary = monitor.task == "binary"

    def in_hour(part: list[Said]) -> Row:
        found = {"all": pair(part)}
        for a in attributes:
            found |= {f"{a}={g}": pair(p) for g, p in by(part, lambda s, a=a: named(s.row[a])).items()}
        return {g: counts for g, counts in found.items() if counts[0]}

    return {
        "schema_version": 5, "monitor": monitor.model, "environment": monitor.environment, "task": monitor.task,
        "nights": [night.isoformat()], "roles": [rows[0][data.role]],
        "versions": {named(rows[0][data.model_version]): len(rows)},
        "pipelines": dict(Counter(text(r.get(data.pipeline_version)) or "" for r in rows)),
        "edges_digest": edges_digest(edges), "rows": len(rows), "duplicates": len(apart),
        "conflicting": sum(content(r, monitor) != content(kept[key_of(r, monitor)], monitor) for r in apart),
        "unnamed": sum(r[data.prediction_id] is None or not r[data.prediction_id].strip() for r in rows),
        "columns": features(rows, monitor, edges),
        "prediction": prediction(rows, monitor, edges),
        "groups": {a: cells(said, lambda s, a=a: named(s.row[a])) for a in attributes} if binary else {},
        "group_columns": {
            f"{a}={g}": features([s.row for s in part], monitor, edges)
            for a in attributes
            for g, part in groups[a].items()
        },
        "hours": {h: found for h, part in hours.items() for found in [in_hour(part)] if found},
        "service": service(rows, monitor),
        "outcome": outcome(said, monitor),
        "group_scores": {
            f"{a}={g}": scores(part, counted) for a in attributes for g, part in groups[a].items()
        } if binary and data.score else {},
        "group_overruled": {
            f"{a}={g}": found for a in attributes for g, part in groups[a].items()
            for found in [overruled(part, counted)] if found
        } if binary and data.score else {},
        "crossed": {
            f"{a}+{b}": cells(said, lambda s, a=a, b=b: f"{named(s.row[a])}+{named(s.row[b])}")
            for a, b in monitor.intersections
        } if binary else {},
        "strata": {
            a: {
                level: {g: counts for g, p in by(part, lambda s, a=a: named(s.row[a])).items()
                        for counts in [pair(p)]}
                for level, part in by([s for s in said if s.answer is not None],
                                      lambda s: named(s.row[monitor.strata])).items()
            }
            for a in attributes
        } if monitor.strata else {},
        "contributions": contributions(rows, monitor),
        "flags": flags(rows, monitor),
        "sums": sums(said, monitor),
        "hours_service": {
            h: [len(part), sum(s.row[data.status] != "ok" for s in part)] for h, part in hours.items()
        },
    }  # fmt: skip


def night_of(
    rows: list[Row], outcomes: list[Row], monitor: Monitor, edges: Edges, window: Window, night: date
) -> dict[tuple[str, str], Row]:
    """(version, role) -> the profile of what a log says of a night."""
    data = monitor.data
    mine = [
        r for r in rows if r["environment"] == monitor.environment and window.start <= r[data.served_at] < window.end
    ]
    first = earliest(mine, monitor)
    stays = {id(r) for r in first.values()}
    known = defaultdict(list)
    for o in outcomes:
        if text(o["label"]) is not None:
            known[str(o["prediction_id"])].append((o["observed_at"], text(o["label"])))
    whole = []
    for r in first.values():
        labels = known.get(str(r[data.prediction_id]), []) if key_of(r, monitor)[0] else []
        last = max(labels)[1] if labels else None
        whole.append({**r, "label": last, "contradictory": len({label for _, label in labels}) > 1})

    def who(r: Row) -> tuple[str, str]:
        return named(r[data.model_version]), r[data.role]

    apart = defaultdict(list)
    for r in mine:
        if id(r) not in stays:
            apart[who(r)].append(r)
    found = defaultdict(list)
    for r in whole:
        found[who(r)].append(r)
    return {w: profile(part, monitor, edges, night, apart[w], first) for w, part in found.items()}
