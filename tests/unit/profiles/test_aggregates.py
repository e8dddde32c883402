import pytest

from vigil.profiles.aggregates import AGGREGATES, Counted, counted_of, lower
from vigil.profiles.types import CategoryColumn, Contribution, NumericColumn

NAMES = {"raw": '"x"', "x": "x", "f": "f", "e": "$e", "lo": "$lo", "hi": "$hi", "n": "n", "k": "k", "o": "$o"}


@pytest.mark.parametrize(
    ("kind", "column"),
    [(Counted.NUMERIC, NumericColumn), (Counted.CATEGORY, CategoryColumn), (Counted.CONTRIBUTION, Contribution)],
)
def test_what_is_counted_is_exactly_what_a_column_stores_beside_its_rows(kind, column):
    assert {a.name for a in counted_of(kind)} == set(column.model_fields) - {"rows"}


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda a: f"{a.applies}-{a.name}")
def test_every_aggregate_has_a_duckdb_lowering_without_open_places(aggregate):
    sql = lower(aggregate, "duckdb", **NAMES)
    assert "{" not in sql
    assert sql.count("(") == sql.count(")")


def test_a_dialect_without_a_lowering_is_an_error_and_not_a_guess():
    with pytest.raises(KeyError, match="oracle"):
        lower(AGGREGATES[0], "oracle", **NAMES)
