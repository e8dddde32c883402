"""Requests that somebody else counted: Prometheus, or a file that a load balancer exports."""

from __future__ import annotations

import csv
import io
from datetime import date
from math import isfinite
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from vigil.core.window import night_window
from vigil.ports import TrafficCount

if TYPE_CHECKING:
    from vigil.config.schema import Monitor

SECONDS, TRIES = 10.0, 3  # patience with Prometheus


class CountedElsewhere:
    """Implements the Traffic port. `home` is where relative paths start."""

    def __init__(self, home: Path, prometheus_url: str | None) -> None:
        self._home = Path(home)
        self._url = prometheus_url

    def requests(self, monitor: Monitor, night: date) -> TrafficCount:
        """The night's requests. What goes wrong is said, never raised."""
        if monitor.traffic is None:
            return TrafficCount(why_not="the monitor names no `traffic:`")
        try:
            if monitor.traffic.file is not None:
                return self._exported(monitor.traffic.file, night)
            return self._asked(str(monitor.traffic.prometheus), monitor, night)
        except Exception as error:  # noqa: BLE001 - whatever a server or a file does, the night is judged
            return TrafficCount(why_not=f"{type(error).__name__}: {error}")

    def _exported(self, where: str, night: date) -> TrafficCount:
        import fsspec  # type: ignore[import-untyped]

        place = where if "://" in where else str(self._home / where)
        with fsspec.open(place, "rt", encoding="utf-8-sig") as file:
            rows = csv.DictReader(io.StringIO(file.read()))
        if not {"night", "requests"} <= {*(rows.fieldnames or ())}:
            return TrafficCount(why_not=f"{where} needs the columns `night` and `requests`; it has {rows.fieldnames}")
        found = [row["requests"] for row in rows if row["night"].strip() == night.isoformat()]
        if len(found) != 1:
            return TrafficCount(why_not=f"{where} has {len(found)} lines for {night}")
        return _whole(found[0], f"{where}, {night}")

    def _asked(self, query: str, monitor: Monitor, night: date) -> TrafficCount:
        if not self._url:
            return TrafficCount(why_not="set VIGIL_PROMETHEUS_URL to the server that `traffic.prometheus` asks")
        window = night_window(night, monitor.timezone)
        seconds = int((window.end - window.start).total_seconds())
        asked = Template(query).safe_substitute(seconds=seconds)
        answer = _get(f"{self._url.rstrip('/')}/api/v1/query", {"query": asked, "time": window.end.timestamp()})
        if answer.get("status") != "success":
            return TrafficCount(why_not=f"Prometheus says {answer.get('errorType')}: {answer.get('error')}")
        data = answer["data"]
        values = [data["result"]] if data["resultType"] == "scalar" else [each["value"] for each in data["result"]]
        if len(values) != 1:
            why = f"Prometheus gives {len(values)} series for {asked!r}: one is needed, add `sum(...)` around it"
            return TrafficCount(why_not=why)
        return _whole(values[0][1], f"Prometheus, {asked!r}")


def _get(url: str, params: dict[str, Any]) -> dict[str, Any]:
    """A GET that is tried again where the server is busy or away; a refused query is its answer."""
    import httpx
    from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

    @retry(
        retry=retry_if_exception_type((httpx.TransportError, httpx.HTTPStatusError)),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    def ask() -> dict[str, Any]:
        answer = httpx.get(url, params=params, timeout=SECONDS)
        if answer.status_code not in (400, 422):
            answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    return ask()


def _whole(value: Any, where: str) -> TrafficCount:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number) or number < 0:
        return TrafficCount(why_not=f"{where}: {value!r} is no number of requests")
    return TrafficCount(requests=round(number))
