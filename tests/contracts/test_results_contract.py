"""What every Results store does: nothing is overwritten, and what was known when stays readable."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from vigil.adapters.sql_engine import open_engine
from vigil.adapters.sql_tables import verdicts
from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.types import Cause, NightResult, State, Verdict

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
NIGHT = date(2026, 11, 20)
WHERE = ("credit", "staging")


def measurement(value=0.61, **changes):
    facts = {
        "metric": "selection_rate_ratio", "subject": "sex=female", "family": Family.FAIRNESS, "kind": Kind.RATIO,
        "value": value, "low": 0.55, "high": 0.68, "n": 1204, "unit": "ratio", "worse": Worse.LOWER,
    }  # fmt: skip
    return Measurement(**{**facts, **changes})


def result(night=NIGHT, digest="p1", monitor="credit", environment="staging", **changes):
    breach = Verdict(metric="selection_rate_ratio", subject="sex=female", family=Family.FAIRNESS, state=State.BREACH,
                     reason="0.61 < 0.80", measurement=measurement())  # fmt: skip
    unknown = Verdict(metric="auc", subject="all", family=Family.PERFORMANCE, state=State.UNKNOWN,
                      cause=Cause.LABELS_PENDING, reason="no labels yet")  # fmt: skip
    facts = {"monitor": monitor, "environment": environment, "night": night, "partition_digest": digest,
             "config_digest": "c1", "edges_digest": "e1", "versions": {"2": 900, "1": 304}, "rows": 1204,
             "verdicts": (breach, unknown)}  # fmt: skip
    return NightResult(**{**facts, **changes})


def put(state, *results, start=AT):
    return [state.results.append(r, evaluated_at=start + timedelta(hours=n), labels_through=start)
            for n, r in enumerate(results)]  # fmt: skip


# judgements


def test_a_night_that_was_not_judged_has_no_result(state):
    assert state.results.latest(*WHERE, NIGHT) is None
    assert state.results.history(*WHERE, NIGHT, 28) == ()
    assert state.results.versions_of_truth(*WHERE, NIGHT) == ()
    assert state.results.newest(*WHERE) is None


def test_a_judgement_comes_back_whole(state):
    made = result(measurements=(measurement(math.inf, low=None), measurement(None, why_not="no rows")))
    assert put(state, made) == [True]
    assert state.results.latest(*WHERE, NIGHT) == made


def test_the_same_judgement_of_the_same_facts_is_stored_once(state):
    assert put(state, result(), result(rows=7)) == [True, False]
    assert len(state.results.versions_of_truth(*WHERE, NIGHT)) == 1
    assert state.results.latest(*WHERE, NIGHT).rows == 1204


@pytest.mark.parametrize("change", [{"digest": "p2"}, {"config_digest": "c2"}])
def test_other_facts_or_another_config_supersede_and_keep_what_was_known(state, change):
    first, second = result(), result(**change)
    assert put(state, first, second) == [True, True]
    assert state.results.latest(*WHERE, NIGHT) == second
    assert state.results.versions_of_truth(*WHERE, NIGHT) == ((AT, first), (AT + timedelta(hours=1), second))


def test_facts_that_come_back_are_a_third_judgement(state):
    assert put(state, result(), result(digest="p2"), result()) == [True, True, True]
    assert state.results.latest(*WHERE, NIGHT) == result()


def test_what_was_known_at_a_moment_is_the_latest_judgement_until_then(state):
    first, second = result(), result(digest="p2")
    put(state, first, second)
    known = [state.results.latest(*WHERE, NIGHT, known_at=AT + timedelta(minutes=m)) for m in (-1, 0, 59, 60)]
    assert known == [None, first, first, second]


def test_history_is_the_latest_of_each_night_before_oldest_first_and_gaps_stay_out(state):
    nights = [NIGHT - timedelta(days=back) for back in (1, 2, 4, 5)]
    put(state, *(result(night) for night in nights), result(nights[1], digest="p2"), result(NIGHT))
    found = state.results.history(*WHERE, NIGHT, 4)
    assert [(r.night, r.partition_digest) for r in found] == [(nights[2], "p1"), (nights[1], "p2"), (nights[0], "p1")]


def test_other_monitors_and_environments_are_other_histories(state):
    put(state, result(), result(monitor="iris"), result(environment="production"))
    assert len(state.results.history(*WHERE, NIGHT + timedelta(days=1), 5)) == 1
    assert state.results.latest("iris", "production", NIGHT) is None


def test_the_newest_night_is_told_with_its_last_evaluation(state):
    before = NIGHT - timedelta(days=1)
    put(state, result(), result(digest="p2"), result(before))
    assert state.results.newest(*WHERE) == (NIGHT, AT + timedelta(hours=1))


# measurements of a stage


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


# what only SQL has


def test_verdicts_can_be_asked_for_in_plain_sql(sql):
    put(sql, result())
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
    put(sql, result())
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), open_engine(sql.url).begin() as db:
        db.execute(text(verb.format(table)))


def test_history_is_one_query_however_many_nights(sql):
    put(sql, *(result(NIGHT - timedelta(days=back)) for back in range(1, 30)))
    asked = []
    event.listen(sql.results._engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert len(sql.results.history(*WHERE, NIGHT, 28)) == 28
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_nights_between_two_days_include_both_and_the_oldest_is_known(state):
    assert state.results.oldest(*WHERE) is None
    nights = [NIGHT - timedelta(days=back) for back in (4, 3, 1, 0)]
    put(state, *(result(night) for night in nights), result(nights[1], digest="p2"), result(monitor="iris"))
    found = state.results.between(*WHERE, nights[1], nights[2])
    assert [(r.night, r.partition_digest) for r in found] == [(nights[1], "p2"), (nights[2], "p1")]
    assert state.results.oldest(*WHERE) == nights[0]


def test_the_first_nights_with_rows_are_found_however_far_they_lie_apart(state):
    nights = [NIGHT - timedelta(days=back) for back in (300, 299, 200, 100, 3, 2, 1)]
    put(state, *(result(night) for night in nights), result(nights[2], digest="p2"), result(NIGHT))
    put(state, result(nights[3], digest="p3", rows=0), result(nights[0], monitor="iris"))
    asked = {"since": nights[1], "before": NIGHT}
    found = state.results.first(*WHERE, **asked, nights=3)
    assert [(r.night, r.partition_digest) for r in found] == [(nights[1], "p1"), (nights[2], "p2"), (nights[4], "p1")]
    assert [r.night for r in state.results.first(*WHERE, **asked, nights=9)] == [nights[n] for n in (1, 2, 4, 5, 6)]
    assert state.results.first(*WHERE, since=NIGHT, before=NIGHT, nights=3) == ()
    assert state.results.first("nobody", "staging", since=nights[0], before=NIGHT, nights=3) == ()
