"""Every Results store of the project against the public contract, and what only SQL has."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from vigil.adapters.sql_engine import open_engine
from vigil.adapters.sql_tables import verdicts
from vigil.testing.results import AT, NIGHT, WHERE, ResultsContract, measurement, put, result


class TestResults(ResultsContract):
    @pytest.fixture
    def results(self, state):
        return state.results


def test_measurements_of_a_stage_come_back_for_their_rows_only(state):
    found = (measurement(math.nan), measurement(None, why_not="no rows"))
    state.results.put_measurements(*WHERE, NIGHT, "quality", found, partition_digest="p1")
    back = state.results.measurements(*WHERE, NIGHT, "quality", partition_digest="p1")
    assert math.isnan(back[0].value)
    assert back[1] == found[1]
    assert state.results.measurements(*WHERE, NIGHT, "quality", partition_digest="p2") is None
    assert state.results.measurements(*WHERE, NIGHT, "profile", partition_digest="p1") is None


def test_a_second_put_of_a_stage_replaces_the_first_and_nothing_measured_is_not_unmeasured(state):
    state.results.put_measurements(*WHERE, NIGHT, "quality", [measurement()], partition_digest="p1")
    state.results.put_measurements(*WHERE, NIGHT, "quality", [], partition_digest="p1")
    assert state.results.measurements(*WHERE, NIGHT, "quality", partition_digest="p1") == ()


def test_verdicts_can_be_asked_for_in_plain_sql(sql):
    put(sql.results, result())
    with open_engine(sql.url).connect() as db:
        rows = [dict(row._mapping) for row in db.execute(select(verdicts).order_by(verdicts.c.id))]
    asked = ("monitor", "environment", "night", "versions", "metric", "subject", "family", "value", "low", "high", "n",
             "state", "cause", "reason", "config_digest", "edges_digest", "partition_digest")  # fmt: skip
    assert [tuple(row[name] for name in asked) for row in rows] == [
        ("credit", "staging", NIGHT, {"1": 304, "2": 900}, "selection_rate_ratio", "sex=female", "fairness", 0.61, 0.55,
         0.68, 1204, "breach", None, "0.61 < 0.80", "c1", "e1", "p1"),
        ("credit", "staging", NIGHT, {"1": 304, "2": 900}, "auc", "all", "performance", None, None, None, None,
         "unknown", "labels pending", "no labels yet", "c1", "e1", "p1"),
    ]  # fmt: skip
    assert {(row["evaluated_at"], row["labels_through"]) for row in rows} == {(AT, AT)}


@pytest.mark.parametrize("table", ["night_results", "verdicts"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET night = '2020-01-01'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove_results(sql, table, verb):
    put(sql.results, result())
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), open_engine(sql.url).begin() as db:
        db.execute(text(verb.format(table)))


def test_history_is_one_query_however_many_nights(sql):
    put(sql.results, *(result(NIGHT - timedelta(days=back)) for back in range(1, 30)))
    asked = []
    event.listen(sql.results._engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert len(sql.results.history(*WHERE, NIGHT, 28)) == 28
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1
