"""Joins the labels of a log to its rows, from the log itself or from a log of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.core.errors import DataError
from vigil.intake.column_values import text
from vigil.intake.times import instants
from vigil.intake.types import Time
from vigil.onboarding.columns import Look, dated, look
from vigil.onboarding.labels import named
from vigil.onboarding.roles import Word, assign

if TYPE_CHECKING:
    import pandas as pd

    from vigil.onboarding.request import Asked
    from vigil.onboarding.roles import Guess

LABEL = "vigil_label"


class Labels(NamedTuple):
    """The sample with its labels. label: its column in `frame`, or None; *_there: names in the log they are in."""

    frame: pd.DataFrame
    served: pd.Series
    label: str | None
    label_there: str | None
    look: Look | None
    observed: pd.Series | None
    observed_look: Look | None
    key_there: str | None


def labels_of(
    asked: Asked,
    frame: pd.DataFrame,
    roles: Mapping[Word, Guess],
    looks: Mapping[str, Look],
    truth: pd.DataFrame | None,
) -> Labels:
    """Labels of the sample. Raises DataError where outcomes that are apart cannot be joined."""
    plain = frame.assign(**{g.column: text(frame[g.column]) for w, g in roles.items() if w in _TEXTS})
    served = instants(frame, time_of(looks[roles[Word.SERVED_AT].column], asked.timezone), asked.log)
    if truth is not None:
        return _apart(asked, plain, served, roles, truth)
    if Word.LABEL not in roles:
        return Labels(plain, served, None, None, None, None, None, None)
    label = roles[Word.LABEL].column
    observed_look = looks[roles[Word.OBSERVED_AT].column] if Word.OBSERVED_AT in roles else None
    observed = instants(frame, time_of(observed_look, asked.timezone), asked.log) if observed_look else None
    return Labels(plain, served, label, label, looks[label], observed, observed_look, None)


_TEXTS = (Word.PREDICTION, Word.LABEL)


def time_of(one: Look, timezone: str) -> Time:
    """How a column of times is read."""
    return Time(column=one.name, format=one.time_format or "auto", timezone="UTC" if one.zoned else timezone)


def _apart(
    asked: Asked, frame: pd.DataFrame, served: pd.Series, roles: Mapping[Word, Guess], truth: pd.DataFrame
) -> Labels:
    found = look(truth)
    given: dict[Word, str] = {w: c for w, c in asked.columns.items() if w in (Word.LABEL, Word.OBSERVED_AT)}
    theirs = assign(found, given)
    if Word.OBSERVED_AT not in theirs and Word.SERVED_AT in theirs:
        theirs[Word.OBSERVED_AT] = theirs[Word.SERVED_AT]
    if Word.PREDICTION_ID not in roles:
        raise DataError(f"{asked.log} has no column of ids, so outcomes cannot be joined; name it with --prediction-id")
    key = _key(asked, frame[roles[Word.PREDICTION_ID].column], roles, found, truth)
    left = [n for n in found if n not in (key, *(g.column for w, g in theirs.items() if w is Word.OBSERVED_AT))]
    by_name = theirs.get(Word.LABEL) or named(found, theirs)
    label = by_name.column if by_name else (left[0] if len(left) == 1 else None)
    if label is None or Word.OBSERVED_AT not in theirs:
        what = "--label" if label is None else "--observed-at"
        raise DataError(f"{asked.outcomes}: name the column with {what}. It has: {', '.join(found)}")
    when: Any = dated(found[theirs[Word.OBSERVED_AT].column], asked.dates)
    seen = instants(truth, time_of(when, asked.timezone), str(asked.outcomes))
    by_id = truth.assign(**{LABEL: text(truth[label]), "vigil_seen": seen, "vigil_key": text(truth[key])})
    by_id = by_id.drop_duplicates("vigil_key", keep="last").set_index("vigil_key")
    ids = text(frame[roles[Word.PREDICTION_ID].column])
    joined = frame.assign(**{LABEL: ids.map(by_id[LABEL])})
    if not joined[LABEL].notna().any():
        raise DataError(f"{asked.outcomes}: none of its ids ({key}) is in {asked.log}; are both of the same model?")
    return Labels(joined, served, LABEL, label, found[label], ids.map(by_id["vigil_seen"]), when, key)


def _key(
    asked: Asked, ids: pd.Series, roles: Mapping[Word, Guess], found: Mapping[str, Look], truth: pd.DataFrame
) -> str:
    """The column of the outcomes that holds the log's ids: the same name, else the one with most of them."""
    there = roles[Word.PREDICTION_ID].column
    if there in found:
        return there
    known = set(text(ids).dropna())
    shared = {name: len(known & set(text(truth[name]).dropna())) for name in found}
    best = max(shared, key=lambda name: shared[name])
    if not shared[best]:
        raise DataError(f"{asked.outcomes}: no column has the ids of {asked.log} (in its column {there})")
    return best
