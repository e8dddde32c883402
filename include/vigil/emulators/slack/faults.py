"""What tests break on purpose: queued per method, each for a number of calls."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """How a call goes wrong."""

    RATELIMITED = "ratelimited"  # 429 with Retry-After; nothing happens
    HTTP_500 = "http_500"  # nothing happens
    ERROR = "error"  # ok: false with `error`; nothing happens
    ACCEPT_THEN_DROP = "accept_then_drop"  # it happens, and the connection dies without an answer
    DROP = "drop"  # nothing happens, and the connection dies without an answer
    FATAL_AFTER = "fatal_after"  # it happens, and the answer is fatal_error
    SLOW = "slow"  # it happens at once; the answer takes `seconds`


class Fault(BaseModel):
    """One switch. method `*` is every method."""

    model_config = ConfigDict(extra="forbid")

    method: str
    kind: FaultKind
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    error: str = "internal_error"
    retry_after: Annotated[int, Field(ge=0, le=3600)] = 1
    seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


class Faults:
    """The switches that are on. Each call takes at most one."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue one behind the others."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """All off."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The first that matches, counted down."""
        for fault in self._waiting:
            if fault.method in (method, "*"):
                fault.count -= 1
                if fault.count == 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def waiting(self) -> list[Fault]:
        """What is still queued."""
        return list(self._waiting)
