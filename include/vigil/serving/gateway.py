"""The gateway without HTTP: one request in; a stored, then answered, prediction out."""

import asyncio
import logging
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError
from vigil.core.words import Role
from vigil.ports import Explain, Registry, WriteLog
from vigil.serving.answers import Answer, finite
from vigil.serving.batches import Batches
from vigil.serving.columns import fit, fit_extra, fit_ids
from vigil.serving.compaction import Compactor
from vigil.serving.loader import Answering, Slot
from vigil.serving.metrics import Metrics
from vigil.serving.model import LoadedModel
from vigil.serving.protocol import Refusal, parse
from vigil.serving.record import Served, log_rows, named_columns
from vigil.serving.segments import encode
from vigil.serving.settings import GatewaySettings
from vigil.serving.shadow import Asked, Shadow
from vigil.serving.spool import Depth, SpoolFailed

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
SHADOW_SECONDS = 5.0  # that requests which wait for the challenger may take at the end
SMALL, FEW = 8_000, 32  # bytes, rows: what is done in less time than it takes to hand it to a thread

FAILED = {"error": (500, "the model failed on this request"), "timeout": (504, "the model did not answer in time")}


class Call(NamedTuple):
    """One request, as it came over the wire."""

    body: bytes
    served_at: datetime  # UTC
    started: float  # time.perf_counter() at its arrival
    pipeline_version: str = ""


class Reply(NamedTuple):
    """What goes back: HTTP status, JSON, and the version that it comes from."""

    status: int
    content: dict[str, Any]
    version: str
    role: str


class _Request(NamedTuple):
    ids: list[str]
    features: "pa.Table"  # the model's columns
    logged: "pa.Table"  # and those that only the monitor names


class Gateway:
    """All models of one process, their spool, and the threads that keep both moving."""

    def __init__(
        self,
        registry: Registry,
        to: WriteLog,
        *,
        models: Mapping[str, Monitor],
        spool: Path,
        settings: GatewaySettings,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        explain: Explain | None = None,
    ) -> None:
        """explain: adds contributions to rows on their way from the spool to the log, long after they were answered."""
        if not models:
            raise MonitorError("no model to serve: add one to monitors/ (see `vigil lint` for files that do not load)")
        self.settings = settings
        self.slots = {name: Slot(registry, monitor) for name, monitor in models.items()}
        self._log, self._folder, self._new_id, self._explain = to, spool, new_id, explain
        self._batches: dict[str, Batches] = {}
        # One thread for each challenger: a slow one takes its own.
        self._shadowing = {name: ThreadPoolExecutor(1, thread_name_prefix=f"vigil-shadow-{name}") for name in models}
        self._following = ThreadPoolExecutor(2 * len(models), thread_name_prefix="vigil-follow")
        self._tasks: list[asyncio.Task[None]] = []
        self.compactor: Compactor | None = None
        self._shadows = {
            name: Shadow(self._ask_challenger, most=settings.shadow_queue, dropped=self._drop) for name in models
        }
        self.metrics = Metrics(models, lambda: self.compactor.spool.depth() if self.compactor else Depth(0, 0, 0))

    async def start(self) -> None:
        """Takes the spool, and asks the registry once about every model: who is ready answers from now on."""
        self.compactor = Compactor(
            self._folder,
            self._log,
            new_name=lambda: f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}",
            seconds=self.settings.compact_seconds,
            rows=self.settings.compact_rows,
            explain=self._explained if self._explain is not None else None,
        )
        await asyncio.gather(*(self._in_following(slot.poll, datetime.now(UTC)) for slot in self.slots.values()))
        self._tasks += [asyncio.create_task(shadow.run()) for shadow in self._shadows.values()]
        for name, slot in self.slots.items():
            self.metrics.follow(name, partial(_age, slot, "last_poll"), partial(_age, slot, "since"))
            self._tasks += [asyncio.create_task(self._follow(slot)), asyncio.create_task(self._keep_warm(slot))]

    def _explained(self, name: str, rows: "pa.Table") -> "pa.Table":
        """In the thread of the compactor."""
        slot = self.slots.get(name)  # a segment of an earlier process may have rows of a model that is gone
        return self._explain(slot.monitor, rows) if slot and self._explain else rows

    async def stop(self) -> None:
        """Stores what was answered in the prediction log, as far as it takes it."""
        await asyncio.gather(*(shadow.drain(SHADOW_SECONDS) for shadow in self._shadows.values()))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.compactor is not None:
            await asyncio.to_thread(self.compactor.close)
        self._batches.clear()
        for pool in (*self._shadowing.values(), self._following):
            pool.shutdown(wait=False, cancel_futures=True)

    async def answer(self, name: str, call: Call) -> Reply:
        """Predicts, stores the rows, and only then answers. Raises Refusal."""
        slot, now = self.slot(name), self.answering(name)
        batches = self._queue(name, now.model)
        if len(call.body) <= SMALL:
            request = self._read(call, slot, now.model)
        else:
            request = await asyncio.to_thread(self._read, call, slot, now.model)
        work = batches.predict(request.features)
        status, answer = await self._within(name, now.model, work)
        served = Served(
            served_at=call.served_at,
            version=now.model.version,
            role=now.role,
            status=status,
            latency_ms=(time.perf_counter() - call.started) * 1000,
            pipeline_version=call.pipeline_version,
        )
        await self._store(slot.monitor, served, request.ids, request.logged, answer)
        beside = slot.challenger
        if self.settings.shadow and beside is not None and beside.version != now.model.version:
            self._shadows[name].ask(
                Asked(name, beside, request.ids, request.logged, call.served_at, call.pipeline_version)
            )
        return Reply(*_reply(status, answer, request.ids), now.model.version, now.role.value)

    def _queue(self, name: str, model: LoadedModel) -> Batches:
        """Where requests for this version wait. Raises Refusal 503 when it will not answer any more."""
        kept = self._batches.get(name)
        if kept is None or kept.model is not model:
            limits = self.settings
            kept = Batches(model, _attempt, rows=limits.batch_rows, threads=limits.predict_threads)
            self._batches[name] = kept
        if kept.stuck(self.settings.predict_seconds):
            why = f"model {name!r} is stuck: all its threads work on requests that ran out of time"
            raise Refusal(503, why, headers={"Retry-After": "5"})
        return kept

    def slot(self, name: str) -> Slot:
        """The model's place. Raises Refusal 404."""
        if name not in self.slots:
            raise Refusal(404, "no model of this name is served here")
        return self.slots[name]

    def answering(self, name: str) -> Answering:
        """What answers for the model at this moment. Raises Refusal 404 or 503."""
        slot = self.slot(name)
        if slot.now is None:
            why = slot.problem.short if slot.problem else "it is being loaded"
            raise Refusal(503, f"model {name!r} is not served: {why}")
        return slot.now

    def _read(self, call: Call, slot: Slot, model: LoadedModel) -> _Request:
        taken, named = {column.name for column in model.signature}, named_columns(slot.monitor)
        others = [c for c in slot.columns() if c.name not in taken and c.name not in named]
        names = (slot.monitor.data.prediction_id, "prediction_id")  # the monitor's word for it, and everybody's
        known = {*taken, *named, *(c.name for c in others), *names}
        columns, rows = parse(call.body, known=known, most=self.settings.request_rows)
        features = fit(model.signature, columns)
        logged = features
        for name, kind in named.items():
            if name in columns and name not in taken:
                logged = logged.append_column(name, fit_extra(name, kind, columns[name]))
        for column in others:  # what only the version that stands by takes: callers need not know who answers
            if column.name in columns:
                logged = logged.append_column(column.name, fit([column], columns).column(column.name))
        given = next((name for name in names if name in columns), None)
        ids = fit_ids(given, columns[given]) if given else [self._new_id() for _ in range(rows)]
        return _Request(ids, features, logged)

    async def _within(self, name: str, model: LoadedModel, work: Awaitable[Answer | str]) -> tuple[str, Answer | None]:
        """The status and answer of a prediction, at the latest when its time is over."""
        try:
            done = await asyncio.wait_for(work, self.settings.predict_seconds)
        except TimeoutError:
            log.warning("model %s version %s: no answer in %g s", name, model.version, self.settings.predict_seconds)
            return "timeout", None
        if isinstance(done, Answer):
            return "ok", done
        log.error("model %s version %s failed: %s", name, model.version, done)
        return "error", None

    def _drop(self, name: str) -> None:
        self.metrics.shadowed(name, "dropped")

    async def _ask_challenger(self, asked: Asked, started: float) -> None:
        """Scores a request that was answered with the challenger, and logs it in that role."""
        model, monitor = asked.challenger, self.slots[asked.model].monitor
        missing = [c.name for c in model.signature if c.required and c.name not in asked.rows.column_names]
        status, answer = "error", None
        if missing:
            log.error("model %s version %s needs %s; callers do not send it", asked.model, model.version, missing[:5])
        else:
            taken = [c.name for c in model.signature if c.name in asked.rows.column_names]
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._shadowing[asked.model], _attempt, model, asked.rows.select(taken))
            status, answer = await self._within(asked.model, model, work)
        served = Served(
            served_at=asked.served_at,
            version=model.version,
            role=Role.CHALLENGER,
            status=status,
            latency_ms=(time.perf_counter() - started) * 1000,
            pipeline_version=asked.pipeline_version,
        )
        await self._store(monitor, served, asked.ids, asked.rows, answer)
        self.metrics.shadowed(asked.model, status, version=model.version)

    async def _store(
        self, monitor: Monitor, served: Served, ids: list[str], rows: "pa.Table", answer: Answer | None
    ) -> None:
        def payload() -> bytes:
            made = log_rows(monitor, served, ids=ids, features=rows, answer=answer)
            return encode(monitor.model, made)

        try:
            if self.compactor is None:
                raise SpoolFailed("the gateway was not started")
            data = payload() if len(ids) <= FEW else await asyncio.to_thread(payload)
            await asyncio.wrap_future(self.compactor.spool.append(data, rows=len(ids)))
        except SpoolFailed as failure:
            log.exception("model %s: an answer was held back", monitor.model)
            raise Refusal(503, "the prediction could not be recorded, so it is not given; try again later") from failure

    async def _follow(self, slot: Slot) -> None:
        while True:
            await asyncio.sleep(self.settings.poll_seconds)
            await self._in_following(slot.poll, datetime.now(UTC))

    async def _keep_warm(self, slot: Slot) -> None:
        while True:
            await self._in_following(slot.warm)
            await asyncio.sleep(self.settings.poll_seconds)

    async def _in_following(self, work: Callable[..., None], *args: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._following, work, *args)


def _age(slot: Slot, of: str) -> float:
    """Seconds since a moment of the slot; NaN before it happened."""
    at: datetime | None = getattr(slot, of)
    return (datetime.now(UTC) - at).total_seconds() if at else float("nan")


def _attempt(model: LoadedModel, features: "pa.Table") -> Answer | str:
    """The answer, or where the model failed: its message may hold data, so it is not kept."""
    try:
        return model.predict(features)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - process border: a model may raise anything
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno} ({last.name})"


def _reply(status: str, answer: Answer | None, ids: list[str]) -> tuple[int, dict[str, Any]]:
    if answer is None:
        code, text = FAILED[status]
        return code, {"error": f"{text}; it was recorded under these ids", "prediction_ids": ids}
    content: dict[str, Any] = {"predictions": answer.values, "prediction_ids": ids}
    if answer.scores is not None:
        content["scores"] = [finite(score) for score in answer.scores]
    return 200, content
