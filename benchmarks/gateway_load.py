"""Load on one HTTP address: `wrk` where it is installed, else threads of Python.

Run as a program, this is the Python generator: `gateway_load.py URL BODY_FILE CONNECTIONS SECONDS`.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

LUA = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{body}]==]\n'


def generator() -> str:
    """Which generator `measure` uses."""
    return "wrk" if shutil.which("wrk") else "python"


def measure(folder: Path, url: str, body: str, *, connections: int, seconds: int) -> dict[str, float]:
    """requests, requests_per_second, p50_ms, p99_ms of POSTs of the body. Raises RuntimeError when one was refused."""
    return (_wrk if generator() == "wrk" else _python)(folder, url, body, connections, seconds)


def _wrk(folder: Path, url: str, body: str, connections: int, seconds: int) -> dict[str, float]:
    script = folder / "post.lua"
    script.write_text(LUA.replace("{body}", body))
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", str(script), url]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    percentiles = {p: _ms(v) for p, v in re.findall(r"^\s+(50|99)%\s+(\S+)\s*$", text, flags=re.MULTILINE)}
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"(\d+) requests in", text)
    if (
        "Non-2xx" in text
        or "Socket errors" in text
        or rate is None
        or count is None
        or set(percentiles) != {"50", "99"}
    ):
        raise RuntimeError(f"{url}: not every request was answered:\n{text}")
    rate_, count_ = float(rate[1]), float(count[1])
    return {"requests": count_, "requests_per_second": rate_, "p50_ms": percentiles["50"], "p99_ms": percentiles["99"]}


def _ms(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if match is None:
        raise RuntimeError(f"wrk says {text!r}")
    return float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[match[2]]


def _python(folder: Path, url: str, body: str, connections: int, seconds: int) -> dict[str, float]:
    file = folder / "body.json"
    file.write_text(body)
    words = [sys.executable, __file__, url, str(file), str(connections), str(seconds)]
    process = subprocess.run(words, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{url}: {process.stderr}")
    load_result: dict[str, float] = json.loads(process.stdout)
    return load_result


def _call(url: str, body: bytes, until: float, took: list[float], refused: list[str]) -> None:
    parts = urlsplit(url)
    line = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    while time.perf_counter() < until:
        began = time.perf_counter()
        line.request("POST", parts.path, body, {"Content-Type": "application/json"})
        reply = line.getresponse()
        reply.read()
        if reply.status != 200:
            refused.append(f"{reply.status} {reply.reason}")
            return
        took.append(time.perf_counter() - began)


def _main(url: str, file: str, connections: str, seconds: str) -> None:
    body, took, refused = Path(file).read_bytes(), list[float](), list[str]()
    began = time.perf_counter()
    until = began + float(seconds)
    callers = [threading.Thread(target=_call, args=(url, body, until, took, refused)) for _ in range(int(connections))]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    if refused or not took:
        sys.exit(f"not every request was answered: {refused[:3]}")
    rate, took = len(took) / (time.perf_counter() - began), sorted(took)
    load_result = {"requests": len(took), "requests_per_second": rate}
    load_result |= {f"p{p}_ms": took[min(len(took) - 1, len(took) * p // 100)] * 1000 for p in (50, 99)}
    sys.stdout.write(json.dumps(load_result))


if __name__ == "__main__":
    _main(*sys.argv[1:])
