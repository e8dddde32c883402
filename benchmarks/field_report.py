"""The bars of `make bench-field` and its tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COVERED, LIKE, QUIET, RUNS = 0.90, 0.95, 0.01, 200
FOUND_BY, TOLD_BY = 3, 4  # nights with the fault
Told = Sequence[Mapping[str, Any]]


def bars(results: Told) -> list[dict[str, Any]]:
    """What was promised, what was measured, and whether it holds. A job that failed fails its bar."""
    return [
        *_coverage_bar(results),
        *_fault_bars(results),
        *_quiet_bar(results),
        *_endless_bar(results),
        *_ways_bar(results),
    ]


def _bar(what: str, bar: str, measured: str, *, holds: bool) -> dict[str, Any]:
    return {"what": what, "bar": bar, "measured": measured, "holds": holds}


def _of(results: Told, kind: str) -> tuple[list[Mapping[str, Any]], list[str]]:
    """(jobs of a kind that were played, names of those that failed)."""
    mine = [t for t in results if t["kind"] == kind]
    return [t for t in mine if "failed" not in t], [t["job"] for t in mine if "failed" in t]


def _more(failed: Sequence[str]) -> str:
    return f"; failed: {', '.join(failed)}" if failed else ""


def _coverage_bar(results: Told) -> list[dict[str, Any]]:
    streams, failed = _of(results, "stream")
    if not streams and not failed:
        return []
    below = [s["stream"] for s in streams if (s["coverage"]["share"] or 0) < COVERED]
    summary = f"{len(streams) - len(below)} of {len(streams) + len(failed)} streams"
    summary += f"; below: {', '.join(below)}" if below else ""
    return [_bar("drift questions judged after night 14, each stream", f"≥ {COVERED:.0%} of those due",
                 summary + _more(failed), holds=not below and not failed)]  # fmt: skip


def pairs(results: Told) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """(run without a condition, the same run with one)."""
    fault_runs = [run for t in _of(results, "faults")[0] for run in t["runs"]]
    plain = {(r["base"], r["fault"], r["onset"]): r for r in fault_runs if not r["condition"]}
    return [
        (plain[key], r) for r in fault_runs if r["condition"] and (key := (r["base"], r["fault"], r["onset"])) in plain
    ]  # fmt: skip


def _by(run: Mapping[str, Any], key: str, most: int) -> bool:
    return run[key] is not None and run[key] <= most


def both(each: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], key: str, most: int) -> tuple[int, int]:
    """(pairs where the run with a condition is as good as the one without, pairs where that one is good)."""
    good = [(p, c) for p, c in each if _by(p, key, most)]
    return sum(_by(c, key, most) for _, c in good), len(good)


def _fault_bars(results: Told) -> list[dict[str, Any]]:
    each, failed = pairs(results), _of(results, "faults")[1]
    if not each and not failed:
        return []
    detection_count, of_found = both(each, "found", FOUND_BY)
    notification_count, of_told = both(each, "told", TOLD_BY)
    enough = f"; {len(each)} runs"
    return [
        _bar("faults on top of a chronic condition: found like without it", f"≥ {LIKE:.0%}, ≥ {RUNS} runs",
             share(detection_count, of_found) + enough + _more(failed),
             holds=of_found > 0 and detection_count >= LIKE * of_found and len(each) >= RUNS and not failed),
        _bar("faults on top of a chronic condition: told anew like without it", f"≥ {LIKE:.0%}",
             share(notification_count, of_told) + _more(failed),
             holds=of_told > 0 and notification_count >= LIKE * of_told and not failed),
    ]  # fmt: skip


def _quiet_bar(results: Told) -> list[dict[str, Any]]:
    streams, failed = _of(results, "stream")
    quiet = [s["alarms"] for s in streams if s["quiet"]]
    if not quiet:
        return []
    bad, nights = sum(a["breach"] for a in quiet), sum(a["nights"] for a in quiet)
    return [_bar("quiet nights with a breach, all quiet streams", f"≤ {QUIET:.0%}", share(bad, nights) + _more(failed),
                 holds=bad <= QUIET * nights and not failed)]  # fmt: skip


def _endless_bar(results: Told) -> list[dict[str, Any]]:
    streams, failed = _of(results, "stream")
    if not streams:
        return []
    count = sum(len(s["endless"]) for s in streams)
    where = [s["stream"] for s in streams if s["endless"]]
    summary = f"{count}{' in ' + ', '.join(where) if where else ''}"
    return [_bar("incidents that never end though nothing new was bad for 10 nights", "0", summary + _more(failed),
                 holds=count == 0 and not failed)]  # fmt: skip


def _ways_bar(results: Told) -> list[dict[str, Any]]:
    played, failed = _of(results, "ways")
    if not played and not failed:
        return []
    odd = {t["stream"]: sum(d["verdicts"] for d in t["differs"].values()) for t in played}
    where = [f"{n} in {s}" for s, n in odd.items() if n]
    summary = f"{len(odd) - len(where)} of {len(odd) + len(failed)} streams equal"
    summary += f"; other verdicts: {', '.join(where)}" if where else ""
    return [_bar("one log through init, backfill, backtest and nightly", "equal verdicts", summary + _more(failed),
                 holds=not where and not failed)]  # fmt: skip


def share(part: int, whole: int) -> str:
    """`3 of 10 (30.0%)`."""
    return f"{part:,} of {whole:,}{f' ({part / whole:.1%})' if whole else ''}"


def tables(results: Told) -> list[str]:
    """All tables."""
    lines = _head("what", "bar", "measured", "holds")
    lines += [_line(b["what"], b["bar"], b["measured"], "yes" if b["holds"] else "**no**") for b in bars(results)]
    for part in (_streams(results), _faults(results), _ways(results)):
        lines += ["", *part] if part else []
    return lines


def _streams(results: Told) -> list[str]:
    lines = _head("stream", "nights", "order", "drift questions judged", "nights with a breach", "a warn at most",
                  "known only", "incidents", "without end")  # fmt: skip
    for s in (t for t in results if t["kind"] == "stream"):
        if "failed" in s:
            lines.append(_line(s["stream"], "", f"failed: {_one_line(s['failed'])}", *[""] * 6))
            continue
        covered, bad = s["coverage"], s["alarms"]
        lines.append(
            _line(f"`{s['stream']}`: {s['says']}", s["nights"], s["order"], share(covered["judged"], covered["due"]),
                  bad["breach"], bad["warn"], bad["known"], s["incidents"], len(s["endless"]))
        )  # fmt: skip
    return lines if len(lines) > 2 else []


def _faults(results: Told) -> list[str]:
    each = pairs(results)
    lines = _head("fault", "condition", "runs", "found by night 3 without", "with", "like without", "told anew without",
                  "with", "like without")  # fmt: skip
    keys = dict.fromkeys((c["kind"], c["condition"]) for _, c in each)
    for kind, condition in sorted(keys):
        mine = [(p, c) for p, c in each if (c["kind"], c["condition"]) == (kind, condition)]
        cells: list[str] = []
        for key, most in (("found", FOUND_BY), ("told", TOLD_BY)):
            good, of = both(mine, key, most)
            cells += [f"{of}", f"{sum(_by(c, key, most) for _, c in mine)}", share(good, of)]
        lines.append(_line(kind, condition, len(mine), *cells))
    return lines if len(lines) > 2 else []


def _ways(results: Told) -> list[str]:
    lines = _head("one log", "nights", "verdicts", "init differs", "backfill differs", "nightly differs",
                  "`why` the same, backfill", "nightly")  # fmt: skip
    for t in (t for t in results if t["kind"] == "ways"):
        if "failed" in t:
            lines.append(_line(t["stream"], "", f"failed: {_one_line(t['failed'])}", *[""] * 5))
            continue
        odd = [t["differs"][way]["verdicts"] for way in ("init", "backfill", "nightly")]
        lines.append(
            _line(
                t["stream"],
                t["nights"],
                f"{t['verdicts']:,}",
                *odd,
                *("yes" if same else "**no**" for same in t["why"].values()),
            )
        )
    return lines if len(lines) > 2 else []


def _one_line(text: str) -> str:
    return text.strip().splitlines()[-1][:200].replace("|", "/")


def _head(*names: str) -> list[str]:
    return [_line(*names), _line(*("---" for _ in names))]


def _line(*cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def written(page: Path, lines: Sequence[str]) -> None:
    """Puts the tables between the marks of the page."""
    begin, end = "<!-- results -->", "<!-- /results -->"
    head, _, rest = page.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text("\n".join([head + begin, *lines, end]) + tail)
