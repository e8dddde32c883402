"""Business numbers that the monitor declares."""

from collections.abc import Iterator
from math import isfinite

from vigil.core.words import Task
from vigil.metrics.given import Given
from vigil.metrics.performance.formula import CELLS, LABELLED_CELLS, OF_LABELS, sum_name, used, value
from vigil.metrics.performance.weights import cells
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import ALL_NULL, LABELS_PENDING, NO_ROWS, because
from vigil.metrics.types import Kpi, Reading


def of_labels(kpi: Kpi) -> bool:
    """Whether the formula needs labels.

    >>> of_labels(Kpi(name="hits", formula="tp / labelled")), of_labels(Kpi(name="size", formula="rows"))
    (True, False)
    """
    endings = tuple(f"_{cell}" for cell in LABELLED_CELLS)
    return any(name in OF_LABELS or (name.startswith("sum_") and name.endswith(endings)) for name in used(kpi.formula))


def named(given: Given) -> dict[str, float]:
    """The value tonight of every name a formula may use and that is known.

    With sampling weights, labelled and tp to tn are sums of weights; all else is of logged rows.
    """
    p, service = given.tonight, given.tonight.service
    found: dict[str, float] = {
        "rows": p.rows,
        "requests": service.requests,
        "answered": service.ok,
        "errors": service.errors + service.timeouts,
        "fallback": service.fallback,
        "labelled": p.outcome.labelled,
        "favourable": _favourable(given),
    }
    table = cells(given) if given.view.task is Task.BINARY else None
    weighed = table.sums if table else (0.0,) * len(LABELLED_CELLS)
    found |= dict(zip(LABELLED_CELLS, weighed, strict=True))
    if table and given.view.weighted:
        found["labelled"] = sum(weighed)
    for column in given.view.sums:
        by_cell = p.sums.get(column, {})
        found |= {sum_name(column, cell): by_cell[cell] for cell in (*CELLS, *LABELLED_CELLS) if cell in by_cell}
    return found


def _favourable(given: Given) -> float:
    decision = given.view.decision
    return float(given.tonight.outcome.predictions.get(decision.favourable, 0)) if decision else 0.0


def _readings(given: Given, *, labels: bool) -> Iterator[Reading]:
    for kpi in given.view.kpis:
        if of_labels(kpi) is labels:
            yield _reading(given, kpi, labels=labels)


def _reading(given: Given, kpi: Kpi, *, labels: bool) -> Reading:
    n = given.tonight.outcome.labelled if labels else given.tonight.rows
    if not n:
        return unknown(kpi.name, LABELS_PENDING if given.tonight.rows else NO_ROWS)
    names = named(given) | kpi.constants
    lost = sorted(used(kpi.formula) - names.keys())
    if lost:
        return unknown(kpi.name, because(ALL_NULL, f"no row that counts in {lost[0]} has a number"), n=n)
    try:
        found = value(kpi.formula, names)
    except ZeroDivisionError:
        return unknown(kpi.name, because(NO_ROWS, f"{kpi.formula} divides by 0 tonight"), n=n)
    if not isfinite(found):
        return unknown(kpi.name, because(NO_ROWS, f"{kpi.formula} has no end tonight"), n=n)
    return Reading(subject=kpi.name, value=found, n=n, unit=kpi.unit, worse=kpi.worse, detail=kpi.says or kpi.formula)


def kpi(given: Given) -> Iterator[Reading]:
    """Each business number of the monitor's `kpis` whose formula needs no labels. Subject: its name.

    Exact: without an interval. Unknown where the formula divides by 0, or sums a column without a number.

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Service
    >>> night = profile(rows=80, service=Service(requests=100, ok=80))
    >>> saved = Kpi(name="served", formula="answered / requests", unit="share")
    >>> [(r.subject, r.value, r.unit) for r in kpi(Given(night, None, view(kpis=(saved,))))]
    [('served', 0.8, 'share')]
    """
    yield from _readings(given, labels=False)


def kpi_of_outcomes(given: Given) -> Iterator[Reading]:
    """Each business number of the monitor's `kpis` whose formula needs labels; judged when they are mature.

    >>> from vigil.metrics.example import confused
    >>> night = confused(tp=8, fp=2, fn=4, tn=86)
    >>> gain = Kpi(name="gain", formula="100 * tp - 30 * fp", unit="EUR")
    >>> view = night.view.model_copy(update={"kpis": (gain,)})
    >>> [(r.value, r.unit) for r in kpi_of_outcomes(Given(night.tonight, None, view))]
    [(740.0, 'EUR')]
    """
    yield from _readings(given, labels=True)
