"""What every Lease does: one holder at a time, and a token that tells an old holder from the present one."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from vigil.adapters.memory import FrozenClock
from vigil.adapters.sql_engine import open_engine
from vigil.adapters.sql_lease import SqlLease
from vigil.core.errors import LeaseLost

NAME = "model/credit"


@pytest.fixture
def clock():
    return FrozenClock(datetime(2026, 11, 21, 2, tzinfo=UTC))


def acquire(state, holder, clock, seconds=60):
    return state.lease.acquire(NAME, holder, now=clock.now(), seconds=seconds)


def test_a_second_holder_gets_nothing_while_the_first_one_holds(state, clock):
    grant = acquire(state, "a", clock)
    assert (grant.name, grant.holder, grant.expires_at) == (NAME, "a", clock.now() + timedelta(seconds=60))
    assert acquire(state, "b", clock) is None
    state.lease.check(grant, now=clock.now())


def test_another_name_is_another_lease(state, clock):
    acquire(state, "a", clock)
    assert state.lease.acquire("model/iris", "b", now=clock.now(), seconds=60) is not None


def test_the_same_holder_that_comes_again_gets_its_token_back_and_more_time(state, clock):
    first = acquire(state, "a", clock)
    clock.advance(timedelta(seconds=30))
    again = acquire(state, "a", clock)
    assert again.token == first.token
    assert again.expires_at == first.expires_at + timedelta(seconds=30)
    state.lease.check(first, now=clock.now() + timedelta(seconds=45))


def test_the_lease_ends_exactly_at_its_time(state, clock):
    grant = acquire(state, "a", clock)
    clock.advance(timedelta(seconds=59))
    state.lease.check(grant, now=clock.now())
    assert acquire(state, "b", clock) is None
    clock.advance(timedelta(seconds=1))
    with pytest.raises(LeaseLost, match="model/credit: the lease of a expired at 02:01:00 UTC; take it again first"):
        state.lease.check(grant, now=clock.now())


def test_a_holder_that_slept_too_long_may_not_write_after_somebody_else_took_over(state, clock):
    old = acquire(state, "a", clock)
    clock.advance(timedelta(seconds=60))
    new = acquire(state, "b", clock)
    assert new.token > old.token
    with pytest.raises(LeaseLost, match="b has the lease now; a may write nothing more"):
        state.lease.check(old, now=clock.now())
    state.lease.check(new, now=clock.now())


def test_a_holder_that_comes_back_after_its_time_gets_a_new_token_and_the_old_one_is_void(state, clock):
    old = acquire(state, "a", clock)
    clock.advance(timedelta(seconds=61))
    new = acquire(state, "a", clock)
    assert new.token == old.token + 1
    with pytest.raises(LeaseLost):
        state.lease.check(old, now=clock.now())


def test_a_released_lease_is_free_at_once_and_its_grant_is_void(state, clock):
    old = acquire(state, "a", clock)
    state.lease.release(old)
    with pytest.raises(LeaseLost, match="the lease was given back now; a may write nothing more"):
        state.lease.check(old, now=clock.now())
    assert acquire(state, "b", clock).token == old.token + 1


def test_releasing_a_lost_lease_takes_nothing_from_its_new_holder(state, clock):
    old = acquire(state, "a", clock, seconds=1)
    clock.advance(timedelta(seconds=1))
    new = acquire(state, "b", clock)
    state.lease.release(old)
    state.lease.release(old)
    state.lease.check(new, now=clock.now())


def test_a_grant_that_was_never_given_is_refused(state, clock):
    grant = acquire(state, "a", clock)
    with pytest.raises(LeaseLost):
        state.lease.check(grant.model_copy(update={"token": 7}), now=clock.now())
    with pytest.raises(LeaseLost):
        state.lease.check(grant.model_copy(update={"name": "model/none"}), now=clock.now())


def _take(url, holder, now, start, answers):
    lease = SqlLease(open_engine(url))
    start.wait()
    grant = lease.acquire(NAME, holder, now=now, seconds=60)
    answers.put((holder, grant.token if grant else None))


@pytest.mark.slow
def test_of_processes_that_ask_at_once_one_gets_the_lease(sql, clock):
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(4), spawn.Queue()
    workers = [spawn.Process(target=_take, args=(sql.url, f"w{n}", clock.now(), start, answers)) for n in range(4)]
    [w.start() for w in workers]
    told = dict(answers.get(timeout=120) for _ in workers)
    [w.join() for w in workers]
    assert sorted(told.values(), key=str) == [1, None, None, None]
