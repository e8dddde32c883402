"""Addition of profiles: associative, commutative, with an identity. Nights add up to windows without a rescan."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TypeVar

from vigil.core.errors import MismatchedEdges
from vigil.profiles.aggregates import EXAMPLES, HASHES
from vigil.profiles.types import (
    CategoryColumn,
    Cell,
    Columns,
    Contribution,
    Errors,
    NumericColumn,
    Outcome,
    Profile,
    Service,
)

T = TypeVar("T")
N = TypeVar("N", int, float)
S = TypeVar("S", Cell, Contribution, Errors)


def merge(a: Profile, b: Profile) -> Profile:
    """The profile of the rows of both. Raises MismatchedEdges for different edges, or different models."""
    if (a.edges_digest, a.monitor, a.environment) != (b.edges_digest, b.monitor, b.environment):
        raise MismatchedEdges(
            f"profiles of {a.monitor}/{a.environment} (edges {a.edges_digest}) and {b.monitor}/{b.environment} "
            f"(edges {b.edges_digest}) do not add up: re-profile the older one on the new edges"
        )
    return Profile(
        monitor=a.monitor,
        environment=a.environment,
        task=a.task,
        nights=tuple(sorted({*a.nights, *b.nights})),
        roles=tuple(sorted({*a.roles, *b.roles})),
        versions=_numbers(a.versions, b.versions),
        pipelines=_numbers(a.pipelines, b.pipelines),
        edges_digest=a.edges_digest,
        rows=a.rows + b.rows,
        duplicates=a.duplicates + b.duplicates,
        conflicting=a.conflicting + b.conflicting,
        unnamed=a.unnamed + b.unnamed,
        columns=merge_columns(a.columns, b.columns),
        prediction=merge_columns(a.prediction, b.prediction),
        groups=_maps(a.groups, b.groups, _cells),
        group_columns=_maps(a.group_columns, b.group_columns, merge_columns),
        hours=_maps(a.hours, b.hours, _pairs),
        service=_service(a.service, b.service),
        outcome=_outcome(a.outcome, b.outcome),
        group_scores=_maps(a.group_scores, b.group_scores, lambda x, y: _maps(x, y, _bins)),
        group_overruled=_maps(a.group_overruled, b.group_overruled, lambda x, y: _maps(x, y, _bins)),
        crossed=_maps(a.crossed, b.crossed, _cells),
        strata=_maps(a.strata, b.strata, lambda x, y: _maps(x, y, _pairs)),
        contributions=_maps(a.contributions, b.contributions, _fields),
        flags=_pairs(a.flags, b.flags),
        sums=_maps(a.sums, b.sums, _numbers),
        hours_service=_pairs(a.hours_service, b.hours_service),
    )


def merge_all(profiles: Sequence[Profile]) -> Profile:
    """The sum of one or more profiles, in any order. Raises ValueError for none."""
    if not profiles:
        raise ValueError("there is no profile to add up")
    return reduce(merge, profiles)


def nothing_like(profile: Profile) -> Profile:
    """The identity of addition for profiles of this monitor and these edges."""
    return Profile(
        monitor=profile.monitor,
        environment=profile.environment,
        task=profile.task,
        edges_digest=profile.edges_digest,
    )


def _maps(a: Mapping[str, T], b: Mapping[str, T], add: Callable[[T, T], T]) -> dict[str, T]:
    both = {key: add(a[key], b[key]) if key in a and key in b else (a[key] if key in a else b[key]) for key in {*a, *b}}
    return dict(sorted(both.items()))


def _numbers(a: Mapping[str, N], b: Mapping[str, N]) -> dict[str, N]:
    return _maps(a, b, lambda x, y: x + y)


def _pair(a: tuple[N, N], b: tuple[N, N]) -> tuple[N, N]:
    return a[0] + b[0], a[1] + b[1]


def _pairs(a: Mapping[str, tuple[N, N]], b: Mapping[str, tuple[N, N]]) -> dict[str, tuple[N, N]]:
    return _maps(a, b, _pair)


def _bins(a: Sequence[N], b: Sequence[N]) -> tuple[N, ...]:
    if not a or not b:
        return tuple(a or b)
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _fields(a: S, b: S) -> S:
    """Of values that have nothing but numbers: each is added."""
    return type(a)(**{name: getattr(a, name) + getattr(b, name) for name in type(a).model_fields})


def _cells(a: Mapping[str, Cell], b: Mapping[str, Cell]) -> dict[str, Cell]:
    return _maps(a, b, _fields)


def _extreme(pick: Callable[..., float], a: float | None, b: float | None) -> float | None:
    known = [x for x in (a, b) if x is not None]
    return pick(known) if known else None


def add_numeric(a: NumericColumn, b: NumericColumn) -> NumericColumn:
    """The column of the rows of both."""
    summed = {
        name: getattr(a, name) + getattr(b, name)
        for name in (
            "rows",
            "nulls",
            "nans",
            "infs",
            "wrong_type",
            "total",
            "total_sq",
            "tail_rows",
            "low_tail",
            "high_tail",
        )
    }
    return NumericColumn(
        **summed,
        bins=_bins(a.bins, b.bins),
        smallest=_extreme(min, a.smallest, b.smallest),
        largest=_extreme(max, a.largest, b.largest),
    )


def add_category(a: CategoryColumn, b: CategoryColumn) -> CategoryColumn:
    """The column of the rows of both."""
    return CategoryColumn(
        rows=a.rows + b.rows,
        nulls=a.nulls + b.nulls,
        levels=_numbers(a.levels, b.levels),
        other=a.other + b.other,
        new=a.new + b.new,
        new_hashes=tuple(sorted({*a.new_hashes, *b.new_hashes}))[:HASHES],
        new_examples=tuple(sorted({*a.new_examples, *b.new_examples}))[:EXAMPLES],
    )


def merge_columns(a: Columns, b: Columns) -> Columns:
    """The columns of the rows of both."""
    return Columns(
        numeric=_maps(a.numeric, b.numeric, add_numeric), category=_maps(a.category, b.category, add_category)
    )


SERVED = ("requests", "ok", "errors", "timeouts", "fallback", "other_words")


def _service(a: Service, b: Service) -> Service:
    counts = {n: getattr(a, n) + getattr(b, n) for n in SERVED}
    return Service(**counts, latency_bins=_bins(a.latency_bins, b.latency_bins))


def _outcome(a: Outcome, b: Outcome) -> Outcome:
    return Outcome(
        labelled=a.labelled + b.labelled,
        contradictory=a.contradictory + b.contradictory,
        scores=_maps(a.scores, b.scores, _bins),
        confusion=_numbers(a.confusion, b.confusion),
        predictions=_numbers(a.predictions, b.predictions),
        log_loss=a.log_loss + b.log_loss,
        brier=a.brier + b.brier,
        errors=_fields(a.errors, b.errors),
        ranks=_numbers(a.ranks, b.ranks),
        weighted=_pairs(a.weighted, b.weighted),
        weighted_scores=_maps(a.weighted_scores, b.weighted_scores, _bins),
        weighted_losses=_pairs(a.weighted_losses, b.weighted_losses),
        overruled=_maps(a.overruled, b.overruled, _bins),
        weighted_overruled=_maps(a.weighted_overruled, b.weighted_overruled, _bins),
        neither=a.neither + b.neither,
        neither_examples=tuple(sorted({*a.neither_examples, *b.neither_examples}))[:EXAMPLES],
        bad_weights=a.bad_weights + b.bad_weights,
    )
