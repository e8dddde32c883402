"""Requests that wait at the same time are scored in one call, and nobody pays for company."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pyarrow as pa
import pytest

from vigil.serving.answers import Answer
from vigil.serving.batches import Batches
from vigil.serving.columns import Column
from vigil.serving.model import LoadedModel


class Pyfunc:
    """Answers each row with its own number; calls wait for `gate`, and a row of -1 spoils its whole call."""

    def __init__(self, *, closed: bool = False) -> None:
        self.calls: list[list[float]] = []
        self.gate, self.inside = threading.Event(), threading.Semaphore(0)
        if not closed:
            self.gate.set()

    def predict(self, frame: Any) -> Any:
        values = frame.iloc[:, 0].tolist()
        self.calls.append(values)
        self.inside.release()
        self.gate.wait(30)
        if -1 in values:
            raise ValueError("one of them is wrong")
        return values


def attempt(model: LoadedModel, features: pa.Table) -> Answer | str:
    try:
        return model.predict(features)
    except ValueError:
        return "it failed"


def table(*values: float, name: str = "x") -> pa.Table:
    return pa.table({name: pa.array(values, pa.float64())})


def story(pyfunc: Pyfunc, tell: Callable[[Batches], Awaitable[Any]], *, rows: int = 100, threads: int = 1) -> Any:
    model = LoadedModel("1", (Column(name="x", kind="double"),), pyfunc, positive=None)

    async def told() -> Any:
        try:
            return await tell(Batches(model, attempt, rows=rows, threads=threads))
        finally:
            pyfunc.gate.set()

    return asyncio.run(told())


async def behind_a_first_one(batches: Batches, pyfunc: Pyfunc, *tables: pa.Table) -> list[Any]:
    """What the tables are answered that wait while a first call is inside."""
    first = asyncio.create_task(batches.predict(table(0)))
    await asyncio.to_thread(pyfunc.inside.acquire)
    others = [asyncio.create_task(batches.predict(t)) for t in tables]
    await asyncio.sleep(0)
    pyfunc.gate.set()
    await first
    return await asyncio.gather(*others)


def values(answers: list[Any]) -> list[Any]:
    return [a.values if isinstance(a, Answer) else a for a in answers]


def test_those_who_wait_are_scored_in_one_call_and_each_gets_its_own_rows() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1), table(2, 3), table(4)))
    assert values(answers) == [[1], [2, 3], [4]]
    assert pyfunc.calls == [[0], [1, 2, 3, 4]]


def test_a_call_takes_no_more_rows_than_it_may() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1), table(2, 3), table(4)), rows=3)
    assert values(answers) == [[1], [2, 3], [4]]
    assert pyfunc.calls == [[0], [1, 2, 3], [4]]


def test_a_request_larger_than_a_call_goes_alone() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1, 2, 3), table(4)), rows=2)
    assert values(answers) == [[1, 2, 3], [4]]
    assert pyfunc.calls == [[0], [1, 2, 3], [4]]


def test_with_one_row_a_call_requests_are_never_mixed() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1), table(2)), rows=1, threads=2)
    assert values(answers) == [[1], [2]]
    assert sorted(pyfunc.calls) == [[0], [1], [2]]


def test_requests_with_other_columns_are_not_mixed() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1), table(2, name="y"), table(3)))
    assert values(answers) == [[1], [2], [3]]
    assert pyfunc.calls == [[0], [1], [2], [3]]


def test_a_request_that_spoils_its_call_fails_alone() -> None:
    pyfunc = Pyfunc(closed=True)
    answers = story(pyfunc, lambda b: behind_a_first_one(b, pyfunc, table(1), table(-1), table(3)))
    assert values(answers) == [[1], "it failed", [3]]


def test_behind_a_slow_call_another_thread_helps() -> None:
    pyfunc = Pyfunc(closed=True)

    async def tell(batches: Batches) -> int:
        asked = [asyncio.create_task(batches.predict(table(0)))]
        await asyncio.to_thread(pyfunc.inside.acquire)
        asked.append(asyncio.create_task(batches.predict(table(1))))
        await asyncio.to_thread(pyfunc.inside.acquire)  # inside while the first one still is
        pyfunc.gate.set()
        return len(await asyncio.gather(*asked))

    assert story(pyfunc, tell, threads=2) == 2
    assert pyfunc.calls == [[0], [1]]


def test_what_ran_out_of_time_while_it_waited_is_not_computed_any_more() -> None:
    pyfunc = Pyfunc(closed=True)

    async def tell(batches: Batches) -> None:
        first = asyncio.create_task(batches.predict(table(0)))
        await asyncio.to_thread(pyfunc.inside.acquire)
        for n in range(1, 4):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(batches.predict(table(n)), 0.01)
        pyfunc.gate.set()
        await first
        await batches.predict(table(9))

    story(pyfunc, tell)
    assert pyfunc.calls == [[0], [9]]


def test_it_is_stuck_when_every_thread_has_been_in_a_call_for_too_long() -> None:
    pyfunc = Pyfunc(closed=True)

    async def tell(batches: Batches) -> tuple[bool, bool, bool]:
        before = batches.stuck(0)
        first = asyncio.create_task(batches.predict(table(0)))
        await asyncio.to_thread(pyfunc.inside.acquire)
        await asyncio.sleep(0.02)
        during = batches.stuck(0.01)
        pyfunc.gate.set()
        await first
        return before, during, batches.stuck(0)

    assert story(pyfunc, tell) == (False, True, False)
