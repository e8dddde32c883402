"""Guesses the role of each column from its name and values, with a reason; options overrule every guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.intake.naming import absent
from vigil.onboarding.columns import Holds, Look
from vigil.onboarding.score_scale import LOG_ODDS

if TYPE_CHECKING:
    import pandas as pd


class Word(StrEnum):
    """The roles that columns of a log can have."""

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
        LOG_ODDS.pattern,
        r"^p_|_pct$|percent",
    ),
    Word.PREDICTION: (
        r"predict|y_?hat|forecast",
        r"decision|decided|recommend|verdict|(^|_)(class|answer|action|offer)",
        r"estimate|output|intent",
        r"vorhersage|prognose|entscheid|pr[eé]vision|pron[oó]stico|d[eé]cision",
    ),
    Word.LABEL: (
        r"label|target|truth|actual|(^|_)true(_|$)|ground|outcome",
        r"subscribed|default|churn|fraud|converted|returned",
        r"result|response|sold|bought|paid|count$",
    ),
}
BEFORE = re.compile(r"previous|prior|earlier|last|past|history", re.IGNORECASE)  # what was known before is no label
FEW = 20  # different numbers; more are a quantity
TRUE_FALSE = ({"0", "1"}, {"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"})


class Guess(Spec):
    """The column of a role, and why it was chosen."""

    column: str
    why: str


def assign(looks: Mapping[str, Look], given: Mapping[Word, str]) -> dict[Word, Guess]:
    """A column for each word that has one, but the label. `given` is what people said: it must exist, and stands."""
    for word, name in given.items():
        if name not in looks:
            raise DataError(absent(name, looks, f"--{word.value.replace('_', '-')}"))
    found = {word: Guess(column=name, why="as you said") for word, name in given.items()}
    order = (Word.SERVED_AT, Word.OBSERVED_AT, Word.PREDICTION_ID, Word.MODEL_VERSION, Word.LATENCY, Word.SCORE,
             Word.PREDICTION, Word.STATUS)  # fmt: skip
    for word in order:
        taken = {g.column for g in found.values()}
        if word not in found:
            free = [c for c in looks.values() if c.name not in taken]
            best = _best(word, free)
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
        if one.name in taken or not binary(one) or one.missing > 0.5 or len(one.levels) != 2 or sounds(one) is not None:
            continue
        if _apart(score, frame[one.name]):
            return {Word.PREDICTION: Guess(column=one.name, why="the score tells its two values apart")}
    return {}


def deciding_score(frame: pd.DataFrame, looks: Mapping[str, Look], found: Mapping[Word, Guess]) -> dict[Word, Guess]:
    """The score that the decision follows, where the guessed one does not decide: `bureau_score` is often a feature.

    Only where exactly one column with the name of a score tells the two decisions apart; else nothing is changed.
    """
    import pandas as pd

    if Word.SCORE not in found or Word.PREDICTION not in found or not binary(looks[found[Word.PREDICTION].column]):
        return {}
    answer, taken = frame[found[Word.PREDICTION].column], {g.column for w, g in found.items() if w is not Word.SCORE}
    named = [c for c in looks.values() if c.name not in taken and fits(Word.SCORE, c) and _named(Word.SCORE, c)]
    decide = [c.name for c in named if _apart(pd.to_numeric(frame[c.name], errors="coerce"), answer)]
    if len(decide) != 1 or decide[0] == found[Word.SCORE].column:
        return {}
    return {Word.SCORE: Guess(column=decide[0], why=f"the only score that tells the values of {answer.name} apart")}


def _named(word: Word, one: Look) -> bool:
    return any(re.search(pattern, one.name, re.IGNORECASE) for pattern in NAMES[word])


def _apart(score: pd.Series, answer: pd.Series) -> bool:
    """Whether all scores of one answer lie below all scores of the other (they may touch: scores are rounded)."""
    spans = score.groupby(answer).agg(["min", "max"]).sort_values("min")
    return len(spans) == 2 and float(spans["max"].iloc[0]) <= float(spans["min"].iloc[1])


def sounds(one: Look) -> int | None:
    """How well a name matches that of a label: 0 is best, None not at all."""
    return next((n for n, p in enumerate(NAMES[Word.LABEL]) if re.search(p, one.name, re.IGNORECASE)), None)


def _best(word: Word, looks: list[Look]) -> Guess | None:
    if word is Word.PREDICTION:  # `predicted_label` is one, `true_intent` is none while there is another
        sure = [one for one in looks if sounds(one) != 0 or re.search(NAMES[word][0], one.name, re.IGNORECASE)]
        return _by_name(word, sure) or _by_name(word, looks)
    if by_name := _by_name(word, looks):
        return by_name
    if word is Word.SERVED_AT:
        times = [c for c in looks if c.holds is Holds.TIME]
        return Guess(column=times[0].name, why="the only times there are") if len(times) == 1 else None
    if word is Word.PREDICTION_ID:
        ids = [c for c in looks if fits(word, c) and c.distinct == c.rows]
        return Guess(column=ids[0].name, why="the only ids there are; check it") if len(ids) == 1 else None
    return None


def _by_name(word: Word, looks: list[Look]) -> Guess | None:
    """The column with the surest name. Of names alike: one that never changes comes last, a whole name (`score`)
    before one with more words (`bureau_score`)."""
    for place, pattern in enumerate(NAMES[word]):
        for one in sorted(looks, key=lambda one: (one.holds is Holds.CONSTANT, not _whole(word, pattern, one.name))):
            if re.search(pattern, one.name, re.IGNORECASE) and fits(word, one):
                return Guess(column=one.name, why="by its name and values" if place < 2 else "by its name; check it")
    return None


def _whole(word: Word, pattern: str, name: str) -> bool:
    return name.lower() == word.value or re.fullmatch(pattern, name, re.IGNORECASE) is not None


def fits(word: Word, one: Look) -> bool:
    """Whether the values may be what the word means."""
    return FITS[word](one)


def _few(one: Look) -> bool:
    return one.holds in (Holds.CATEGORY, Holds.CONSTANT) or (one.holds is Holds.NUMBER and 0 < one.distinct <= FEW)


def binary(one: Look) -> bool:
    """Whether a column has two values."""
    return one.distinct == 2 or {level.lower() for level in one.levels} in TRUE_FALSE


def _log_odds(one: Look) -> bool:
    return bool(LOG_ODDS.search(one.name))


def _positive(one: Look) -> bool:
    return one.holds is Holds.NUMBER and (one.low or 0) >= 0


FITS: Mapping[Word, Callable[[Look], bool]] = {
    Word.SERVED_AT: lambda one: one.holds is Holds.TIME,
    Word.OBSERVED_AT: lambda one: one.holds is Holds.TIME,
    Word.PREDICTION_ID: lambda one: one.holds is Holds.ID and not one.missing,
    Word.MODEL_VERSION: lambda one: _few(one) and one.distinct <= 50,
    Word.STATUS: lambda one: {level.lower() for level in one.levels} <= {"ok", "error", "timeout"} and _few(one),
    Word.LATENCY: _positive,
    Word.SCORE: lambda one: (
        not binary(one)
        and ((_positive(one) and (one.high or 0) <= 100) or (one.holds is Holds.NUMBER and _log_odds(one)))
    ),
    Word.PREDICTION: lambda one: one.holds is Holds.NUMBER or _few(one),
    Word.LABEL: lambda one: one.holds is Holds.NUMBER or _few(one),
}
