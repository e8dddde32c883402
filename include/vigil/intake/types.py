"""`source:` of a monitor: where an existing log is, and what its columns mean."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vigil.core.spec import Spec, ValueWord
from vigil.core.zones import Zone
from vigil.intake.decimals import Decimal
from vigil.intake.text_facts import TextRules

Kind = Literal["auto", "parquet", "csv", "jsonl"]


class Time(Spec):
    """A column of times.

    format:   "auto" (ISO 8601, or times as the file stores them), "epoch_s", "epoch_ms", or strptime codes.
    timezone: of times that carry no offset. An hour that happens twice in autumn counts as summer time; one that does
              not exist in spring is moved to the next that does.
    """

    column: str  # its name in the log
    format: str = "auto"
    timezone: Zone = "UTC"


class Band(Spec):
    """A group that is cut from a number: [edge, next edge). `labels` has one more than `edges`, lowest first."""

    column: str  # the numbers, in the log
    edges: tuple[float, ...] = Field(min_length=1)  # where one group ends and the next begins
    labels: tuple[ValueWord, ...]  # names of the groups, lowest first

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.labels) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bands, but there are {len(self.labels)} labels"
            )
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must increase")
        return self


class Truth(Spec):
    """Where the outcomes are.

    where: "inside" (columns of the predictions), or where another log lies, like `predictions`.
    label: its column.
    prediction_id: the column that joins a log of its own; by default as in the predictions.
    observed_at: when the label was known. Without it, `after_days` after the prediction.
    """

    where: str = "inside"
    label: str
    prediction_id: str | None = None
    observed_at: Time | None = None
    after_days: int = Field(default=0, ge=0, le=400)  # days until a label counts as known, where no column tells


class Source(Spec):
    r"""An existing log. `vigil ingest`, and each night before it is judged, stores its new rows in Vigil's own log.

    predictions: a path, a glob, an address that fsspec knows (s3://bucket/*.parquet), or for a database a SELECT with
                 :start and :end (UTC, half-open) in it. Relative paths start where monitors/ is.
    database:    the environment variable that holds the database's URL; the SELECTs are then asked there.
    format:      of files whose ending does not tell.
    served_at:   when the prediction was made.
    columns:     Vigil's word, or a feature's name here -> its column there. Names that are alike need no line.
    values:      column (in Vigil's word) -> {value there: value here}: yes/no, codes, spellings of a group.
    score_scale: what the log calls certain: 1, or 100 for per cent; or "logit", where scores are log-odds.
    decimal:     "," where a CSV writes 5,2 for 5.2 (and 1.234,5 for 1234.5).
    missing:     words that say in any column of the log that a value is missing. Without it, `NULL`, `N/A`, `nan`, `\N`
                 and their like do so in numbers, answers and labels, and `NA`, `None` and `-` where they name no class.
    bands:       groups cut from numbers, such as age bands.
    only:        column there -> the value that belongs to this model, where a log holds several.
    text:        columns of text. What is kept of each: `<name>__length`, `<name>__words`, `<name>__non_letters`,
                 `<name>__refusal`, `<name>__handoff`, `<name>__pii` (1 or 0), `<name>__pii_kinds`, and with
                 `text_rules.languages` `<name>__language`. The text itself is not stored.
    text_rules:  phrases, languages and telephones in texts.
    """

    predictions: str
    database: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    format: Kind = "auto"
    served_at: Time
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[ValueWord, ValueWord]] = Field(default_factory=dict)
    score_scale: Annotated[float, Field(gt=0)] | Literal["logit"] = 1.0
    decimal: Decimal = "."
    missing: tuple[str, ...] = ()
    bands: dict[str, Band] = Field(default_factory=dict)
    only: dict[str, ValueWord] = Field(default_factory=dict)
    text: dict[str, str] = Field(default_factory=dict)
    text_rules: TextRules = TextRules()
    outcomes: Truth | None = None  # where the truth is, if it is known anywhere

    @model_validator(mode="after")
    def _asks(self) -> Self:
        for name, asked in (("predictions", self.predictions), ("outcomes", self.apart)):
            if self.database and asked and not {":start", ":end"} <= set(asked.replace(",", " ").split()):
                raise ValueError(
                    f"{name}: a SELECT needs the conditions `>= :start` and `< :end` (with spaces around them)"
                )
        return self

    @property
    def apart(self) -> str | None:
        """Address of the outcomes, if they are in a separate log."""
        return self.outcomes.where if self.outcomes and self.outcomes.where != "inside" else None
