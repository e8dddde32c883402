"""Detects the scale of the scores: probabilities, per cent or log-odds; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from vigil.core.errors import DataError
from vigil.intake.scores import Scale
from vigil.onboarding.columns import Holds, Look

LOG_ODDS = re.compile(r"logit|log_?odds", re.IGNORECASE)
RAW = re.compile(
    r"((model|raw|predict\w*|y)_?)?scores?|margin|decision_function|raw_predict\w*|z_?score", re.IGNORECASE
)  # names of what a model gives before it is a probability


def scale_of(score: Look, said: str | None = None) -> Scale:
    """The scale of the score. said: what people said. Raises DataError where it is none, with what to say."""
    low, high = score.low or 0.0, score.high or 0.0
    if said is not None:
        return _said(said)
    if LOG_ODDS.search(score.name) and (low < 0 or high > 1):
        return "logit"
    if low < 0 or high > 100:
        raise DataError(_refused(score))
    return 100.0 if high > 1 else 1.0


def _said(said: str) -> Scale:
    try:
        scale = float(said)
    except ValueError:
        if said == "logit":
            return "logit"
        raise DataError(f"--score-scale {said}: use 1, 100 (or another maximum), or logit") from None
    if not scale > 0:
        raise DataError(f"--score-scale {said}: the maximum of the scale must be above 0")
    return scale


def refuse_raw(looks: Mapping[str, Look], apart: Collection[str]) -> None:
    """Raises DataError for a column that sounds like the score and can be no probability: as a feature, it would be
    the model's own answer. apart: columns that people left out, or that are something else."""
    for one in looks.values():
        if one.name not in apart and one.holds is Holds.NUMBER and RAW.fullmatch(one.name) and (one.low or 0) < 0:
            raise DataError(_refused(one))


def _refused(score: Look) -> str:
    return (
        f"{score.name} holds values from {score.low or 0:g} to {score.high or 0:g}: no probabilities (0 to 1) and no "
        f"percentages (0 to 100). If they are log-odds, say --score {score.name} --score-scale logit; else name the "
        f"probability with --score, or leave this column out with --exclude {score.name}"
    )
