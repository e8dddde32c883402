"""Closed vocabularies that every stage shares."""

from enum import StrEnum


class Task(StrEnum):
    """What the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Role(StrEnum):
    """In which registry role a version answered."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    FALLBACK = "fallback"


class Status(StrEnum):
    """How a request ended."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


class Family(StrEnum):
    """The layers that are watched."""

    SERVICE = "service"
    QUALITY = "quality"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"


class Mitigation(StrEnum):
    """What is done at once to stop harm."""

    ROLLBACK = "rollback"
    FALLBACK = "fallback"
    FREEZE = "freeze"
    NONE = "none"
