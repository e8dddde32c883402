"""Reads what verdicts of older releases stored as text. Nothing else may read it: new results carry the values."""

import re

from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.notes import Note, NoteKind

NUMBER = r"[+-]?[\d.]+(?:e[+-]?\d+)?"
BOUND = rf"(?P<bound>[<>] {NUMBER})"
NIGHTS = r"(?P<nights>\d+)"
FORMS: tuple[tuple[LimitKind, str], ...] = (
    (LimitKind.BREACH, BOUND),
    (LimitKind.WARN, f"warn {BOUND}"),
    (LimitKind.HARD, f"hard {BOUND}"),
    (LimitKind.HOLDOUT, rf"holdout (?P<allowed>{NUMBER})"),
    (LimitKind.HOLDOUT, rf"{BOUND} \(holdout (?P<baseline>{NUMBER}|-?[\d,]+) (?P<allowed>{NUMBER})\)"),
    (LimitKind.SIGMA, rf"(?P<level>{NUMBER}) sigma of {NIGHTS} (?P<called>.+)"),
    (LimitKind.QUANTILE, rf"(?P<level>{NUMBER}) quantile of {NIGHTS} (?P<called>.+)"),
    (LimitKind.SURPRISE, rf"surprise at(?: (?P<percent>{NUMBER})%)?"),
    (LimitKind.HARD_FAILURE, "hard failure"),
    (LimitKind.COHORTS, "cohorts at the same age"),
    (LimitKind.OBJECTIVE, rf"target (?P<percent>{NUMBER})% over {NIGHTS} nights"),
    (LimitKind.COVERAGE, rf"{BOUND} on {NIGHTS} nights"),
)


def limit_of_older_release(text: str) -> Limit | None:
    """The limit that a stored verdict has as text; what is no other form is the severity of an expectation.

    >>> limit_of_older_release("hard > 0.5").kind.value, limit_of_older_release("")
    ('hard', None)
    """
    if not text:
        return None
    for kind, form in FORMS:
        if match := re.fullmatch(form, text):
            return _limit(kind, {name: part for name, part in match.groupdict().items() if part is not None})
    gate = text.endswith(", gate")
    return Limit(kind=LimitKind.EXPECTATION, severity=text.removesuffix(", gate"), gate=gate)


def _limit(kind: LimitKind, parts: dict[str, str]) -> Limit:
    values: dict[str, object] = {name: part for name, part in parts.items() if name != "percent"}
    if "percent" in parts:
        values["level"] = float(parts["percent"]) / 100
    if "baseline" in parts:
        values["baseline"] = float(parts["baseline"].replace(",", ""))
    return Limit.model_validate({"kind": kind, **values})


def note_of_older_release(text: str) -> Note:
    """The note that a stored result has as text."""
    if text.startswith("gate failed"):
        return Note(kind=NoteKind.GATE_FAILED, words=text)
    return Note(kind=NoteKind.UNREADABLE_FILE if "could not be read" in text else NoteKind.REMARK, words=text)
