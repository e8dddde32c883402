"""Names of time zones, checked where they are written."""

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator


@cache
def known_zones() -> frozenset[str]:
    """Listing them walks the time zone folders: once is enough."""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in known_zones():
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin'")
    return name


Zone = Annotated[str, AfterValidator(_zone)]
