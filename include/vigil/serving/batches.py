"""Requests that wait at the same time are scored in one call: a model takes hardly longer for ten rows than for one.

Nobody waits for company: a call takes whoever is there. A batch that fails is scored again one by one, so that a
request fails for its own rows only.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from vigil.serving.answers import Answer
from vigil.serving.model import LoadedModel

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

PATIENCE = 0.05  # seconds; requests that wait longer behind a slow call get another thread
Attempt = Callable[[LoadedModel, "pa.Table"], "Answer | str"]


class _Waiting(NamedTuple):
    features: "pa.Table"
    done: "asyncio.Future[Answer | str]"


class Batches:
    """The queue before one version's predictions, and its threads. Used by the event loop alone.

    A version that hangs takes its own threads with it, and leaves those of the next version alone.
    """

    def __init__(self, model: LoadedModel, attempt: Attempt, *, rows: int, threads: int) -> None:
        """rows: of one call at most (1: requests are never mixed). threads: calls at the same time at most."""
        self.model = model
        self._attempt, self._rows, self._threads = attempt, rows, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="vigil-predict")  # ends when nobody knows it
        self._waiting: deque[_Waiting] = deque()
        self._workers: set[asyncio.Task[None] | None] = set()
        self._since: dict[asyncio.Task[None] | None, float] = {}  # when each worker's call began

    def stuck(self, seconds: float) -> bool:
        """Whether every thread has been in one call for so long: nobody is left who could answer."""
        return len(self._since) == self._threads and all(self._is_slow(worker, seconds) for worker in self._since)

    async def predict(self, features: "pa.Table") -> "Answer | str":
        """The answer, or what went wrong."""
        loop = asyncio.get_running_loop()
        mine = _Waiting(features, loop.create_future())
        self._waiting.append(mine)
        self._help()
        late = loop.call_later(PATIENCE, self._help, True)
        try:
            return await mine.done
        finally:
            late.cancel()
            if mine.done.cancelled():  # out of time: what nobody waits for must not pile up behind a stuck model
                self._waiting = deque(other for other in self._waiting if other is not mine)

    def _help(self, late: bool = False) -> None:
        """Starts a worker where none is running, or where those that run have let others wait."""
        if self._waiting and len(self._workers) < (self._threads if late or self._rows == 1 else 1):
            self._workers.add(asyncio.get_running_loop().create_task(self._work()))

    async def _work(self) -> None:
        me = asyncio.current_task()
        try:
            while self._waiting:
                batch = self._next()
                self._since[me] = time.monotonic()
                try:
                    answers = await asyncio.get_running_loop().run_in_executor(self._pool, self._all, batch)
                except Exception as error:  # task border: whoever waits must be told, and the next one served
                    log.exception("a batch of predictions could not be made")
                    answers = [type(error).__name__] * len(batch)
                for one, answer in zip(batch, answers, strict=True):
                    if not one.done.done():  # the caller may have run out of time
                        one.done.set_result(answer)
                if self._rows > 1 and any(not self._is_slow(other) for other in self._since if other is not me):
                    return  # the others are quick again: one call for many beats many calls
        finally:
            self._since.pop(me, None)
            self._workers.discard(me)

    def _is_slow(self, worker: "asyncio.Task[None] | None", seconds: float = PATIENCE) -> bool:
        return time.monotonic() - self._since[worker] > seconds

    def _next(self) -> list[_Waiting]:
        """The oldest request, and those behind it with the same columns, while there is room."""
        batch = [self._waiting.popleft()]
        rows, first = batch[0].features.num_rows, batch[0]
        while self._waiting and rows + self._waiting[0].features.num_rows <= self._rows:
            if self._waiting[0].features.schema != first.features.schema:
                break
            batch.append(self._waiting.popleft())
            rows += batch[-1].features.num_rows
        return batch

    def _all(self, batch: list[_Waiting]) -> "list[Answer | str]":
        """In a thread: one call for all, or one for each where that fails."""
        if len(batch) > 1:
            import pyarrow as pa

            together = self._attempt(self.model, pa.concat_tables([one.features for one in batch]))
            if isinstance(together, Answer):
                return _split(together, [one.features.num_rows for one in batch])
        return [self._attempt(self.model, one.features) for one in batch]


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
