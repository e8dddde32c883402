"""What the fairness metrics share: which group is compared with which."""

from collections.abc import Callable, Iterator

from vigil.metrics.pool import interval
from vigil.metrics.readings import NO_ROWS, TOO_FEW
from vigil.metrics.types import Kind, Reading, View
from vigil.profiles.types import Cell, Profile

MISSING = "(missing)"
Share = Callable[[Cell], tuple[int, int]]


def compared(night: Profile, view: View) -> Iterator[tuple[str, str, Cell | None, Cell | None]]:
    """(attribute, group, its cell, the reference group's cell); declared groups that do not occur have no cell."""
    for protected in view.protected:
        cells = night.groups.get(protected.attribute, {})
        groups = protected.groups or tuple(g for g in sorted(cells) if g not in (protected.reference, MISSING))
        for group in groups:
            yield protected.attribute, group, cells.get(group), cells.get(protected.reference)


def against_reference(
    night: Profile, baseline: Profile | None, view: View, *, kind: Kind, of: Share, detail: str = ""
) -> Iterator[Reading]:
    """A ratio or a difference of one share, each group against its named reference group."""
    for attribute, group, cell, reference in compared(night, view):
        subject = f"{attribute}={group}"
        if cell is None or reference is None:
            yield Reading(subject=subject, why_not=NO_ROWS)
            continue
        parts = (*of(cell), *of(reference))
        value, low, high = interval(kind, parts)
        if value is None:
            why = f"{TOO_FEW}: {parts[1]} rows of the group and {parts[3]} of the reference group count"
            yield Reading(subject=subject, n=cell.n, why_not=why)
            continue
        base = _base(baseline, attribute, group, view, kind=kind, of=of)
        yield Reading(subject=subject, value=value, low=low, high=high, n=parts[1], parts=parts, baseline=base,
                      detail=detail)  # fmt: skip


def _base(baseline: Profile | None, attribute: str, group: str, view: View, *, kind: Kind, of: Share) -> float | None:
    cells = baseline.groups.get(attribute, {}) if baseline else {}
    reference = next(p.reference for p in view.protected if p.attribute == attribute)
    if group not in cells or reference not in cells:
        return None
    return interval(kind, (*of(cells[group]), *of(cells[reference])))[0]
