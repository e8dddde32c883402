"""Profiles add up: in any order, from any halves, through storage; and what is counted is never lost."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.adapters.log_stage import NIGHT, NINE, monitor, outcome, row, table
from vigil.adapters.duckdb_scan import DuckDBScanner
from vigil.adapters.parquet_log import ParquetLog
from vigil.core.errors import MismatchedEdges
from vigil.core.window import night_window
from vigil.core.words import Role, Task
from vigil.profiles.aggregates import EXAMPLES, HASHES
from vigil.profiles.codec import CURRENT, decode, encode
from vigil.profiles.merge import merge, merge_all, nothing_like
from vigil.profiles.types import (
    CategoryColumn,
    Cell,
    Columns,
    Contribution,
    Edges,
    Errors,
    NumericColumn,
    Outcome,
    Profile,
    Service,
)

counts = st.integers(0, 10**6)
sums = st.integers(-(10**6), 10**6).map(lambda n: n / 4)  # exact in binary: addition has no rounding to differ by
names = st.sampled_from(["a", "b", "<script>", "🦜", "(missing)", ""])
pairs = st.tuples(counts, counts)


def counted(values, **more):
    return st.dictionaries(names, values, max_size=3, **more)


def bins(length, of=counts):
    return st.just(()) | st.tuples(*[of] * length)


def smallest(values, at_most):
    return st.sets(values, max_size=at_most).map(lambda found: tuple(sorted(found)))


def whole(kind, **fields):
    """Values of `kind` with every one of its fields drawn: a field that is forgotten here is an error."""
    plain = {name: counts for name, field in kind.model_fields.items() if field.annotation is int}
    floats = {name: sums for name, field in kind.model_fields.items() if field.annotation is float}
    given_fields = {**plain, **floats, **fields}
    assert set(given_fields) == set(kind.model_fields)
    return st.builds(kind, **given_fields)


numeric = whole(NumericColumn, bins=bins(3), **dict.fromkeys(("smallest", "largest"), st.none() | sums))
category = whole(
    CategoryColumn, levels=counted(counts), new_examples=smallest(st.text(max_size=3), EXAMPLES),
    new_hashes=smallest(st.integers(0, 40) | st.integers(0, 2**64 - 1), HASHES),
)  # fmt: skip
columns = whole(Columns, numeric=counted(numeric), category=counted(category))
cell = whole(Cell)
outcome_ = whole(
    Outcome, scores=counted(bins(2)), confusion=counted(counts), predictions=counted(counts), errors=whole(Errors),
    ranks=counted(counts), weighted=counted(st.tuples(sums, sums)), weighted_scores=counted(bins(2, sums)),
    weighted_losses=counted(st.tuples(sums, sums)),
    overruled=counted(bins(2)), weighted_overruled=counted(bins(2, sums)),
    neither_examples=smallest(st.text(max_size=3), EXAMPLES),
)  # fmt: skip
profiles = whole(
    Profile, schema_version=st.just(CURRENT), monitor=st.just("credit"), environment=st.just("staging"),
    task=st.just(Task.BINARY), edges_digest=st.just("e"),
    nights=smallest(st.dates(date(2026, 1, 1), date(2026, 12, 31)), 3), roles=smallest(st.sampled_from(Role), 3),
    versions=counted(counts), pipelines=counted(counts),
    columns=columns, prediction=columns, groups=counted(counted(cell)), group_columns=counted(columns),
    hours=counted(counted(pairs)), service=whole(Service, latency_bins=bins(4)), outcome=outcome_,
    group_scores=counted(counted(bins(2))),
    group_overruled=counted(counted(bins(2))), crossed=counted(counted(cell)), strata=counted(counted(counted(pairs))),
    contributions=counted(whole(Contribution)), flags=counted(pairs), sums=counted(counted(sums)),
    hours_service=counted(pairs),
)  # fmt: skip


def profile_with(**parts):
    return Profile(monitor="m", environment="e", task=Task.BINARY, edges_digest="e", **parts)


@settings(max_examples=30, deadline=None)
@given(profiles, profiles)
def test_the_order_of_addition_does_not_matter(a, b):
    assert merge(a, b) == merge(b, a)


@settings(max_examples=30, deadline=None)
@given(profiles, profiles, profiles)
def test_nights_add_up_to_windows_however_they_are_put_together(a, b, c):
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge_all([c, a, b])


@settings(max_examples=30, deadline=None)
@given(profiles)
def test_adding_nothing_changes_nothing(a):
    assert merge(a, nothing_like(a)) == a == merge(nothing_like(a), a)


@settings(max_examples=30, deadline=None)
@given(profiles)
def test_a_stored_profile_comes_back_the_same_and_under_the_same_bytes(a):
    assert decode(encode(a)) == a
    assert encode(decode(encode(a))) == encode(a)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_floats_survive_storage_to_the_last_bit(total, least):
    a = profile_with(columns=Columns(numeric={"x": NumericColumn(total=total, smallest=least)}))
    assert decode(encode(a)) == a


@settings(max_examples=30, deadline=None)
@given(profiles)
def test_every_number_of_a_night_is_in_the_sum_of_two_such_nights(a):
    kept = {
        "nights",
        "roles",
        "new_hashes",
        "new_examples",
        "neither_examples",
        "smallest",
        "largest",
        "schema_version",
    }

    def doubled(value, name=""):
        if isinstance(value, dict):
            return {key: doubled(part, key) for key, part in value.items()}
        if name in kept or isinstance(value, str):
            return value
        return tuple(2 * x for x in value) if isinstance(value, tuple) else 2 * value

    assert merge(a, a).model_dump() == doubled(a.model_dump())


@settings(max_examples=30, deadline=None)
@given(smallest(st.integers(0, 200), 60), smallest(st.integers(0, 200), 60))
def test_of_the_hashes_of_new_levels_the_smallest_of_both_are_kept(one, other):
    def night(hashes):
        column = CategoryColumn(new=len(hashes), new_hashes=hashes[:HASHES])
        return profile_with(columns=Columns(category={"city": column}))

    both = merge(night(one), night(other)).columns.category["city"]
    assert both.new_hashes == tuple(sorted({*one, *other}))[:HASHES]


@settings(max_examples=30, deadline=None)
@given(profiles, st.sampled_from([{"edges_digest": "f"}, {"monitor": "other"}, {"environment": "production"}]))
def test_profiles_on_other_edges_or_of_other_models_never_add_up(a, change):
    with pytest.raises(MismatchedEdges, match="do not add up"):
        merge(a, a.model_copy(update=change))


def test_the_sum_of_no_profiles_is_an_error():
    with pytest.raises(ValueError, match="no profile"):
        merge_all([])


# the same laws on rows: what DuckDB counts


EDGES = Edges(numeric={"income": (-1.0, 0.25, 2.0)}, levels={"city": ("Bonn", "Köln")})
quarters = st.integers(-20, 20).map(lambda n: str(n / 4))
rows_in_memory = st.lists(
    st.fixed_dictionaries({
        "income": st.none() | quarters | st.sampled_from(["nan", "inf", "-inf", "abc", "", "1e3"]),
        "city": st.none() | st.sampled_from(["Bonn", "Köln", "Ulm", "🦜", "<script>", "a'b", 'q"', *list("uvwxyz")]),
        "sex": st.none() | st.sampled_from(["m", "f", "o'x"]),
        "score": st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, float("nan"), float("inf")]),
        "prediction": st.none() | st.sampled_from(["0", "1"]),
        "label": st.none() | st.sampled_from(["0", "1"]),
        "pipeline_version": st.none() | st.sampled_from(["p1", "p2"]),
    }),
    max_size=25,
)  # fmt: skip
SCHEMA = pa.schema([(n, pa.float64() if n == "score" else pa.string()) for n in
                    ("income", "city", "sex", "score", "prediction", "label", "pipeline_version")])  # fmt: skip


def scanned(rows) -> Profile:
    given_rows = pa.Table.from_pylist(rows, schema=SCHEMA)
    return DuckDBScanner().scan_table(monitor(), given_rows, EDGES, night=NIGHT, version="1", role=Role.CHAMPION)


def rounded(profile: Profile) -> Profile:
    """log loss is a sum of logarithms: the one sum whose last bit depends on the order."""
    return profile.model_copy(
        update={"outcome": profile.outcome.model_copy(update={"log_loss": round(profile.outcome.log_loss, 6)})}
    )


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(rows_in_memory, st.integers(0, 25))
def test_the_profiles_of_two_halves_add_up_to_the_profile_of_the_whole(rows, cut):
    halves = merge(scanned(rows[:cut]), scanned(rows[cut:]))
    whole = scanned(rows)
    assert rounded(halves) == rounded(whole)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(rows_in_memory)
def test_every_row_is_counted_once_in_every_column_of_everyone_and_of_each_group(rows):
    profile = scanned(rows)
    if not rows:
        assert profile.rows == 0
        return
    groups = [profile.columns, *profile.group_columns.values()]
    for found in groups:
        for n in found.numeric.values():
            assert n.rows == n.nulls + n.nans + n.infs + n.wrong_type + sum(n.bins)
        for c in found.category.values():
            assert c.rows == c.nulls + sum(c.levels.values()) + c.other + c.new
    assert profile.rows == len(rows) == profile.columns.numeric["income"].rows
    assert sum(c.numeric["income"].rows for c in profile.group_columns.values()) == len(rows)
    answered = sum(r["prediction"] is not None for r in rows)
    assert sum(c.n for c in profile.groups["sex"].values()) == answered == sum(profile.outcome.predictions.values())
    labelled = [c for c in profile.groups["sex"].values() if c.labelled]
    assert all(c.tp + c.fp + c.tn + c.fn == c.labelled for c in labelled)
    assert sum(c.labelled for c in labelled) == profile.outcome.labelled == sum(profile.outcome.confusion.values())


logged = st.lists(
    st.tuples(
        st.integers(0, 6),  # id: few, so that there are duplicates
        st.integers(0, 3),  # second: few, so that duplicates have the same time
        st.sampled_from([1.0, 2.5, None]),
        st.sampled_from(["champion", "challenger"]),
    ),
    min_size=1,
    max_size=15,
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(logged, st.randoms(use_true_random=False), st.integers(1, 4))
def test_neither_the_order_of_rows_nor_their_batches_change_a_night(tmp_path_factory, given_rows, chance, batches):
    rows = [
        row(f"p{i}", served_at=NINE + timedelta(seconds=s), income=x, role=role, model_version=role)
        for i, s, x, role in given_rows
    ]
    shuffled = chance.sample(rows, len(rows))
    found = []
    for order, parts in ((rows, 1), (shuffled, batches)):
        log = ParquetLog(tmp_path_factory.mktemp("log"))
        for n in range(parts):
            log.write_predictions(
                "credit", table(order[n::parts]) if order[n::parts] else table(rows)[:0], batch_id=f"b{n}"
            )
        log.write_outcomes("credit", table([outcome("p0", 1), outcome("p0", 0), outcome("p1", 0)]), batch_id="t")
        partition = log.partition(monitor(), night_window(NIGHT, "UTC"))
        found.append(DuckDBScanner().scan(monitor(), partition, EDGES, NIGHT))
        sampled = log.sample(monitor(), partition, rows=100)
        assert sampled.num_rows == len({i for i, *_, role in given_rows if role == "champion"})
    assert {k: rounded(p) for k, p in found[0].items()} == {k: rounded(p) for k, p in found[1].items()}
    assert sum(p.rows + p.duplicates for p in found[0].values()) == len(rows)
