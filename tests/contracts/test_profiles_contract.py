"""What every Profiles store does: one profile a version and role, of the rows that the night has now."""

from datetime import date

import pytest

from vigil.adapters.sql_profiles import SqlProfiles
from vigil.core.errors import DataError
from vigil.core.words import Role, Task
from vigil.profiles.types import Columns, Edges, Key, NumericColumn, Profile

NIGHT = date(2026, 11, 20)
WHERE = ("credit", "staging")
EDGES = Edges(numeric={"age": (25.0, 40.0)}, levels={"plan": ("a", "b")})


def key(version="1", role=Role.CHAMPION, night=NIGHT, monitor="credit"):
    return Key(monitor=monitor, environment="staging", night=night, version=version, role=role)


def profile(rows=10, edges_digest="e1"):
    age = NumericColumn(rows=rows, nulls=1, bins=(1, rows - 3, 1), total=0.1 + 0.2, smallest=-1e-300, largest=1e300)
    return Profile(monitor="credit", environment="staging", task=Task.BINARY, nights=(NIGHT,), roles=(Role.CHAMPION,),
                   versions={"1": rows}, edges_digest=edges_digest, rows=rows, columns=Columns(numeric={"age": age}),
                   hours={"3": {"all": (rows, 2)}})  # fmt: skip


# nights


def test_a_night_that_was_not_profiled_is_empty(state):
    assert dict(state.profiles.night(*WHERE, NIGHT)) == {}
    assert state.profiles.partition_digest(*WHERE, NIGHT) is None


def test_a_profile_comes_back_to_the_last_bit(state):
    state.profiles.put(key(), profile(), partition_digest="p1")
    assert dict(state.profiles.night(*WHERE, NIGHT)) == {key(): profile()}
    assert state.profiles.partition_digest(*WHERE, NIGHT) == "p1"


def test_versions_and_roles_of_one_scan_are_kept_together(state):
    found = {key("1"): profile(10), key("2"): profile(20), key("2", Role.FALLBACK): profile(30)}
    state.profiles.put_night(found, partition_digest="p1")
    assert dict(state.profiles.night(*WHERE, NIGHT)) == found


def test_other_nights_and_monitors_are_left_alone(state):
    state.profiles.put(key(night=date(2026, 11, 19)), profile(), partition_digest="p1")
    state.profiles.put(key(monitor="iris"), profile(), partition_digest="p1")
    assert dict(state.profiles.night(*WHERE, NIGHT)) == {}


def test_late_rows_supersede_the_night(state):
    state.profiles.put_night({key("1"): profile(10), key("2"): profile(20)}, partition_digest="p1")
    state.profiles.put_night({key("1"): profile(11), key("2"): profile(21)}, partition_digest="p2")
    assert [p.rows for p in state.profiles.night(*WHERE, NIGHT).values()] == [11, 21]
    assert state.profiles.partition_digest(*WHERE, NIGHT) == "p2"


def test_a_version_without_rows_in_the_present_partition_is_gone_from_the_night(state):
    state.profiles.put_night({key("1"): profile(10), key("2"): profile(20)}, partition_digest="p1")
    state.profiles.put_night({key("2"): profile(30)}, partition_digest="p2")
    assert dict(state.profiles.night(*WHERE, NIGHT)) == {key("2"): profile(30)}


def test_rows_that_are_taken_back_bring_the_earlier_profiles_back(state):
    before = {key("1"): profile(10), key("2"): profile(20)}
    state.profiles.put_night(before, partition_digest="p1")
    state.profiles.put_night({key("1"): profile(11), key("2"): profile(20)}, partition_digest="p2")
    state.profiles.put_night(before, partition_digest="p1")
    assert dict(state.profiles.night(*WHERE, NIGHT)) == before
    assert state.profiles.partition_digest(*WHERE, NIGHT) == "p1"


def test_other_edges_profile_the_same_rows_anew(state):
    state.profiles.put(key(), profile(), partition_digest="p1")
    state.profiles.put(key(), profile(edges_digest="e2"), partition_digest="p1")
    assert [p.edges_digest for p in state.profiles.night(*WHERE, NIGHT).values()] == ["e2"]


def test_the_same_scan_twice_is_stored_once(sql):
    for _ in range(2):
        sql.profiles.put_night({key("1"): profile(), key("2"): profile()}, partition_digest="p1")
    with sql.profiles._engine.connect() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM profiles").scalar() == 2


def test_a_crash_between_two_versions_leaves_nothing_of_the_scan(sql, monkeypatch):
    state = sql.profiles
    state.put_night({key("1"): profile(10), key("2"): profile(20)}, partition_digest="p1")
    put, calls = SqlProfiles._put, []

    def dies_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return put(*args)

    monkeypatch.setattr(SqlProfiles, "_put", staticmethod(dies_at_the_second))
    with pytest.raises(KeyboardInterrupt):
        state.put_night({key("1"): profile(11), key("2"): profile(21)}, partition_digest="p2")
    assert state.partition_digest(*WHERE, NIGHT) == "p1"
    assert [p.rows for p in state.night(*WHERE, NIGHT).values()] == [10, 20]


def test_the_profiles_of_rows_that_were_superseded_are_found_by_their_digest(state):
    state.profiles.put_night({key("1"): profile(10), key("2"): profile(20)}, partition_digest="p1")
    state.profiles.put_night({key("1"): profile(11)}, partition_digest="p2")
    assert [p.rows for p in state.profiles.night(*WHERE, NIGHT, partition_digest="p1").values()] == [10, 20]
    assert dict(state.profiles.night(*WHERE, NIGHT, partition_digest="p0")) == {}


# edges and baselines


def test_edges_are_frozen_once_and_come_back_exactly(state):
    assert state.profiles.edges("credit") is None
    digest = state.profiles.put_edges("credit", EDGES, reason="first promotion")
    assert state.profiles.put_edges("credit", EDGES, reason="") == digest
    assert state.profiles.edges("credit") == EDGES
    assert state.profiles.edges("iris") is None


def test_other_edges_need_a_reason(state):
    state.profiles.put_edges("credit", EDGES, reason="first promotion")
    other = Edges(numeric={"age": (30.0,)})
    with pytest.raises(DataError, match="credit: its bin edges are frozen; other ones need a reason"):
        state.profiles.put_edges("credit", other, reason=" ")
    assert state.profiles.edges("credit") == EDGES
    state.profiles.put_edges("credit", other, reason="new income scale")
    assert state.profiles.edges("credit") == other


def test_edges_that_were_replaced_are_found_by_their_digest(state):
    other = Edges(numeric={"age": (30.0,)})
    first, second = (state.profiles.put_edges("credit", e, reason="needed") for e in (EDGES, other))
    assert [state.profiles.edges("credit", digest=d) for d in (first, second, "none")] == [EDGES, other, None]


def test_all_edges_that_ever_were_stay_in_the_table_with_their_reasons(sql):
    other = Edges(numeric={"age": (30.0,)})
    for edges, reason in ((EDGES, "first"), (EDGES, "again"), (other, "re-edged"), (EDGES, "and back")):
        sql.profiles.put_edges("credit", edges, reason=reason)
    with sql.profiles._engine.connect() as db:
        reasons = db.exec_driver_sql("SELECT reason FROM edges ORDER BY id").scalars().all()
    assert reasons == ["first", "re-edged", "and back"]


def test_a_baseline_belongs_to_its_version_and_can_be_recorded_again(state):
    assert state.profiles.baseline("credit", "1") is None
    state.profiles.put_baseline("credit", "1", profile(10))
    state.profiles.put_baseline("credit", "2", profile(20))
    state.profiles.put_baseline("credit", "1", profile(11))
    assert [state.profiles.baseline("credit", v).rows for v in ("1", "2")] == [11, 20]
    assert state.profiles.baseline("iris", "1") is None


# what is replaced


def replaced(state, error=None):
    with state.profiles.replacing("credit", "reference"):
        state.profiles.put_edges("credit", OTHERS, reason="anew")
        state.profiles.put_baseline("credit", "reference", profile(99))
        if error is not None:
            raise error


OTHERS = Edges(numeric={"age": (30.0, 50.0)}, levels={"plan": ("a",)})


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_edges_and_baseline_are_as_before_where_what_replaces_them_fails(state, error):
    with pytest.raises(type(error)):
        replaced(state, error)
    assert (state.profiles.edges("credit"), state.profiles.baseline("credit", "reference")) == (None, None)
    digest = state.profiles.put_edges("credit", EDGES, reason="first")
    state.profiles.put_baseline("credit", "reference", profile(10))
    state.profiles.put_baseline("credit", "7", profile(7))
    state.profiles.put_edges("other", OTHERS, reason="first")
    with pytest.raises(type(error)):
        replaced(state, error)
    assert (state.profiles.edges("credit"), state.profiles.baseline("credit", "reference")) == (EDGES, profile(10))
    assert state.profiles.edges("credit", digest=digest) == EDGES
    assert (state.profiles.edges("other"), state.profiles.baseline("credit", "7")) == (OTHERS, profile(7))


def test_edges_and_baseline_are_replaced_where_nothing_fails(state):
    state.profiles.put_edges("credit", EDGES, reason="first")
    replaced(state)
    assert (state.profiles.edges("credit"), state.profiles.baseline("credit", "reference")) == (OTHERS, profile(99))
