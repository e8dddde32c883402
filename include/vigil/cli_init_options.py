"""The options of `vigil init`, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from vigil.core.errors import DataError
from vigil.onboarding.columns import DayOrMonth
from vigil.onboarding.request import Asked
from vigil.onboarding.roles import Word


def column(what: str) -> Any:
    """The option that names a column of the log."""
    return typer.Option(help=f"Column of {what}; guessed if not given.")


ServedAt = Annotated[str | None, column("the time of the prediction")]
PredictionId = Annotated[str | None, column("the id of the prediction")]
ModelVersion = Annotated[str | None, column("the model version")]
Score = Annotated[str | None, column("the score")]
Prediction = Annotated[str | None, column("the answer")]
Label = Annotated[str | None, column("the true outcome")]
ObservedAt = Annotated[str | None, column("the time when the outcome was known")]
LatencyMs = Annotated[str | None, column("the latency in milliseconds")]


@dataclass(frozen=True)
class InitOptions:
    """What a person may say of a log and of the model that wrote it."""

    log: Annotated[
        str, typer.Option(help="Prediction log: a file, a glob, or an address such as s3://bucket/*.parquet.")
    ]
    outcomes: Annotated[
        str | None, typer.Option(help="Log of the outcomes, if they are not in the prediction log.")
    ] = None
    reference: Annotated[
        str | None, typer.Option(help="Reference rows, such as a holdout; default: the first nights of the log.")
    ] = None
    owner: Annotated[str | None, typer.Option(help="E-mail of the model's owner.")] = None
    favourable: Annotated[str | None, typer.Option(help="The answer that is favourable for the person.")] = None
    positive: Annotated[str | None, typer.Option(help="The positive class of the label; guessed if not given.")] = None
    protected: Annotated[
        list[str] | None, typer.Option(help="Protected attribute, or ATTRIBUTE=REFERENCE_GROUP. May be repeated.")
    ] = None
    no_protected: Annotated[bool, typer.Option("--no-protected", help="Do not watch fairness.")] = False
    served_at: ServedAt = None
    prediction_id: PredictionId = None
    model_version: ModelVersion = None
    score: Score = None
    score_scale: Annotated[
        str | None, typer.Option(help="Scale of the score: 1 (0 to 1), 100 (per cent) or logit; guessed if not given.")
    ] = None
    prediction: Prediction = None
    label: Label = None
    observed_at: ObservedAt = None
    latency_ms: LatencyMs = None
    only: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE: only these rows, if the log holds several models. May be repeated."),
    ] = None
    exclude: Annotated[list[str] | None, typer.Option(help="Column that is not a feature. May be repeated.")] = None
    numeric: Annotated[
        list[str] | None, typer.Option(help="Feature whose whole numbers are quantities, not codes. May be repeated.")
    ] = None
    category: Annotated[
        list[str] | None, typer.Option(help="Feature whose whole numbers are codes of categories. May be repeated.")
    ] = None
    max_features: Annotated[
        int, typer.Option("--max-features", "--most-features", help="Maximum number of features to watch.")
    ] = 200
    dates: Annotated[
        DayOrMonth | None,
        typer.Option(help="Day or month first in dates such as 03/04/2026, if the log does not show it."),
    ] = None
    timezone: Annotated[str, typer.Option(help="Time zone of a night, and of times without an offset.")] = "UTC"
    environment: Annotated[str, typer.Option(help="Environment: production or staging.")] = "production"
    description: Annotated[str, typer.Option(help="What the model does, in one line.")] = ""
    nights: Annotated[int, typer.Option(help="Maximum number of past nights to judge now.")] = 60
    force: Annotated[bool, typer.Option("--force", help="Replace an existing monitor, and read its log again.")] = False

    def request(self, name: str, home: Path) -> Asked:
        """What is asked of the log. home: of the project, which addresses below it are relative to."""
        columns = {
            Word.SERVED_AT: self.served_at, Word.PREDICTION_ID: self.prediction_id,
            Word.MODEL_VERSION: self.model_version, Word.SCORE: self.score, Word.PREDICTION: self.prediction,
            Word.LABEL: self.label, Word.OBSERVED_AT: self.observed_at, Word.LATENCY: self.latency_ms,
        }  # fmt: skip
        return Asked(
            name=name, log=address(self.log, home), outcomes=address(self.outcomes, home) if self.outcomes else None,
            columns={word: column for word, column in columns.items() if column},
            only=dict(_pair(text, "--only") for text in self.only or []), exclude=tuple(self.exclude or ()),
            numeric=tuple(self.numeric or ()), category=tuple(self.category or ()), positive=self.positive,
            score_scale=self.score_scale, dates=self.dates, no_protected=self.no_protected,
            protected=tuple(text.partition("=")[0] for text in self.protected or []),
            timezone=self.timezone, environment=self.environment, most_features=self.max_features,
        )  # fmt: skip

    @property
    def reference_groups(self) -> dict[str, str]:
        """Protected attribute -> the reference group that was given with it."""
        pairs = (text.partition("=") for text in self.protected or [])
        return {attribute: group for attribute, equals, group in pairs if equals}


def _pair(text: str, flag: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals:
        raise DataError(f"{flag} {text}: write it as {flag} COLUMN=VALUE")
    return left, right


def address(path: str, home: Path) -> str:
    """The path as the YAML stores it: relative to the project if the file is inside it, else absolute."""
    if "://" in path:
        return path
    absolute = Path(path).expanduser().absolute()
    try:
        return absolute.relative_to(home).as_posix()
    except ValueError:
        return absolute.as_posix()
