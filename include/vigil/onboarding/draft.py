"""A draft of a monitor from what a log holds and what people answered: written to be read and edited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.words import Task
from vigil.intake.decimals import Decimal
from vigil.intake.naming import absent
from vigil.intake.scores import Scale, probability
from vigil.intake.times import instants
from vigil.intake.types import Band
from vigil.onboarding.columns import Holds, Look, dated
from vigil.onboarding.decide import Meaning, delay_nights, meaning, task_of
from vigil.onboarding.groups import Candidate, candidates
from vigil.onboarding.labels import label
from vigil.onboarding.request import Asked
from vigil.onboarding.roles import Guess, Word, assign, deciding_score, split
from vigil.onboarding.score_scale import refuse_raw, scale_of
from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    import pandas as pd

OWN = ("environment", "model", "role", "served_at", "prediction_id", "status", "latency_ms", "model_version",
       "pipeline_version", "prediction", "score", "label")  # fmt: skip
MOST_LEVELS = 200  # of a category; more are ids, addresses, names
LEAST_ROWS = 30


REFUSED = {
    Holds.ID: "an id: another value in nearly every row, so every night would be new",
    Holds.TIME: "a time: it moves every night",
    Holds.EMPTY: "empty",
    Holds.OPAQUE: "lists, structures, bytes or durations: nothing that can be counted; log a number or a word",
}


class Draft(Spec):
    """All that was understood. `left_out`: column -> why it is no feature."""

    asked: Asked
    task: Task
    rows: int
    roles: dict[Word, Guess]
    served_at: Look
    observed_at: Look | None = None
    apart: bool = False  # outcomes are in a log of their own
    label: str | None = None
    label_id: str | None = None  # the column that joins outcomes that are apart
    features: dict[str, FeatureType]
    columns: dict[str, str]  # Vigil's word or feature -> column there, where they differ
    text: dict[str, str]
    left_out: dict[str, str]
    score_scale: Scale = 1.0
    decimal: Decimal = "."
    missing: tuple[str, ...] = ()  # words that say in the log that a value is missing
    meaning: Meaning | None = None
    protected: tuple[Candidate, ...] = ()
    delay_nights: int = 0
    rows_a_night: int
    nights: int

    @property
    def bands(self) -> dict[str, Band]:
        """Groups that are cut from numbers."""
        return {p.attribute: p.band for p in self.protected if p.band}


def draft(asked: Asked, frame: pd.DataFrame, looks: Mapping[str, Look], truth: pd.DataFrame | None = None) -> Draft:
    """What a sample of a log says. Raises DataError where Vigil could not watch it, with what to do.

    frame: the sample, text as text. truth: a sample of the outcomes where they are apart.
    """
    if len(frame) < LEAST_ROWS:
        rows = "row" if len(frame) == 1 else "rows"
        raise DataError(
            f"{asked.log} has {len(frame)} {rows}: too few to draft a monitor; at least {LEAST_ROWS} are required"
        )
    _one_model(asked, looks)
    _kinds_fit(asked, looks)
    inside = {w: c for w, c in asked.columns.items() if truth is None or w not in (Word.LABEL, Word.OBSERVED_AT)}
    roles = assign(looks, inside)
    if truth is not None:
        roles = {w: g for w, g in roles.items() if w not in (Word.LABEL, Word.OBSERVED_AT)}
    roles |= split(frame, looks, roles)
    if Word.SCORE not in asked.columns:
        roles |= deciding_score(frame, looks, roles)
    there = f"The columns are: {', '.join(list(looks)[:40])}"
    if Word.SERVED_AT not in roles:
        raise DataError(
            f"{asked.log} has no column of times, so rows cannot be assigned to nights; name it with --served-at, "
            f"or add one. {there}"
        )
    times = [g.column for w, g in roles.items() if w in (Word.SERVED_AT, Word.OBSERVED_AT)]
    looks = {**looks, **{name: dated(looks[name], asked.dates) for name in times}}
    if truth is None and Word.LABEL not in roles:
        nights = _days(asked, frame, looks[roles[Word.SERVED_AT].column])
        guess = label(frame, looks, roles, nights)
        roles |= {Word.LABEL: guess} if guess else {}
    if Word.SCORE in roles and Word.SCORE not in asked.columns:
        roles = _without_score(looks, roles)
    known = {w: looks[g.column] for w, g in roles.items()}
    if Word.SCORE not in known and (Word.PREDICTION not in known or known[Word.PREDICTION].distinct <= 2):
        refuse_raw(looks, {*asked.exclude, *asked.columns.values(), *(g.column for g in roles.values())})
    if Word.PREDICTION not in known and Word.SCORE not in known:
        raise DataError(f"{asked.log} has no column of answers; name it with --prediction or --score. {there}")
    _score_is_number(frame, known.get(Word.SCORE))
    return _draft(asked, frame, looks, roles, known, truth)


def _without_score(looks: Mapping[str, Look], roles: dict[Word, Guess]) -> dict[Word, Guess]:
    """Only answers of two kinds have a score: where there are more, a share or a percentage is a feature."""
    if Word.PREDICTION not in roles:
        return roles
    labels = looks[roles[Word.LABEL].column] if Word.LABEL in roles else None
    if task_of(looks[roles[Word.PREDICTION].column], None, labels) is Task.BINARY:
        return roles
    return {w: g for w, g in roles.items() if w is not Word.SCORE}


def _days(asked: Asked, frame: pd.DataFrame, served_at: Look) -> pd.Series:
    """The local day of each row."""
    from vigil.onboarding.truth import time_of

    days: pd.Series = (
        instants(frame, time_of(served_at, asked.timezone), asked.log).dt.tz_convert(asked.timezone).dt.date
    )
    return days


def _score_is_number(frame: pd.DataFrame, score: Look | None) -> None:
    if score is not None and score.holds not in (Holds.NUMBER, Holds.CONSTANT):
        said = frame[score.name].dropna()
        such = f", such as {str(said.iloc[0])[:20]!r}" if len(said) else ""
        raise DataError(
            f"{score.name} cannot be the score: its values are not numbers{such}; name another column with --score"
        )


def _kinds_fit(asked: Asked, looks: Mapping[str, Look]) -> None:
    """Raises DataError where --numeric or --category name a column that is not there, or that has no numbers."""
    for flag, names in (("--numeric", asked.numeric), ("--category", asked.category)):
        for name in names:
            if name not in looks:
                raise DataError(absent(name, looks, flag))
            if flag == "--numeric" and not looks[name].counts:
                raise DataError(f"--numeric {name}: the column has values that are not numbers, so it is a category")


def _one_model(asked: Asked, looks: Mapping[str, Look]) -> None:
    for name, one in looks.items():
        named = re.fullmatch(r"model(_?name|_?id)?", name, re.IGNORECASE)
        if named and 1 < one.distinct <= 50 and name not in asked.only:
            shown = ", ".join(one.levels[:5])
            raise DataError(
                f"{asked.log} holds predictions of {one.distinct} models ({name}: {shown}); "
                f"choose one with --only {name}={one.levels[0]}"
            )


def _draft(
    asked: Asked,
    frame: pd.DataFrame,
    looks: Mapping[str, Look],
    roles: dict[Word, Guess],
    known: dict[Word, Look],
    truth: pd.DataFrame | None,
) -> Draft:
    from vigil.onboarding.truth import Labels, labels_of

    labels: Labels = labels_of(asked, frame, roles, looks, truth)
    protected = () if asked.no_protected else tuple(candidates(looks, asked.protected))
    task = task_of(known.get(Word.PREDICTION), known.get(Word.SCORE), labels.look)
    if task is not Task.BINARY:
        protected = ()
    taken = {g.column for g in roles.values()} | {p.column for p in protected if p.band is None} | set(asked.only)
    features, columns, text, left = _features(asked, looks, taken)
    columns |= {
        w.value: g.column
        for w, g in roles.items()
        if w not in (Word.SERVED_AT, Word.LABEL, Word.OBSERVED_AT) and w.value != g.column
    }
    score = known.get(Word.SCORE) if task is Task.BINARY else None
    prediction = roles[Word.PREDICTION].column if Word.PREDICTION in roles else None
    said, scale = None, scale_of(score, asked.score_scale) if score is not None else 1.0
    if task is Task.BINARY:
        said = meaning(
            _scaled(labels.frame, score, scale),
            prediction=prediction,
            score=score.name if score else None,
            label=labels.label,
            said=asked.positive,
        )
    days = labels.served.dropna().dt.tz_convert(asked.timezone).dt.date
    nights = int(days.nunique())
    return Draft(
        asked=asked,
        task=task,
        rows=len(frame),
        roles=roles,
        served_at=known[Word.SERVED_AT],
        observed_at=labels.observed_look,
        apart=truth is not None,
        label=labels.label_there,
        label_id=labels.key_there,
        features=features,
        columns=columns,
        text=text,
        left_out=left,
        score_scale=scale,
        meaning=said,
        protected=protected,
        delay_nights=_delay(labels),
        rows_a_night=int(days.value_counts().median()) if nights else 0,
        nights=nights,
    )


def _scaled(frame: pd.DataFrame, score: Look | None, scale: Scale) -> pd.DataFrame:
    return frame if score is None or scale == 1 else frame.assign(**{score.name: probability(frame[score.name], scale)})


def _delay(labels: Any) -> int:
    if labels.label is None:
        return 0
    return delay_nights(labels.frame, served=labels.served, observed=labels.observed, label=labels.label)


def _features(
    asked: Asked, looks: Mapping[str, Look], taken: set[str]
) -> tuple[dict[str, FeatureType], dict[str, str], dict[str, str], dict[str, str]]:
    """(features, columns that have another name there, text columns, column -> why it is left out)."""
    features: dict[str, FeatureType] = {}
    columns: dict[str, str] = {}
    text: dict[str, str] = {}
    left: dict[str, str] = {}
    for name, one in looks.items():
        if name in taken:
            continue
        why = _refused(asked, one)
        if why is None and len(features) >= asked.most_features:
            why = f"only the first {asked.most_features} features are watched; raise --max-features"
        if why is not None:
            left[name] = why
            continue
        word = f"{name}_there" if name in OWN else name
        if word != name:
            columns[word] = name
        if one.holds is Holds.TEXT:
            text[word] = name
            features |= {f"{word}__{what}": FeatureType.NUMERIC for what in ("length", "words", "non_letters")}
        else:
            features[word] = _kind(asked, one)
    return features, columns, text, left


def _kind(asked: Asked, one: Look) -> FeatureType:
    """How a feature is watched: as people said, else by its values."""
    if one.name in asked.numeric:
        return FeatureType.NUMERIC
    return FeatureType.NUMERIC if one.quantity and one.name not in asked.category else FeatureType.CATEGORY


def _refused(asked: Asked, one: Look) -> str | None:
    """Why a column is no feature, or None."""
    if one.name in asked.exclude:
        return "you left it out"
    if one.holds is Holds.CATEGORY and one.distinct > MOST_LEVELS:
        return f"{one.distinct} different values: names or codes, not a category"
    return REFUSED.get(one.holds)
