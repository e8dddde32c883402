"""What a suite found, as verdicts and as a page: the same words whoever counted, Great Expectations or the scan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.adapters.gx_words import by_arguments, condition_of, failure, observed, sentence
from vigil.adapters.suite_shape import SAMPLE, SuiteResult
from vigil.core.words import Family
from vigil.metrics.intervals import wilson
from vigil.metrics.reasons import Absence
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.ports import Artifacts, QualityOutcome
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.types import Cause, State, Verdict
from vigil.verdicts.words import number

if TYPE_CHECKING:
    from vigil.config.schema import Monitor

METRIC = "expectation"
SURE = 1 - 1e-4  # level of the limits of a sample: a night has many expectations, and a year many nights
DOCS, RESULT = "data_docs.html", "gx_validation.json"
TEMPLATES = Path(__file__).parent / "templates"
FAILED = {"critical": State.BREACH, "warning": State.WARN, "info": State.WARN}
ORDER = (State.BREACH, State.UNKNOWN, State.WARN, State.OK)


class Checked(NamedTuple):
    """One expectation after it was checked: what it asks, how grave a failure is, what was found."""

    sentence: str
    severity: str
    gate: bool
    verdict: Verdict


def outcome(
    artifacts: Artifacts, monitor: Monitor, night: date, result: SuiteResult, rows: int, *, counted: int = 0
) -> QualityOutcome:
    """The verdicts of GX's result over so many rows, its file and its page kept.

    counted: how many of the expectations the scan has counted instead of GX.
    A gate that could not be checked counts as failed: nobody knows whether the rows can be trusted.
    """
    checked = named_apart([checked_of(each, rows) for each in result.results])
    raw = json.dumps(result.to_json_dict(), indent=1, default=str)
    _write(artifacts.path(monitor.model, night, RESULT), raw)
    _write(artifacts.path(monitor.model, night, DOCS), _page(monitor, night, result, checked, counted))
    return QualityOutcome(
        verdicts=tuple(c.verdict for c in checked),
        failed_gates=tuple(c.verdict.subject for c in checked if c.gate and c.verdict.state is not State.OK),
        docs_url=artifacts.url(monitor.model, night, DOCS),
    )


def unreadable(why: str) -> QualityOutcome:
    """The outcome of a suite that is missing or broken: `unknown`, never silence."""
    return QualityOutcome(verdicts=(cannot("suite", why),))


def ours(config: Any) -> dict[str, Any]:
    """What an expectation's meta says to us."""
    found: dict[str, Any] = (config.meta or {}).get("vigil") or {}
    return found


def checked_of(result: Any, rows: int) -> Checked:
    """One of GX's results as a verdict; rows: of the whole table."""
    config, subject = result.expectation_config, _subject(result.expectation_config)
    broken = getattr(result, "problem", "") or failure(result.exception_info or {})
    asked = _sentence(result, broken)
    severity = str(getattr(config.severity, "value", config.severity) or "critical")
    gate = bool(ours(config).get("gate"))
    if broken:
        verdict = cannot(subject, broken).model_copy(update={"columns": _columns(config.kwargs)})
        return Checked(asked, severity, gate, verdict)
    measurement = _measurement(subject, result.result or {}, rows, bool(result.success))
    if measurement.value is None:
        verdict = cannot(subject, measurement.why_not, measurement)
        return Checked(asked, severity, gate, verdict)
    if SAMPLE in (result.result or {}) and not measurement.parts:
        why = "it is about the column as a whole, of which no sample tells, and the night is more than memory holds"
        return Checked(asked, severity, gate, cannot(subject, why))
    success, measurement = bool(result.success), _of_sample(result, measurement)
    if SAMPLE in (result.result or {}):
        holds = _holds(measurement, float(config.kwargs.get("mostly", 1.0)))
        if holds is None:
            why = f"{measurement.detail}; the limit lies within it, so that all rows may be right or not"
            return Checked(asked, severity, gate, cannot(subject, why, measurement, Cause.TOO_FEW_ROWS))
        success = holds
    state = State.OK if success else FAILED.get(severity, State.BREACH)
    absent = config.type == "expect_column_to_exist" and not success and "column_index" not in config.kwargs
    found = "the rows have no such column" if absent else measurement.detail
    reason = f"{asked}: {found}" if found else asked
    verdict = Verdict(
        metric=METRIC,
        subject=subject,
        family=Family.QUALITY,
        state=state,
        reason=reason,
        hard=gate and state is State.BREACH,
        measurement=measurement,
        limit=Limit(kind=LimitKind.EXPECTATION, severity=severity, gate=gate),
        columns=_columns(config.kwargs),
    )
    return Checked(asked, severity, gate, verdict)


def _sentence(result: Any, broken: str | None) -> str:
    """What an expectation asks: in its author's words, in ours, in GX's."""
    own = getattr(result.expectation_config, "description", "") or getattr(result, "sentence", "")
    if own:
        return str(own)
    return by_arguments(result.expectation_config) if broken else sentence(result)


def _of_sample(result: Any, m: Measurement) -> Measurement:
    """The measurement, with the limits of a sample and a word about it, where it rests on one."""
    told = (result.result or {}).get(SAMPLE)
    if not told:
        return m
    low, high = wilson(m.parts[0], m.parts[1], SURE)
    span = f"[{number(low, 'share')}, {number(high, 'share')}]"
    what = f"{m.parts[0]:,.0f} of {m.parts[1]:,.0f} are not in a sample of {told['rows']:,} of {told['of']:,} rows"
    return m.model_copy(update={"low": low, "high": high, "detail": f"{what}, so of all rows {span}"})


def _holds(m: Measurement, mostly: float) -> bool | None:
    """Whether a share holds for all rows by what a sample says; None where its limits do not tell."""
    if m.low is None or m.high is None or m.low <= 1 - mostly < m.high:
        return None
    return m.high <= 1 - mostly


def _subject(config: Any) -> str:
    """`column_values_to_be_between(age)`: the same expectation has the same name every night."""
    kwargs = config.kwargs
    column = ",".join(_columns(kwargs)) or "all"
    condition = f" if {condition_of(kwargs['row_condition'])}" if kwargs.get("row_condition") else ""
    return f"{config.type.removeprefix('expect_')}({column}{condition})"


def _columns(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation is about; none for one about the whole table."""
    pair = [kwargs[k] for k in ("column_A", "column_B") if k in kwargs]
    column = kwargs.get("column")
    return tuple(map(str, [column] if column else kwargs.get("column_list") or pair))


def named_apart(checked: list[Checked]) -> list[Checked]:
    """A suite may ask the same of a column twice, with other limits: then the second is `... #2`."""
    seen: Counter[str] = Counter()

    def named(one: Checked) -> Checked:
        subject = one.verdict.subject
        seen[subject] += 1
        if seen[subject] == 1:
            return one
        other = f"{subject} #{seen[subject]}"
        m = one.verdict.measurement
        changed = {"subject": other, "measurement": m.model_copy(update={"subject": other}) if m else None}
        return one._replace(verdict=one.verdict.model_copy(update=changed))

    return [named(each) for each in checked]


def _measurement(subject: str, found: Mapping[str, Any], rows: int, success: bool) -> Measurement:
    """The share of unexpected values among those that are there; of a check of the whole table 0 or 1."""
    share = {"metric": METRIC, "subject": subject, "family": Family.QUALITY, "unit": "share", "worse": Worse.HIGHER}
    bad = found.get("unexpected_count")
    if bad is None or "element_count" not in found:
        value = 0.0 if success else 1.0
        return Measurement(**share, kind=Kind.COUNT, value=value, n=rows, detail=observed(found))
    n, bad = int(found.get("element_count") or 0) - int(found.get("missing_count") or 0), int(bad)
    if n <= 0:
        return Measurement(
            **share,
            kind=Kind.PROPORTION,
            value=None,
            n=0,
            absence=Absence.NO_ROWS,
            why_not="there is no value to check",
        )
    low, high = wilson(bad, n)
    detail = f"{bad:,} of {n:,} are not"
    if bad:
        detail += f", {number(bad / n, 'share')} [{number(low, 'share')}, {number(high, 'share')}]"
    return Measurement(
        **share, kind=Kind.PROPORTION, value=bad / n, low=low, high=high, n=n, parts=(bad, n), detail=detail
    )


def cannot(subject: str, why: str, measurement: Measurement | None = None, cause: Cause = Cause.NO_DATA) -> Verdict:
    """Unknown: overdue when the check failed (it must not), not when there was nothing to check, or too little."""
    return Verdict(
        metric=METRIC,
        subject=subject,
        family=Family.QUALITY,
        state=State.UNKNOWN,
        cause=cause if measurement else Cause.CHECK_FAILED,
        reason=f"{subject}: {why}",
        overdue=measurement is None,
        measurement=measurement,
    )


def _page(monitor: Monitor, night: date, result: SuiteResult, checked: Sequence[Checked], counted: int) -> str:
    """GX's sentences in a page of our own: GX's view loads 17 files from the internet, ours none."""
    from importlib.metadata import version

    from jinja2 import Environment, FileSystemLoader

    page = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("data_docs.html")
    return page.render(
        monitor=monitor,
        night=night,
        suite=result.suite_name,
        checked=list(_worst_first(checked)),
        counts=Counter(c.verdict.state.value for c in checked),
        gates=sum(c.gate for c in checked),
        version=version("great_expectations"),
        counted=counted,
    )


def _worst_first(checked: Sequence[Checked]) -> Iterator[Checked]:
    for state in ORDER:
        yield from (c for c in checked if c.verdict.state is state)


def _write(path: Path, text: str) -> None:
    """All of it or nothing: somebody may be reading the file of an earlier try."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
