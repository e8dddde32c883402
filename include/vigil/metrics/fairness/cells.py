"""Which group is compared with which."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vigil.metrics.given import Given
from vigil.metrics.readings import counted, unknown
from vigil.metrics.reasons import NO_ROWS, because
from vigil.metrics.types import Kind, Reading
from vigil.profiles.types import Cell

MISSING = "(missing)"  # the group of rows without the attribute: shown, but not a group of people to compare
Share = Callable[[Cell], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A group, its named reference group, and the cells of both; a group without rows has an empty cell."""

    attribute: str
    group: str
    reference: str
    cell: Cell
    against: Cell

    @property
    def subject(self) -> str:
        """`attribute=group`."""
        return f"{self.attribute}={self.group}"


def pairs(given: Given) -> Iterator[Pair]:
    """Each declared group, or where none is declared each that occurs tonight, against its reference group."""
    for p in given.view.protected:
        cells = given.tonight.groups.get(p.attribute, {})
        for group in p.groups or tuple(g for g in sorted(cells) if g not in (p.reference, MISSING)):
            yield Pair(p.attribute, group, p.reference, cells.get(group, Cell()), cells.get(p.reference, Cell()))


def contrast(kind: Kind, pair: Pair, of: Share, *, counts: str, words: str = "") -> Reading:
    """A ratio or a difference of one share, the group's against the reference group's; the detail has both shares.

    counts: what the rows of the share are called in reasons.
    """
    (k1, n1), (k0, n0) = of(pair.cell), of(pair.against)
    if not n1:
        return unknown(pair.subject, because(NO_ROWS, f"no {counts} of this group"))
    if not n0:
        return unknown(pair.subject, because(NO_ROWS, f"no {counts} of the reference group {pair.reference}"), n=n1)
    detail = f"{k1:,} of {n1:,} ({k1 / n1:.1%}), {pair.reference} {k0:,} of {n0:,} ({k0 / n0:.1%})"
    empty = because(NO_ROWS, f"no favourable decision in the reference group {pair.reference}")
    return counted(kind, pair.subject, (k1, n1, k0, n0), empty=empty, detail=f"{detail}; {words}" if words else detail)
