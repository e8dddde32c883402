"""The gateway's HTTP side: routes, limits and headers."""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import ClientDisconnect

from vigil.config.schema import Monitor
from vigil.ports import Explain, Registry, WriteLog
from vigil.serving.door import Door
from vigil.serving.gateway import Call, Gateway
from vigil.serving.health import health
from vigil.serving.protocol import Refusal
from vigil.serving.settings import GatewaySettings

LONGEST_PIPELINE = 200
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def create_app(
    registry: Registry,
    log: WriteLog,
    *,
    models: Mapping[str, Monitor],
    spool: Path,
    settings: GatewaySettings,
    explain: Explain | None = None,
) -> FastAPI:
    """The application over port instances. Nothing is opened before it is started.

    models: by name in the registry. spool: a folder of this process alone. explain: adds contributions of features to
    rows on their way to the log.
    Raises MonitorError when there is no model to serve.
    """
    gateway = Gateway(registry, log, models=models, spool=spool, settings=settings, explain=explain)
    door = Door(settings)
    gateway.metrics.door(lambda: door.inside)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await gateway.start()
        try:
            yield
        finally:
            await gateway.stop()

    # No documentation pages: they fetch scripts from the internet.
    app = FastAPI(title="Vigil prediction gateway", lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_invocations(gateway, door))
    app.include_router(_probes(gateway, door))
    app.include_router(_operations(gateway), dependencies=[Depends(door.known)])

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return JSONResponse({"error": str(refusal)}, refusal.status, refusal.headers)

    return app


def _invocations(gateway: Gateway, door: Door) -> APIRouter:
    """Plain routes: what FastAPI does for a handler with parameters costs as much time as reading a request."""
    router, only = APIRouter(), next(iter(gateway.slots))

    async def invocations(request: Request) -> Response:
        """Predictions of the model, in MLflow's protocol."""
        started, model = time.perf_counter(), request.path_params.get("model", only)
        try:
            door.known(request)
            with door.passing():
                gateway.answering(model)  # before a body is read for nothing
                served_at, pipeline = _served_at(request, gateway.settings), _pipeline(request)
                body = await _body(request, gateway.settings)
                reply = await gateway.answer(model, Call(body, served_at, started, pipeline))
        except Refusal as refusal:
            gateway.metrics.refused(model, refusal.status)
            raise
        gateway.metrics.answered(model, reply.version, reply.status, time.perf_counter() - started)
        headers = {"X-Model-Version": reply.version, "X-Model-Role": reply.role}
        return JSONResponse(reply.content, reply.status, headers)

    router.add_route("/models/{model}/invocations", invocations, methods=["POST"])
    if len(gateway.slots) == 1:  # the same, where one model is served: MLflow's own address
        router.add_route("/invocations", invocations, methods=["POST"])
    return router


def _probes(gateway: Gateway, door: Door) -> APIRouter:
    """What a load balancer asks, without a token: it tells no data."""
    router = APIRouter()

    @router.get("/ping")
    async def ping() -> JSONResponse:
        """The process answers; whether models do is said by /health."""
        return JSONResponse({"status": "ok"})

    @router.get("/health")
    async def how(request: Request) -> JSONResponse:
        """Each model's version, role and problem, and what waits in the spool; in detail for whom the door knows."""
        try:
            details = door.known(request)
        except Refusal:
            details = False
        status, content = await asyncio.to_thread(health, gateway, details=details)
        return JSONResponse(content, status)

    return router


def _operations(gateway: Gateway) -> APIRouter:
    router = APIRouter()

    @router.get("/metrics")
    async def metrics() -> Response:
        """Requests, latencies and the spool, for Prometheus."""
        return Response(await asyncio.to_thread(gateway.metrics.text), media_type=CONTENT_TYPE_LATEST)

    @router.get("/models/{model}/version")
    async def version(model: str) -> JSONResponse:
        """Which version answers, and in which role."""
        now = gateway.answering(model)
        return JSONResponse({"version": now.model.version, "role": now.role.value})

    @router.post("/admin/flush")
    async def flush(request: Request) -> JSONResponse:
        """Returns when everything answered before is in the prediction log. From this machine only."""
        if not _is_local(request):
            raise Refusal(403, "this is answered to callers on the gateway's own machine only")
        if gateway.compactor is None:
            raise Refusal(503, "the gateway was not started")
        moved = await asyncio.to_thread(gateway.compactor.flush)
        if gateway.compactor.problem:
            raise Refusal(503, f"not all rows are in the prediction log: {gateway.compactor.problem}")
        return JSONResponse({"flushed": moved})

    return router


async def _body(request: Request, settings: GatewaySettings) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "the body must be JSON: send it with `Content-Type: application/json`")
    most = settings.body_limit_bytes
    too_large = Refusal(413, f"the body is larger than {most} bytes: send several requests")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise too_large
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {settings.body_seconds:g} s") from None
    except ClientDisconnect:
        raise Refusal(400, "the caller went away before the body was there") from None
    return bytes(body)


def _served_at(request: Request, settings: GatewaySettings) -> datetime:
    given = request.headers.get("x-vigil-served-at")
    if given is None:
        return datetime.now(UTC)
    if not settings.trust_clock:
        raise Refusal(400, "X-Vigil-Served-At is not taken here: the gateway dates rows itself")
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(400, "X-Vigil-Served-At must be an ISO 8601 time with its offset, such as +00:00") from None


def _pipeline(request: Request) -> str:
    given = request.headers.get("x-pipeline-version", "")
    if len(given) > LONGEST_PIPELINE or not (given == "" or given.isprintable()):
        raise Refusal(400, f"X-Pipeline-Version must be a text of at most {LONGEST_PIPELINE} printable characters")
    return given


def _is_local(request: Request) -> bool:
    """A peer on this machine that speaks for itself: what a proxy hands on is not local."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
