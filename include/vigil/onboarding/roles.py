"""Which column is what: guessed by name and content, each guess with its reason, each one overruled by a flag."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.intake.naming import absent
from vigil.onboarding.columns import Holds, Look

if TYPE_CHECKING:
    import pandas as pd


class Word(StrEnum):
    """What Vigil must know of a log."""

    SERVED_AT = "served_at"
    PREDICTION_ID = "prediction_id"
    MODEL_VERSION = "model_version"
    STATUS = "status"
    LATENCY = "latency_ms"
    SCORE = "score"
    PREDICTION = "prediction"
    LABEL = "label"
    OBSERVED_AT = "observed_at"


# the surest patterns first; a later one is only tried when no column has an earlier one
NAMES: Mapping[Word, tuple[str, ...]] = {
    Word.SERVED_AT: (
        r"served|scored|predicted|inference",
        r"request|created|event|contact|call",
        r"timestamp|^ts$|^time$",
        r"time|date|when|_at$|_on$|epoch",
    ),
    Word.OBSERVED_AT: (r"observed|outcome|label|truth", r"closed|settled|matured|known|resolved|confirmed"),
    Word.PREDICTION_ID: (
        r"prediction_?id|request_?id|inference_?id",
        r"uuid|guid",
        r"(^|_)(id|ref|reference|key|nr|no)$",
    ),
    Word.MODEL_VERSION: (r"model_?ver|scorer|model_?release", r"(^|_)version$"),
    Word.STATUS: (r"(^|_)(status|state)$", r"http_?(code|status)"),
    Word.LATENCY: (r"latency", r"(duration|elapsed|took|response_?time).*(ms|milli)|_ms$", r"^ms$|millis"),
    Word.SCORE: (
        r"(^|_)(score|proba?|probability|propensity|likelihood|p_hat|pd)(_|$|\d|pct)",
        r"confidence|risk|wahrscheinlich|probabil|risiko",
        r"^p_|_pct$|percent",
    ),
    Word.PREDICTION: (
        r"predict|y_?hat|forecast",
        r"decision|decided|recommend|verdict|(^|_)(class|answer|action|offer)",
        r"estimate|output|intent",
        r"vorhersage|prognose|entscheid|pr[eé]vision|pron[oó]stico|d[eé]cision",
    ),
    Word.LABEL: (
        r"label|target|truth|actual|y_true|ground|outcome",
        r"subscribed|default|churn|fraud|converted|returned",
        r"result|response|sold|bought|paid|count$",
    ),
}
BEFORE = re.compile(r"previous|prior|earlier|last|past|history", re.IGNORECASE)  # what was known before is no label
FEW = 20  # different numbers; more are a quantity
FOLLOWS = 0.5  # sd of the score between the means of a label's two values
RIPE = 0.8  # share of the older half's rows whose label is known
ALIKE = 0.6  # correlation of a quantity with its forecast
TRUE_FALSE = ({"0", "1"}, {"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"})


class Guess(Spec):
    """A column for a word, and why it was chosen."""

    column: str
    why: str


def assign(looks: Mapping[str, Look], given: Mapping[Word, str]) -> dict[Word, Guess]:
    """A column for each word that has one. `given` is what people said: it must exist, and is not questioned."""
    for word, name in given.items():
        if name not in looks:
            raise DataError(absent(name, looks, f"--{word.value.replace('_', '-')}"))
    found = {word: Guess(column=name, why="as you said") for word, name in given.items()}
    order = (Word.SERVED_AT, Word.OBSERVED_AT, Word.PREDICTION_ID, Word.MODEL_VERSION, Word.LATENCY, Word.SCORE,
             Word.PREDICTION, Word.LABEL, Word.STATUS)  # fmt: skip
    for word in order:
        taken = {g.column for g in found.values()}
        if word not in found:
            free = [c for c in looks.values() if c.name not in taken]
            best = _label(free, _answer(found, looks)) if word is Word.LABEL else _best(word, free)
            if best is not None:
                found[word] = best
    if Word.OBSERVED_AT in found and Word.SERVED_AT not in found:  # one time only: it dates the prediction
        found[Word.SERVED_AT] = found.pop(Word.OBSERVED_AT)
    return found


def split(frame: pd.DataFrame, looks: Mapping[str, Look], found: Mapping[Word, Guess]) -> dict[Word, Guess]:
    """The decision that no name gives away: two answers that the score tells apart (rounded, it may touch both)."""
    import pandas as pd

    if Word.SCORE not in found or Word.PREDICTION in found:
        return {}
    score = pd.to_numeric(frame[found[Word.SCORE].column], errors="coerce")
    taken = {g.column for g in found.values()}
    for one in looks.values():
        if one.name in taken or not _binary(one) or one.missing > 0.5 or len(one.levels) != 2:
            continue
        spans = score.groupby(frame[one.name]).agg(["min", "max"]).sort_values("min")
        if len(spans) == 2 and float(spans["max"].iloc[0]) <= float(spans["min"].iloc[1]):
            return {Word.PREDICTION: Guess(column=one.name, why="the score tells its two values apart")}
    return {}


def followed(frame: pd.DataFrame, looks: Mapping[str, Look], found: Mapping[Word, Guess]) -> dict[Word, Guess]:
    """The label that no name gives away: two values, not known for all rows yet, that follow the score."""
    import pandas as pd

    if Word.SCORE not in found or Word.LABEL in found:
        return {}
    score = pd.to_numeric(frame[found[Word.SCORE].column], errors="coerce")
    taken = {g.column for g in found.values()}
    for one in looks.values():
        if one.name in taken or not _binary(one) or not one.missing or len(one.levels) != 2:
            continue
        means = score.groupby(frame[one.name]).mean()
        if float(means.max() - means.min()) > FOLLOWS * float(score.std()):
            return {Word.LABEL: Guess(column=one.name, why="not known for the newest rows, and it follows the score")}
    return {}


def ripened(
    frame: pd.DataFrame, looks: Mapping[str, Look], found: Mapping[Word, Guess], nights: pd.Series
) -> dict[Word, Guess]:
    """The label that neither name nor score gives away: two values, known for old rows, for none of the last night.

    nights: the local day of each row.
    """
    days = sorted(nights.dropna().unique())
    if Word.LABEL in found or len(days) < 4:
        return {}
    taken = {g.column for g in found.values()}
    old, newest = nights.isin(days[: len(days) // 2]), nights == days[-1]
    ripe = [
        one.name for one in looks.values()
        if one.name not in taken and one.distinct == 2 and one.missing and fits(Word.LABEL, one)
        and not BEFORE.search(one.name)
        and frame.loc[old, one.name].notna().mean() > RIPE and frame.loc[newest, one.name].isna().all()
    ]  # fmt: skip
    if len(ripe) != 1:
        return {}
    return {Word.LABEL: Guess(column=ripe[0], why="known for old rows and not for the newest, as labels are; check it")}


def _best(word: Word, looks: list[Look]) -> Guess | None:
    for place, pattern in enumerate(NAMES[word]):
        for one in looks:
            if re.search(pattern, one.name, re.IGNORECASE) and fits(word, one):
                return Guess(column=one.name, why="by its name and values" if place < 2 else "by its name; check it")
    if word is Word.SERVED_AT:
        times = [c for c in looks if c.holds is Holds.TIME]
        return Guess(column=times[0].name, why="the only times there are") if len(times) == 1 else None
    if word is Word.PREDICTION_ID:
        ids = [c for c in looks if fits(word, c) and c.distinct == c.rows]
        return Guess(column=ids[0].name, why="the only ids there are; check it") if len(ids) == 1 else None
    return None


def _answer(found: Mapping[Word, Guess], looks: Mapping[str, Look]) -> Look | None:
    return looks[found[Word.PREDICTION].column] if Word.PREDICTION in found else None


def _label(looks: list[Look], answer: Look | None) -> Guess | None:
    """The label: like the answers in its values, not there yet for the newest rows, and named like one."""
    best: tuple[float, Look, str] | None = None
    for one in looks:
        if not fits(Word.LABEL, one) or BEFORE.search(one.name):
            continue
        place = next((n for n, p in enumerate(NAMES[Word.LABEL]) if re.search(p, one.name, re.IGNORECASE)), None)
        alike = _alike(one, answer)
        if alike is False or (place is None and not (alike and one.missing)):
            continue
        points = (3 - place if place is not None else 0) + 4 * bool(alike) + 2 * bool(one.missing)
        why = "its values are those of the answers" if alike else "by its name; check it"
        if best is None or points > best[0]:
            best = (points, one, why)
    return Guess(column=best[1].name, why=best[2]) if best else None


def _alike(one: Look, answer: Look | None) -> bool | None:
    """Whether the values are the answers' own; False where they cannot be; None where that tells nothing."""
    if answer is None or not answer.levels:
        return None
    same = set(one.levels) == set(answer.levels) and one.distinct == answer.distinct
    if answer.distinct == 2:
        return True if same else (None if _binary(one) else False)
    return True if same else None


def fits(word: Word, one: Look) -> bool:
    """Whether the values may be what the word means."""
    return FITS[word](one)


def _few(one: Look) -> bool:
    return one.holds in (Holds.CATEGORY, Holds.CONSTANT) or (one.holds is Holds.NUMBER and 0 < one.distinct <= FEW)


def _binary(one: Look) -> bool:
    return one.distinct == 2 or {level.lower() for level in one.levels} in TRUE_FALSE


def _positive(one: Look) -> bool:
    return one.holds is Holds.NUMBER and (one.low or 0) >= 0


FITS: Mapping[Word, Callable[[Look], bool]] = {
    Word.SERVED_AT: lambda one: one.holds is Holds.TIME,
    Word.OBSERVED_AT: lambda one: one.holds is Holds.TIME,
    Word.PREDICTION_ID: lambda one: one.holds is Holds.ID and not one.missing,
    Word.MODEL_VERSION: lambda one: _few(one) and one.distinct <= 50,
    Word.STATUS: lambda one: {level.lower() for level in one.levels} <= {"ok", "error", "timeout"} and _few(one),
    Word.LATENCY: _positive,
    Word.SCORE: lambda one: _positive(one) and not _binary(one) and (one.high or 0) <= 100,
    Word.PREDICTION: lambda one: one.holds is Holds.NUMBER or _few(one),
    Word.LABEL: lambda one: one.holds is Holds.NUMBER or _few(one),
}


def nearest(frame: pd.DataFrame, looks: Mapping[str, Look], found: Mapping[Word, Guess]) -> dict[Word, Guess]:
    """The label of a regression that no name gives away: the numbers that lie where the answers lie."""
    import pandas as pd

    answer = _answer(found, looks)
    if answer is None or answer.holds is not Holds.NUMBER or answer.distinct <= FEW:
        return {}
    said = pd.to_numeric(frame[answer.name], errors="coerce")
    taken = {g.column for g in found.values()}
    best: tuple[float, str] | None = None
    for one in looks.values():
        if one.name in taken or one.holds is not Holds.NUMBER or one.distinct <= FEW or BEFORE.search(one.name):
            continue
        true = pd.to_numeric(frame[one.name], errors="coerce")
        alike = float(said.corr(true))
        if alike > ALIKE and 0.5 < float(true.mean() / said.mean()) < 2 and (best is None or alike > best[0]):
            best = (alike, one.name)
    return (
        {Word.LABEL: Guess(column=best[1], why=f"closest to the answers (r = {best[0]:.2f}); check it")} if best else {}
    )
