"""The challenger in shadow: it is asked what the champion was asked, later, and never in the champion's way."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from vigil.serving.model import LoadedModel

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request that was answered by the champion already."""

    model: str
    challenger: LoadedModel
    ids: list[str]
    rows: "pa.Table"  # every column of the request that anybody in memory takes
    served_at: "datetime"
    pipeline_version: str


Work = Callable[[Asked, float], Awaitable[None]]


class Shadow:
    """A bounded queue before one worker, for one model's challenger. What does not fit is not asked, and counted."""

    def __init__(self, work: Work, *, most: int, dropped: Callable[[str], None]) -> None:
        """work: scores and stores one request. dropped: told the model whose request was not asked."""
        self._work, self._dropped = work, dropped
        self._queue: asyncio.Queue[Asked] = asyncio.Queue(most)

    def ask(self, asked: Asked) -> None:
        """Remembers the request, or lets it go when too many wait: the champion does not wait for the challenger."""
        try:
            self._queue.put_nowait(asked)
        except asyncio.QueueFull:
            self._dropped(asked.model)

    async def run(self) -> None:
        """Works for ever. A challenger that fails is recorded as such by `work`; nothing of it comes back here."""
        while True:
            asked = await self._queue.get()
            try:
                await self._work(asked, time.perf_counter())
            except Exception:
                log.exception("model %s: the challenger's answer was not recorded", asked.model)
            finally:
                self._queue.task_done()

    async def drain(self, seconds: float) -> None:
        """Waits until what was remembered is done, at most so long."""
        try:
            await asyncio.wait_for(self._queue.join(), seconds)
        except TimeoutError:
            log.warning("%d requests were not asked of the challenger before the end", self._queue.qsize())
