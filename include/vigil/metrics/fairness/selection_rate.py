"""Share of favourable decisions of each group; its ratio and its difference to the reference group."""

from collections.abc import Iterator

from vigil.metrics.fairness.cells import against_reference
from vigil.metrics.readings import share
from vigil.metrics.types import Kind, Reading, View
from vigil.profiles.types import Cell, Profile


def _favourable(cell: Cell) -> tuple[int, int]:
    return cell.favourable, cell.n


def selection_rate(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """favourable / n of each group, in [0, 1]."""
    for protected in view.protected:
        before = baseline.groups.get(protected.attribute, {}) if baseline else {}
        for group, cell in sorted(night.groups.get(protected.attribute, {}).items()):
            was = _favourable(before[group]) if group in before else None
            yield share(f"{protected.attribute}={group}", *_favourable(cell), was=was)


def selection_rate_ratio(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Rate of the group / rate of the reference group (adverse impact ratio); 1 is equal, below 0.8 is the
    four-fifths rule's line, which is a policy of the monitor, not a law of this code.

    Source: 29 CFR 1607.4(D); interval MOVER-R.
    """
    yield from against_reference(night, baseline, view, kind=Kind.RATIO, of=_favourable)


def parity_difference(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Rate of the group - rate of the reference group, in [-1, 1]; interval Newcombe."""
    yield from against_reference(night, baseline, view, kind=Kind.DIFFERENCE, of=_favourable)
