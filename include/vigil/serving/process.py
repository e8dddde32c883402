"""One gateway as a process: it serves until it is asked to stop, and then ends soon, whatever hangs."""

import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

log = logging.getLogger(__name__)

GRACE = 20  # seconds that requests in flight may take after SIGTERM; those that take longer are not answered
BOUND = 28  # seconds from SIGTERM to the end; orchestrators kill after 30
AFTER = 2  # seconds for threads inside a model, when all else is done


class _Server(uvicorn.Server):
    asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            _leave_after(BOUND, 1, f"not done {BOUND} s after it was asked to stop: what waits is safe in the spool")
        super().handle_exit(sig, frame)


def serve(app: Any, *, host: str = "127.0.0.1", port: int = 0, listening: socket.socket | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then returns: requests were answered, and the spool moved to the log.

    app: an application, or where a factory is (`module:name`). Exits with 3 when it does not start.
    The process ends soon after this returns, even if a model never does.
    """
    # One process: the spool has one writer. More models or more load are more gateways, each with its own state folder.
    config = uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=host,
        port=port,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Server(config)
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn sends it again when all is done: that is the end, not 143
    with suppress(KeyboardInterrupt):
        server.run([listening] if listening else None)
    if not server.started and not server.asked:
        sys.exit(3)
    _leave_after(AFTER, 0, "a thread is still inside a model; all that was answered is stored")


def _leave_after(seconds: float, code: int, why: str) -> None:
    """Ends the process if it is still there then: Python waits for ever for a thread that hangs in a model."""

    def leave() -> None:
        log.warning("%s", why)
        logging.shutdown()
        os._exit(code)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
