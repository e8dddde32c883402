"""Which group is compared with which."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from vigil.metrics.given import Given
from vigil.metrics.readings import counted, unknown
from vigil.metrics.reasons import LABELS_PENDING, NO_ROWS, because
from vigil.metrics.types import Kind, Reading
from vigil.profiles.layout import Protected
from vigil.profiles.types import Cell

MISSING = "(missing)"  # the group of rows without the attribute: shown, but not a group of people to compare
Share = Callable[[Cell], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A group, its named reference group, and the cells of both; a group without rows has an empty cell.

    Of an intersection, attribute is "a+b" and groups are "x+y".
    """

    attribute: str
    group: str
    reference: str
    cell: Cell
    against: Cell

    @property
    def subject(self) -> str:
        """`attribute=group`."""
        return f"{self.attribute}={self.group}"


def seen(tonight: Iterable[str], before: Iterable[str]) -> tuple[str, ...]:
    """Groups of an attribute to ask about: those of tonight, and those of the baseline that are gone.

    An attribute of which tonight has no row at all was not logged, and says nothing about who is gone.

    >>> seen(["female", "(missing)"], ["female", "diverse", "(missing)"]), seen([], ["female"])
    (('(missing)', 'diverse', 'female'), ())
    """
    now = set(tonight)
    gone = {group for group in before if MISSING not in group.split("+")} if now else set()
    return tuple(sorted(now | gone))


def others(protected: Protected, tonight: Iterable[str], before: Iterable[str]) -> tuple[str, ...]:
    """The groups to compare with the reference group: those that are declared, else those that are `seen`."""
    unnamed = (protected.reference, MISSING)
    return protected.groups or tuple(g for g in seen(tonight, before) if g not in unnamed)


def everyone(given: Given, protected: Protected) -> Iterator[tuple[str, Cell]]:
    """("attribute=group", its cell) of each group and the reference group; a group without rows has an empty cell."""
    name = protected.attribute
    cells, before = given.tonight.groups.get(name, {}), given.baseline.groups.get(name, {}) if given.baseline else {}
    for group in sorted({*(protected.groups or seen(cells, before)), protected.reference}):
        yield f"{name}={group}", cells.get(group, Cell())


def pairs(given: Given) -> Iterator[Pair]:
    """Each declared group, or where none is declared each of tonight and the baseline, against its reference group.

    Then the declared intersections: "sex+age_band=female+25_or_under" against both reference groups together.
    """
    was = given.baseline
    for p in given.view.protected:
        cells = given.tonight.groups.get(p.attribute, {})
        for group in others(p, cells, was.groups.get(p.attribute, {}) if was else {}):
            yield _pair(p.attribute, group, p.reference, cells)
    reference = {p.attribute: p.reference for p in given.view.protected}
    for a, b in given.view.intersections:
        if a not in reference or b not in reference:  # one attribute alone is looked at
            continue
        cells, against = given.tonight.crossed.get(f"{a}+{b}", {}), f"{reference[a]}+{reference[b]}"
        for group in seen(cells, was.crossed.get(f"{a}+{b}", {}) if was else {}):
            if group != against and MISSING not in group.split("+"):
                yield _pair(f"{a}+{b}", group, against, cells)


def _pair(attribute: str, group: str, reference: str, cells: Mapping[str, Cell]) -> Pair:
    return Pair(attribute, group, reference, cells.get(group, Cell()), cells.get(reference, Cell()))


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


def pending(pair: Pair) -> Reading | None:
    """Why nothing about this pair is known that needs labels, or None."""
    if not pair.cell.n or not pair.against.n:
        who = "this group" if not pair.cell.n else f"the reference group {pair.reference}"
        return unknown(pair.subject, because(NO_ROWS, f"no decisions of {who}"))
    if not pair.cell.labelled or not pair.against.labelled:
        return unknown(pair.subject, LABELS_PENDING)
    return None


def labelled_contrast(pair: Pair, of: Share, *, counts: str) -> Reading:
    """A difference among labelled rows, which may be a selection: the detail has the share labelled in both groups."""
    why = pending(pair)
    if why is not None:
        return why
    mine, other = (cell.labelled / cell.n for cell in (pair.cell, pair.against))
    words = f"among labelled rows: {mine:.0%} of the group, {other:.0%} of the reference group"
    return contrast(Kind.DIFFERENCE, pair, of, counts=counts, words=words)
