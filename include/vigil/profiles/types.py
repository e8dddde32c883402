"""The profile: everything a metric needs about one night, and nothing about one row.

A profile is kept per monitor, environment, night, model version and role. `profiles.merge` adds two
of them; addition is associative and commutative, so nights add up to windows without a rescan.
"""

from collections.abc import Mapping
from datetime import date

from pydantic import Field

from vigil.core.spec import Spec
from vigil.core.words import Role, Task


class Edges(Spec):
    """Bin edges of one monitor, frozen from its first baseline and shared by all versions and roles.

    numeric: column -> strictly increasing finite edges. Bin j counts values x with
             edges[j-1] < x <= edges[j]; the first bin is x <= edges[0], the last x > edges[-1],
             so a column with k edges has k + 1 bins.
    levels:  column -> known category levels, in a fixed order: the most frequent of the reference.
    tails:   column -> the other levels that the reference had, which are counted together as "other".
    open:    columns with so many levels that the tail is not kept: what is not in `levels` is "other", never new.
    """

    numeric: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    tails: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    open: tuple[str, ...] = ()


class NumericColumn(Spec):
    """Counts and sums of one numeric column over `rows` rows.

    rows = nulls + nans + infs + wrong_type + sum(bins). Sums are over finite values only.
    low_tail and high_tail are the sums of the values beyond `profiles.edges.tails`, so that the Wasserstein distance
    stays right on skewed data; tail_rows are the finite values of which they were kept: 0 in older profiles.
    """

    rows: int = 0
    nulls: int = 0
    nans: int = 0
    infs: int = 0
    wrong_type: int = 0
    bins: tuple[int, ...] = ()
    total: float = 0.0
    total_sq: float = 0.0
    tail_rows: int = 0
    low_tail: float = 0.0
    high_tail: float = 0.0
    smallest: float | None = None
    largest: float | None = None

    @property
    def finite(self) -> int:
        """Rows with a usable value."""
        return self.rows - self.nulls - self.nans - self.infs - self.wrong_type


class CategoryColumn(Spec):
    """Counts per known level, and what was new: rows = nulls + sum(levels) + other + new.

    new_hashes: the smallest 64-bit hashes of the new levels, at most `aggregates.HASHES` of them: the number of new
    levels is exact up to there and estimated beyond (k minimum values), and it adds up over nights.
    """

    rows: int = 0
    nulls: int = 0
    levels: Mapping[str, int] = Field(default_factory=dict)
    other: int = 0  # rows with a level of the reference's long tail
    new: int = 0
    new_hashes: tuple[int, ...] = ()
    new_examples: tuple[str, ...] = ()  # first 5 in text order; text from data: escape before showing

    @property
    def filled(self) -> int:
        """Rows with a value, known or new."""
        return self.rows - self.nulls


class Columns(Spec):
    """The columns of one set of rows (all rows, or one protected group)."""

    numeric: Mapping[str, NumericColumn] = Field(default_factory=dict)
    category: Mapping[str, CategoryColumn] = Field(default_factory=dict)


class Cell(Spec):
    """Decision counts of one protected group (binary tasks). Labels are 1 = the positive class.

    n counts rows with a decision; favourable counts decisions with the monitor's favourable value.
    tp.. are over labelled rows, with "predicted positive" as the positive class of the *model*
    (score >= its threshold, or without a score what the answer says), not as the favourable decision.
    favourable_deserving / deserving: labelled rows whose label is the deserving one (for a credit
    model: did not default), and those of them that got the favourable decision (equal opportunity).
    """

    n: int = 0
    favourable: int = 0
    labelled: int = 0
    tp: int = 0
    fp: int = 0
    tn: int = 0
    fn: int = 0
    deserving: int = 0
    favourable_deserving: int = 0


class Service(Spec):
    """How the service answered. latency_bins are counted on `profiles.edges.LATENCY_EDGES_MS`."""

    requests: int = 0
    ok: int = 0
    errors: int = 0
    timeouts: int = 0
    fallback: int = 0
    other_words: int = 0  # of the errors: a status that is neither ok, error nor timeout
    latency_bins: tuple[int, ...] = ()


class Errors(Spec):
    """Exact sums over labelled rows of a regression: e = prediction - label."""

    n: int = 0
    total: float = 0.0  # sum of e
    absolute: float = 0.0  # sum of |e|
    squared: float = 0.0  # sum of e squared
    label_total: float = 0.0
    label_squared: float = 0.0
    relative: float = 0.0  # sum of |e / label| over rows whose label is not 0
    relative_squared: float = 0.0  # sum of its squares
    relative_n: int = 0  # rows whose label is not 0


class Outcome(Spec):
    """What the model said against what happened, over all rows.

    scores: "1" | "0" | "none" (label missing) -> counts on `profiles.edges.SCORE_EDGES` (binary).
    confusion: "predicted\tlabel" -> count, over labelled rows (binary and multiclass).
    overruled: "1" | "0" -> counts on `SCORE_EDGES` of the rows whose logged decision is positive ("1") or negative
               ("0") although the score lies on the other side of the threshold; weighted_overruled: their weights.
               Empty where no decision does, and in older profiles.
    predictions: predicted class -> count over all rows with a prediction (binary: the decision).
    log_loss, brier: exact sums over labelled rows with a score (binary).
    ranks: place of the label in the model's own order of classes, "1".."10" or "beyond" -> labelled rows (where the
           log has `data.ranking`).
    weighted: like confusion, (sum of sampling weights, sum of their squares); weighted_scores: like scores, sums of
              weights; weighted_losses: "log_loss" and "brier" -> (sum of weight times loss, sum of those weights). All
              are empty without `data.sampling_weight`, and the last one in profiles before version 4.
    neither: rows whose label is in a word of neither class (binary): they are not labelled rows, and in nothing else.
    neither_examples: the first 5 of those words in text order; text from data: escape before showing
    bad_weights: labelled rows whose weight is missing, negative or not finite; they are in no weighted sum.
    """

    labelled: int = 0
    contradictory: int = 0  # labels that disagree for one id: the latest observed_at is used
    scores: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    confusion: Mapping[str, int] = Field(default_factory=dict)
    predictions: Mapping[str, int] = Field(default_factory=dict)
    log_loss: float = 0.0
    brier: float = 0.0
    errors: Errors = Errors()
    ranks: Mapping[str, int] = Field(default_factory=dict)
    weighted: Mapping[str, tuple[float, float]] = Field(default_factory=dict)
    weighted_scores: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    weighted_losses: Mapping[str, tuple[float, float]] = Field(default_factory=dict)
    overruled: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    weighted_overruled: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    neither: int = 0
    neither_examples: tuple[str, ...] = ()
    bad_weights: int = 0


class Contribution(Spec):
    """How much one feature moved the predictions of the explained sample (`contrib__<feature>` of the log)."""

    n: int = 0  # explained rows with a finite contribution
    total: float = 0.0
    absolute: float = 0.0  # sum of |contribution|
    squared: float = 0.0


class Key(Spec):
    """Which rows a profile is about."""

    monitor: str
    environment: str
    night: date
    version: str
    role: Role


class Profile(Spec):
    """One night of one version in one role, or the sum of several (then `nights` has several).

    groups: protected attribute -> group -> Cell. Nulls form the group "(missing)". Of groups that neither the monitor
            nor the edges name, the 50 largest of a night; the others are "(other)". So are strata and pipelines.
    group_columns: "attribute=group" -> the feature columns of that group alone.
    hours: hour of the local day 0..23 -> "attribute=group" -> (n, favourable); "all" for everyone.
    pipelines / versions: pipeline_version / model_version -> rows.
    group_scores: "attribute=group" -> "1" | "0" | "none" -> counts on `profiles.edges.SCORE_EDGES` (binary).
    group_overruled: "attribute=group" -> as `Outcome.overruled`.
    crossed: "a+b" -> "x+y" -> Cell of an intersection, for the pairs in the monitor's `intersections`.
    strata: attribute -> level of the monitor's `strata` column -> group -> (n, favourable).
    contributions: feature -> sums of its contributions.  flags: column -> (rows where it is true, rows where known).
    sums: column of the monitor's `sums` -> cell -> sum of its finite values; cells are "all", "favourable",
          "unfavourable", and over labelled rows "tp", "fp", "fn", "tn". A cell whose rows have no number is not there.
    hours_service: hour of the local day -> (requests, those that failed).
    """

    schema_version: int = 5
    monitor: str
    environment: str
    task: Task
    nights: tuple[date, ...] = ()
    roles: tuple[Role, ...] = ()
    versions: Mapping[str, int] = Field(default_factory=dict)
    pipelines: Mapping[str, int] = Field(default_factory=dict)
    edges_digest: str
    rows: int = 0  # distinct prediction ids
    duplicates: int = 0  # further rows with an id already counted
    conflicting: int = 0  # of the duplicates: rows with other content than the row that counts
    unnamed: int = 0  # of the rows: without an id, so that no label finds them
    columns: Columns = Columns()
    prediction: Columns = Columns()  # the score (numeric "score") or regression value ("prediction")
    groups: Mapping[str, Mapping[str, Cell]] = Field(default_factory=dict)
    group_columns: Mapping[str, Columns] = Field(default_factory=dict)
    hours: Mapping[str, Mapping[str, tuple[int, int]]] = Field(default_factory=dict)
    service: Service = Service()
    outcome: Outcome = Outcome()
    group_scores: Mapping[str, Mapping[str, tuple[int, ...]]] = Field(default_factory=dict)
    group_overruled: Mapping[str, Mapping[str, tuple[int, ...]]] = Field(default_factory=dict)
    crossed: Mapping[str, Mapping[str, Cell]] = Field(default_factory=dict)
    strata: Mapping[str, Mapping[str, Mapping[str, tuple[int, int]]]] = Field(default_factory=dict)
    contributions: Mapping[str, Contribution] = Field(default_factory=dict)
    flags: Mapping[str, tuple[int, int]] = Field(default_factory=dict)
    sums: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    hours_service: Mapping[str, tuple[int, int]] = Field(default_factory=dict)
