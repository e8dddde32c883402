"""What a person says of a log, by flag or at a prompt, before a monitor is drafted from it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from vigil.core.spec import Spec
from vigil.onboarding.columns import DayOrMonth
from vigil.onboarding.roles import Word

MOST_FEATURES = 200


class Asked(Spec):
    """What people said, by flag or at a prompt. None or empty: they said nothing."""

    name: str
    log: str  # as the YAML says it
    outcomes: str | None = None
    columns: Mapping[Word, str] = Field(default_factory=dict)
    only: Mapping[str, str] = Field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()  # features whose numbers are a quantity, whatever they look like
    category: tuple[str, ...] = ()  # features whose numbers are codes
    positive: str | None = None
    score_scale: str | None = None
    dates: DayOrMonth | None = None
    protected: tuple[str, ...] = ()
    no_protected: bool = False
    timezone: str = "UTC"
    environment: str = "production"
    most_features: int = MOST_FEATURES
