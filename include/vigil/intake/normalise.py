"""Converts rows of an existing log to Vigil's format: names, times, scores, values, groups. Nothing is guessed here.

A row without a readable time is returned with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.core.errors import DataError
from vigil.core.words import Status
from vigil.intake.column_values import OF_A_REQUEST, Wanted, text, values_of
from vigil.intake.decimals import pointed
from vigil.intake.naming import absent
from vigil.intake.scores import probability
from vigil.intake.text_columns import text_columns
from vigil.intake.times import instants
from vigil.intake.types import Band, Source, Truth

if TYPE_CHECKING:
    import pandas as pd

UNVERSIONED = "unversioned"


class Rejected(NamedTuple):
    """A rejected row: its number in the file (from 1), and why."""

    row: int
    why: str


class Outcomes(NamedTuple):
    """Outcomes under Vigil's names (prediction_id, label, observed_at), and how many rows lack one of the three.

    A row is counted once, for the first that it lacks: `unlabelled` (no answer yet), `unnamed`, `undated`.
    """

    rows: pd.DataFrame
    unlabelled: int
    unnamed: int
    undated: int


class Rows(NamedTuple):
    """Predictions and outcomes under Vigil's names. excluded: rows of another model, by `only:`.

    Each row of the piece is in `predictions`, in `rejected`, or counted in `excluded`.
    """

    predictions: pd.DataFrame
    outcomes: Outcomes | None
    rejected: tuple[Rejected, ...]
    excluded: int = 0


def normalise(frame: pd.DataFrame, source: Source, wanted: Wanted, *, origin: str, first: int = 1) -> Rows:
    """One piece of a log in Vigil's format.

    origin: names the piece; ids are made of it and the row's number where the log has none.
    first: the number of the piece's first row in its file. Raises DataError where a column is missing or unusable.
    """
    import pandas as pd

    numbers = pd.Series(range(first, first + len(frame)), index=frame.index)
    mine = _mine(frame, source, origin)
    frame, numbers = _pointed(frame.loc[mine], source, wanted), numbers[mine]
    here = _renamed(frame, source, wanted)
    times = instants(frame, source.served_at, origin)
    kept = times.notna()
    out = here.loc[kept].copy()
    out["served_at"] = times[kept]
    if "prediction_id" in out:
        out["prediction_id"] = text(out["prediction_id"])
        unnamed = out["prediction_id"].isna()
        out.loc[unnamed, "prediction_id"] = [f"{origin}-{n}" for n in numbers[kept][unnamed]]
    else:
        out["prediction_id"] = [f"{origin}-{n}" for n in numbers[kept]]
    out = _own(out, wanted)
    rejected = [Rejected(int(n), f"{source.served_at.column} is no time") for n in numbers[~kept]]
    known = out["status"].isin(list(Status))
    unknown = zip(numbers[kept][~known], out.loc[~known, "status"], strict=True)
    rejected += [Rejected(int(n), _unknown(status)) for n, status in unknown]
    out = out[known]
    outcomes = None
    if source.outcomes is not None and source.apart is None:
        labelled, ids, served = frame.loc[out.index], out["prediction_id"], out["served_at"]
        outcomes = _labels(labelled, source, source.outcomes, ids, served, origin, wanted)
    return Rows(out, outcomes, tuple(rejected), int((~mine).sum()))


def _unknown(status: str) -> str:
    return f"status is {status!r}, none of {', '.join(Status)}; say what it means with `values: {{status: …}}`"


def normalise_reference(frame: pd.DataFrame, source: Source, wanted: Wanted, *, origin: str) -> pd.DataFrame:
    """Rows without times, ids or versions, such as a holdout: the wanted columns, and `label` where it is inside."""
    frame = frame.loc[_mine(frame, source, origin)] if set(source.only) <= set(frame.columns) else frame
    frame = _pointed(frame, source, wanted)
    missing = {c for c in wanted.further if _column(c, source) not in frame}
    wanted = wanted._replace(columns=tuple(c for c in wanted.columns if c not in missing))
    there = {word: name for word, name in source.columns.items() if word not in OF_A_REQUEST or name in frame}
    out = _renamed(frame, source.model_copy(update={"columns": there}), wanted)
    out = out.drop(columns=[c for c in ("prediction_id", "model_version", "role") if c in out])
    if source.outcomes is not None and source.outcomes.label in frame:
        out["label"] = values_of(frame[source.outcomes.label], "label", source, wanted)
    return out


def _column(word: str, source: Source) -> str:
    """The log's column for one of Vigil's names."""
    return source.bands[word].column if word in source.bands else source.columns.get(word, word)


def _pointed(frame: pd.DataFrame, source: Source, wanted: Wanted) -> pd.DataFrame:
    return pointed(frame, source.decimal, {source.columns.get(n, n) for n in wanted.numbers})


def _mine(frame: pd.DataFrame, source: Source, origin: str) -> pd.Series:
    import pandas as pd

    mine = pd.Series(True, index=frame.index)
    for column, value in source.only.items():
        if column not in frame:
            raise DataError(absent(column, frame.columns, f"{origin} (only)"))
        mine &= text(frame[column]) == value
    return mine


def normalise_outcomes(frame: pd.DataFrame, source: Source, wanted: Wanted, *, origin: str) -> Outcomes:
    """Outcomes from a log of their own. Raises DataError where a column is missing or unusable."""
    truth = source.outcomes
    if truth is None or truth.observed_at is None:
        raise DataError(f"{origin}: outcomes in a log of their own need `observed_at:` under `outcomes:`")
    key = truth.prediction_id or source.columns.get("prediction_id", "prediction_id")
    if key not in frame:
        raise DataError(absent(key, frame.columns, f"{origin} (outcomes)"))
    return _labels(pointed(frame, source.decimal), source, truth, text(frame[key]), None, origin, wanted)


def _renamed(frame: pd.DataFrame, source: Source, wanted: Wanted) -> pd.DataFrame:
    """The wanted columns under Vigil's names, values translated, scores in [0, 1], groups cut."""
    import pandas as pd

    made: dict[str, Any] = {}
    for name in dict.fromkeys((*wanted.columns, *OF_A_REQUEST)):
        there = source.columns.get(name, name)
        if name in source.bands:
            made[name] = _band(frame, source.bands[name])
        elif there in frame:
            made[name] = values_of(frame[there], name, source, wanted)
        elif name in source.columns:
            raise DataError(absent(there, frame.columns, f"columns.{name}"))
    made |= _of_text(frame, source)
    if wanted.score and wanted.score in made:
        made[wanted.score] = probability(made[wanted.score], source.score_scale)
    if wanted.prediction not in made and wanted.threshold is not None and wanted.score in made:
        made[wanted.prediction] = _decided(made[wanted.score], wanted)
    return pd.DataFrame(made, index=frame.index)


def _decided(score: pd.Series, wanted: Wanted) -> pd.Series:
    decided = (score >= (wanted.threshold or 0)).map({True: wanted.above, False: wanted.below})
    return decided.astype(object).where(score.notna(), None)


def _band(frame: pd.DataFrame, band: Band) -> pd.Series:
    import numpy as np
    import pandas as pd

    if band.column not in frame:
        raise DataError(absent(band.column, frame.columns, "bands"))
    numbers = pd.to_numeric(frame[band.column], errors="coerce")
    cut = np.searchsorted(np.asarray(band.edges), numbers.fillna(0), side="right")
    return pd.Series(np.asarray(band.labels, dtype=object)[cut], index=frame.index).where(numbers.notna(), None)


def _of_text(frame: pd.DataFrame, source: Source) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, column in source.text.items():
        if column not in frame:
            raise DataError(absent(column, frame.columns, f"text.{name}"))
        made |= text_columns(name, frame[column], source.text_rules)
    return made


def _own(out: pd.DataFrame, wanted: Wanted) -> pd.DataFrame:
    """The log's own columns, where the source has none."""
    import pandas as pd

    out["environment"] = wanted.environment
    if "status" in out:
        out["status"] = out["status"].str.lower()
    for name, value in (("model_version", UNVERSIONED), ("role", "champion"), ("status", "ok")):
        out[name] = out[name].fillna(value) if name in out else value
    given = out["latency_ms"] if "latency_ms" in out else pd.Series(float("nan"), index=out.index)
    out["latency_ms"] = pd.to_numeric(given, errors="coerce").astype(float)
    return out


def _labels(
    frame: pd.DataFrame,
    source: Source,
    truth: Truth,
    ids: pd.Series,
    served: pd.Series | None,
    origin: str,
    wanted: Wanted,
) -> Outcomes:
    import pandas as pd

    if truth.label not in frame:
        raise DataError(absent(truth.label, frame.columns, f"{origin} (outcomes)"))
    label = values_of(frame[truth.label], "label", source, wanted)
    seen: Any = pd.NaT
    if truth.observed_at is not None:
        seen = instants(frame, truth.observed_at, origin)
    elif served is not None:
        seen = served + pd.Timedelta(days=truth.after_days)
    made = pd.DataFrame({"prediction_id": ids, "label": label, "observed_at": seen}, index=frame.index)
    labelled, named, dated = (made[name].notna() for name in ("label", "prediction_id", "observed_at"))
    return Outcomes(
        rows=made[labelled & named & dated],
        unlabelled=int((~labelled).sum()),
        unnamed=int((labelled & ~named).sum()),
        undated=int((labelled & named & ~dated).sum()),
    )
