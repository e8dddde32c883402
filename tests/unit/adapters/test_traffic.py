"""Requests counted elsewhere: a CSV of a load balancer, and a Prometheus that answers, refuses, or is away."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.nights.stage import monitor
from vigil.adapters.traffic import CountedElsewhere

NIGHT, SUMMER_ENDS = date(2026, 9, 20), date(2026, 10, 25)
QUERY = 'sum(increase(http_requests_total{path=~"/score$"}[${seconds}s]))'


class Prometheus:
    """Answers the queue of (status, body), the last for ever, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[dict[str, list[str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(parse_qs(urlsplit(self.path).query))
                status, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def vector(*values: str) -> dict[str, Any]:
    found = [{"metric": {}, "value": [0, v]} for v in values]
    return {"status": "success", "data": {"resultType": "vector", "result": found}}


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    server = Prometheus()
    yield server
    server.server.shutdown()
    server.server.server_close()


def asked(prometheus: Prometheus, *answers: tuple[int, Any], night: date = NIGHT) -> Any:
    prometheus.answers = list(answers)
    port = CountedElsewhere(Path(), prometheus.url)
    return port.requests(monitor(traffic={"prometheus": QUERY}), night)


def test_prometheus_is_asked_at_the_end_of_the_night_for_its_length(prometheus):
    assert asked(prometheus, (200, vector("1234.4")), night=SUMMER_ENDS).requests == 1234
    (question,) = prometheus.asked
    assert question["query"] == ['sum(increase(http_requests_total{path=~"/score$"}[90000s]))']
    assert float(question["time"][0]) == 1792969200.0  # 2026-10-26 00:00 in Berlin


def test_a_busy_prometheus_is_asked_again(prometheus):
    assert asked(prometheus, (503, {}), (200, vector("7"))).requests == 7


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((400, {"status": "error", "errorType": "bad_data", "error": "parse error"}), "parse error"),
        ((200, vector()), "0 series"),
        ((200, vector("1", "2")), "add `sum"),
        ((200, vector("NaN")), "no number of requests"),
        ((500, {}), "500"),
    ],
)
def test_what_prometheus_cannot_tell_is_said_and_never_raised(prometheus, answer, why):
    counted = asked(prometheus, answer)
    assert counted.requests is None
    assert why in counted.why_not


def test_a_prometheus_that_is_away_or_not_configured_is_said():
    one = monitor(traffic={"prometheus": QUERY})
    assert "Connect" in CountedElsewhere(Path(), "http://127.0.0.1:9").requests(one, NIGHT).why_not
    assert "VIGIL_PROMETHEUS_URL" in CountedElsewhere(Path(), None).requests(one, NIGHT).why_not


@pytest.mark.parametrize(
    ("text", "requests", "why"),
    [
        ("night,requests\n2026-09-19,5\n2026-09-20,900\n", 900, ""),
        ("\ufeffnight,requests,errors\n2026-09-20,900,1\n", 900, ""),
        ("night,requests\n2026-09-19,5\n", None, "0 lines for 2026-09-20"),
        ("night,requests\n2026-09-20,5\n2026-09-20,6\n", None, "2 lines for 2026-09-20"),
        ("day,requests\n2026-09-20,5\n", None, "needs the columns `night` and `requests`"),
        ("night,requests\n2026-09-20,many\n", None, "'many' is no number of requests"),
        ("night,requests\n2026-09-20,-1\n", None, "no number of requests"),
        ("", None, "needs the columns"),
    ],
)
def test_a_load_balancers_export_is_read_and_its_mistakes_are_named(tmp_path, text, requests, why):
    (tmp_path / "lb.csv").write_text(text, encoding="utf-8")
    counted = CountedElsewhere(tmp_path, None).requests(monitor(traffic={"file": "lb.csv"}), NIGHT)
    assert counted.requests == requests
    assert why in counted.why_not


def test_an_export_that_is_not_there_is_said(tmp_path):
    counted = CountedElsewhere(tmp_path, None).requests(monitor(traffic={"file": "lb.csv"}), NIGHT)
    assert counted.why_not.startswith("FileNotFoundError")


@pytest.mark.parametrize("traffic", [{}, {"file": "a.csv", "prometheus": "up"}])
def test_a_monitor_names_exactly_one_source(traffic):
    with pytest.raises(ValueError, match="exactly one of `prometheus` and `file`"):
        monitor(traffic=traffic)
