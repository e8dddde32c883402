"""How the rows of a night are spoken of: the places where they are, and what they are without."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from vigil.metrics.lacking import ALL
from vigil.profiles.row_ledger import Lack, Place, Remainder, RowLedger

PLACES: Mapping[Place, str] = {
    Place.JUDGED: "judged",
    Place.CHALLENGER: "answered by a challenger, judged apart",
    Place.REPEATED: "left out: the same id and content as another row",
    Place.CONFLICTING: "left out: the id of another row, and other content",
    Place.OTHER_ENVIRONMENT: "of another environment",
    Place.NO_ENVIRONMENT: "without an environment",
    Place.OTHER_NIGHT: "of other nights, in the same files",
    Place.NO_TIME: "without a time",
    Place.NOT_PROFILED: "not counted: the scan of the night stopped",
}
LACKS: Mapping[Lack, str] = {
    Lack.ANSWER: "an answer",
    Lack.SCORE: "a score",
    Lack.SCORE_OF_LABELLED: "a score, of those with a label",
    Lack.GROUP: "a group",
    Lack.GROUP_OF_LABELLED: "a group, of those with a label",
    Lack.LABEL: "a label so far",
    Lack.LABEL_WORD: "a label in a known word",
    Lack.WEIGHT: "a usable sampling weight",
    Lack.RANKING: "a ranking of classes",
    Lack.STRATUM: "a stratum",
    Lack.VALUE: "a usable value",
    Lack.FLAG: "a yes or no",
    Lack.LATENCY: "a latency",
    Lack.PIPELINE: "a pipeline version",
    Lack.STATUS: "a status that is ok, error or timeout",
    Lack.ID: "an id",
}


def lack_of(remainder: Remainder) -> str:
    """What rows are without, after "without" or "have": `a group (sex)`."""
    named = f" ({remainder.subject})" if remainder.subject != ALL else ""
    what, _, of = LACKS[remainder.lack].partition(", ")
    return f"{what}{named}" + (f", {of}" if of else "")


class Line(NamedTuple):
    """A count of rows in words. reference: the share on the yardstick, or ""."""

    says: str
    rows: str
    share: str
    reference: str = ""


def places(ledger: RowLedger) -> tuple[Line, ...]:
    """All rows of the night's files by place, then the files whose rows nobody could count."""
    found = [
        Line(_named(place, ledger), f"{rows:,}", f"{rows / ledger.rows:.1%}")
        for place in Place
        if (rows := ledger.at(place))
    ]
    found.append(Line("in all", f"{ledger.rows:,}", ""))
    return (*found, *(Line(f"a file that cannot be read: {file}", "unknown", "") for file in ledger.unreadable))


def _named(place: Place, ledger: RowLedger) -> str:
    if place is not Place.OTHER_ENVIRONMENT:
        return PLACES[place]
    return f"{PLACES[place]}: {', '.join(f'{word!r} ({n:,})' for word, n in ledger.environments.items())}"


def lacks(ledger: RowLedger) -> tuple[Line, ...]:
    """What judged rows are without, and the same share on the yardstick."""
    return tuple(
        Line(
            f"without {lack_of(r)}",
            f"{r.rows:,} of {r.of:,}",
            f"{r.share:.1%}",
            f"{r.reference:.1%} on the {ledger.yardstick or 'reference'}" if r.reference is not None else "",
        )
        for r in ledger.remainders
    )


ROWS = (
    ("new", "rows taken"), ("known", "known before, with the same content"),
    ("conflicting", "known before, with other content: what is there stays"),
    ("excluded", "of other models, by `only:`"),
    ("rejected", "not taken: no time"), ("held", "not taken: a time that can hardly be"),
)  # fmt: skip
LABELS = (
    ("new", "labels taken"), ("known", "labels known before"), ("unlabelled", "without a label yet"),
    ("unnamed", "labels without an id"), ("undated", "labels without a time"),
    ("held", "labels with a time that can hardly be"),
)  # fmt: skip


def doors(seen: Mapping[str, Any]) -> tuple[Line, ...]:
    """What the last intake did with every row of the source. seen: its note; empty without a `source:`."""
    held = sum(one["rows"] for one in seen.get("held", ()) if not one["outcomes"])
    return (*_door({**seen, "held": held}, ROWS), *_door(seen.get("labels", {}), LABELS))


def _door(seen: Mapping[str, Any], parts: Sequence[tuple[str, str]]) -> Iterator[Line]:
    total = seen.get("rows") or 0
    for name, says in parts:
        if total and seen.get(name):
            yield Line(says, f"{seen[name]:,}", f"{seen[name] / total:.1%}")
