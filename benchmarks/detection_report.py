"""What `make bench-detection` found, as numbers by method and regime, and as the table of docs/detection.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from vigil.incidents.types import Severity
from vigil.simulation.regimes import load

PAGE = Path(__file__).resolve().parents[1] / "docs" / "detection.md"
VIGIL, INIT = "Vigil, all default rules", "Vigil, as `vigil init` drafts it"
REGIMES = ("iid", "real", "common", "hard")
YEAR = 365.25


def upper(bad: int, of: int) -> float:
    """Upper 95 % limit of a share (exact, one-sided 97.5 %)."""
    from scipy.stats import beta

    return 1.0 if bad >= of else float(beta.ppf(0.975, bad + 1, of - bad))


def upper_rate(count: int, years: float) -> float:
    """Upper 95 % limit of a rate a year."""
    from scipy.stats import chi2

    return float(chi2.ppf(0.975, 2 * (count + 1)) / 2 / years) if years else float("inf")


def summary(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of detection.json: by method, regime and rows a night."""
    calm = [t for t in results if "nights" in t]
    runs = [t for t in results if "runs" in t]
    rows: list[Any] = []
    for regime in REGIMES:
        for drafted, method in ((False, VIGIL), (True, INIT)):
            mine = [t for t in calm if t["regime"] == regime and t["drafted"] == drafted]
            rows += _of_vigil(method, regime, mine, [t for t in runs if t["drafted"] == drafted])
        rows += _peers(regime, [t for t in calm if t["regime"] == regime and t["peers"]], runs)
    return rows


def _of_vigil(
    method: str, regime: str, calm: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """By rows a night, and of all of them."""
    for size in (*sorted({t["rows"] for t in calm}), None):
        mine = [t for t in calm if size in (None, t["rows"])]
        if mine:
            row = _vigil_quiet(mine, method, regime, size)
            if regime == "real" and size == 10_000:
                row["detection"] = _detection([r for t in runs for r in t["runs"]])
            yield row


def _vigil_quiet(mine: Sequence[Mapping[str, Any]], method: str, regime: str, size: int | None) -> dict[str, Any]:
    nights = [n for t in mine for n in t["nights"]]
    loud = sum(bool(n["alarms"] or n["tickets"]) for n in nights)
    years = len(nights) / YEAR
    incidents = [i for t in mine for i in t["incidents"]]
    tickets = sum(i[1] == Severity.SEV4 for i in incidents)
    due, unknown = sum(n["due"] for n in nights), sum(len(n["unknown"]) for n in nights)
    return {
        "method": method, "regime": regime, "rows": size or "all", "models": len(mine), "model_nights": len(nights),
        "quiet_alarm_share": loud / len(nights), "quiet_alarm_upper95": upper(loud, len(nights)),
        "unknown_share": unknown / due, "incidents_per_year": (len(incidents) - tickets) / years,
        "incidents_upper95": upper_rate(len(incidents) - tickets, years), "tickets_per_year": tickets / years,
        "any_incident_per_year": len(incidents) / years,
        "alarms_of": dict(sorted(_count(a.split("/")[0] for n in nights for a in n["alarms"]).items())),
    }  # fmt: skip


def _count(names: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    return counts


def _detection(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    detection: dict[str, Any] = {}
    for name in dict.fromkeys(r["fault"] for r in runs):
        mine = [r for r in runs if r["fault"] == name]
        first = [min((r[w] for w in ("warn", "ticket") if r[w]), default=None) for r in mine]
        detection_nights = [f for f in first if f is not None]
        detection[name] = {
            "runs": len(mine),
            "share_night1": sum(f == 1 for f in first) / len(mine),
            "share_by_night3": sum(f is not None and f <= 3 for f in first) / len(mine),
            "share_by_night10": sum(f is not None and f <= 10 for f in first) / len(mine),
            "breach_by_night3": sum(bool(r["breach"]) and r["breach"] <= 3 for r in mine) / len(mine),
            "median_nights": median(detection_nights) if detection_nights else None,
            "trial_nights": mine[0]["trial_nights"],
            "missed": sorted({r["feature"] or "" for r, f in zip(mine, first, strict=True) if f is None}),
            "night1_by_feature": _by_feature([r["feature"] or "all" for r in mine], [f == 1 for f in first]),
        }
    return detection


def _by_feature(features: Sequence[str], hits: Sequence[bool]) -> dict[str, str]:
    """Feature -> "found of runs", of those where not every run found it on the first night."""
    hits_by_feature = {
        name: [h for f, h in zip(features, hits, strict=True) if f == name] for name in dict.fromkeys(features)
    }
    return {name: f"{sum(of)} of {len(of)}" for name, of in hits_by_feature.items() if not all(of)}


def _peers(regime: str, calm: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not calm:
        return []
    rows = []
    for method in [m for m in calm[0]["peers"] if m != "checked"]:
        nights = [flags for t in calm for flags in t["peers"][method]]
        loud = sum(bool(f) for f in nights)
        row: dict[str, Any] = {
            "method": method, "regime": regime, "rows": "all", "models": len(calm), "model_nights": len(nights),
            "quiet_alarm_share": loud / len(nights), "quiet_alarm_upper95": upper(loud, len(nights)),
            "unknown_share": 0.0, "incidents_per_year": None, "tickets_per_year": None,
        }  # fmt: skip
        if regime == "real":
            row["detection"] = _peer_detection(method, [r for t in runs for r in t["peers"]])
        if method == "Evidently default":
            same = [s for t in calm for s in t["peers"]["checked"]]
            row["checked_against_the_package"] = f"{sum(same)} of {len(same)} column verdicts equal"
        rows.append(row)
    return rows


def _peer_detection(method: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    detection = {}
    for name in dict.fromkeys(r["fault"] for r in runs):
        first = [r["first"].get(method) for r in runs if r["fault"] == name]
        detection_nights = [f for f in first if f is not None]
        detection[name] = {
            "runs": len(first), "share_night1": sum(f == 1 for f in first) / len(first),
            "share_by_night3": sum(f is not None and f <= 3 for f in first) / len(first),
            "share_by_night10": len(detection_nights) / len(first),
            "median_nights": median(detection_nights) if detection_nights else None,
        }  # fmt: skip
    return detection


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Two tables in Markdown: quiet nights, and faults."""
    lines = _head("method", "regime", "rows a night", "model-nights", "quiet nights with an alarm", "incidents a year",
                  "tickets a year", "unknown")  # fmt: skip
    for r in rows:
        alarm = f"{r['quiet_alarm_share']:.1%} (at most {r['quiet_alarm_upper95']:.1%})"
        rates = [f"{r[k]:.2g}" if r[k] is not None else "" for k in ("incidents_per_year", "tickets_per_year")]
        unknown = f"{r['unknown_share']:.2%}" if r["method"] in (VIGIL, INIT) else ""
        lines.append(_line(r["method"], r["regime"], r["rows"], f"{r['model_nights']:,}", alarm, *rates, unknown))
    lines += ["", *_head("fault, 10,000 rows, `real`", "method", "runs", "night 1", "by night 3", "breach by night 3",
                         "by night 10", "median")]  # fmt: skip
    detections = [(name, r["method"], d) for r in rows for name, d in r.get("detection", {}).items()]
    for name, method, d in sorted(
        detections, key=lambda t: (list(load().trials).index(t[0]), t[1] != VIGIL, t[1] != INIT)
    ):
        breach = f"{d['breach_by_night3']:.0%}" if "breach_by_night3" in d else ""
        night = f"{d['median_nights']:g}" if d["median_nights"] else "never"
        shares = [f"{d[k]:.1%}" for k in ("share_night1", "share_by_night3", "share_by_night10")]
        lines.append(_line(name, method, d["runs"], *shares[:2], breach, shares[2], night))
    return lines


def _head(*names: str) -> list[str]:
    return [_line(*names), _line(*("---" for _ in names))]


def _line(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def written(lines: Sequence[str]) -> None:
    """Puts the tables between the marks of the page."""
    begin, end = "<!-- results -->", "<!-- /results -->"
    page = PAGE.read_text()
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text("\n".join([head + begin, *lines, end]) + tail)
