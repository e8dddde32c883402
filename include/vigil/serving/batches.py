"""Requests that wait at the same time are scored in one call: a model takes hardly longer for ten rows than for one.

Nobody waits for company: a call takes whoever is there. A batch that fails is scored again one by one, so that a
request fails for its own rows only.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from vigil.serving.answers import Answer
from vigil.serving.model import LoadedModel

if TYPE_CHECKING:
    import pyarrow as pa

PATIENCE = 0.05  # seconds that requests wait behind a slow call before another thread helps
Attempt = Callable[[LoadedModel, "pa.Table"], "Answer | str"]


class _Waiting(NamedTuple):
    model: LoadedModel
    features: "pa.Table"
    done: "asyncio.Future[Answer | str]"


class Batches:
    """The queue before one model's predictions. Used by the event loop alone; `attempt` runs in `pool`."""

    def __init__(self, attempt: Attempt, pool: ThreadPoolExecutor, *, rows: int, threads: int) -> None:
        """rows: of one call at most (1: requests are never mixed). threads: calls at the same time at most."""
        self._attempt, self._pool, self._rows, self._threads = attempt, pool, rows, threads
        self._waiting: deque[_Waiting] = deque()
        self._running = 0

    async def predict(self, model: LoadedModel, features: "pa.Table") -> "Answer | str":
        """The answer, or what went wrong."""
        loop = asyncio.get_running_loop()
        mine = _Waiting(model, features, loop.create_future())
        self._waiting.append(mine)
        self._help()
        if not mine.done.done():
            loop.call_later(PATIENCE, self._help, True)
        return await mine.done

    def _help(self, late: bool = False) -> None:
        """Starts a worker where none is running, or where those that run have let others wait."""
        if self._waiting and self._running < (self._threads if late or self._rows == 1 else 1):
            self._running += 1
            task = asyncio.get_running_loop().create_task(self._work())
            task.add_done_callback(lambda _: None)  # the loop keeps it alive until it is done

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._next()
                answers = await asyncio.get_running_loop().run_in_executor(self._pool, self._all, batch)
                for one, answer in zip(batch, answers, strict=True):
                    if not one.done.done():  # the caller may have run out of time
                        one.done.set_result(answer)
        finally:
            self._running -= 1

    def _next(self) -> list[_Waiting]:
        """The oldest request, and those behind it for the same version with the same columns, while there is room."""
        batch = [self._waiting.popleft()]
        rows, first = batch[0].features.num_rows, batch[0]
        while self._waiting and rows + self._waiting[0].features.num_rows <= self._rows:
            other = self._waiting[0]
            if other.model is not first.model or other.features.schema != first.features.schema:
                break
            batch.append(self._waiting.popleft())
            rows += other.features.num_rows
        return [one for one in batch if not one.done.done()] or batch[:1]

    def _all(self, batch: list[_Waiting]) -> "list[Answer | str]":
        """In a thread: one call for all, or one for each where that fails."""
        if len(batch) > 1:
            import pyarrow as pa

            together = self._attempt(batch[0].model, pa.concat_tables([one.features for one in batch]))
            if isinstance(together, Answer):
                return _split(together, [one.features.num_rows for one in batch])
        return [self._attempt(one.model, one.features) for one in batch]


def _split(answer: Answer, counts: list[int]) -> "list[Answer | str]":
    """Each request's part of an answer.

    >>> _split(Answer(["a", "b", "c"], ["a", "b", "c"], [0.1, 0.2, 0.3]), [1, 2])[1]
    Answer(values=['b', 'c'], texts=['b', 'c'], scores=[0.2, 0.3])
    """
    parts: list[Answer | str] = []
    at = 0
    for count in counts:
        cut = slice(at, at + count)
        scores = answer.scores[cut] if answer.scores is not None else None
        parts.append(Answer(answer.values[cut], answer.texts[cut], scores))
        at += count
    return parts
