"""`make bench-gateway`: the gateway beside `mlflow models serve`: same model, one run, a real load generator.

Both get one process and the same body; the runs alternate, so that what else the machine does hits both. The gateway
logs every answer before it gives it, MLflow's server logs none. Then the gateway is killed under load, again and again,
and what it had answered is looked for in the log. Results: benchmarks/results/gateway.json.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "gateway.json"
MODEL = "credit_scoring"
CASES = ((1, 1), (8, 1), (32, 1), (8, 100))  # (connections, rows of a request)
READY = f"/models/{MODEL}/version"  # not /health: other monitors have no champion here
BAR = 3.0  # times the requests a second of `mlflow models serve`
LUA = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{body}]==]\n'
out = Console(highlight=False)


def main(
    seconds: Annotated[int, typer.Option(help="Of each run.")] = 8,
    rounds: Annotated[int, typer.Option(help="Runs of each case and server; the median counts.")] = 3,
    kills: Annotated[int, typer.Option(help="How often the gateway is killed under load.")] = 5,
) -> None:
    """Measures, prints a table, and writes the results."""
    if shutil.which("wrk") is None:
        out.print("[bold red]error[/] the load generator is missing: `apt-get install wrk`")
        raise typer.Exit(1)
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        home = Path(folder)
        env = _prepare(home)
        bodies = {rows: _body(rows) for _, rows in CASES}
        found = _compare(env, home, bodies, seconds=seconds, rounds=rounds)
        lost = _kill(env, home, bodies[1], kills)
    result = {"machine": _machine(), "seconds": seconds, "rounds": rounds, "cases": found, "crash": lost, "bar": BAR}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    _show(found, lost)


def _prepare(home: Path) -> dict[str, str]:
    """A registry with the credit model as champion, in a process of its own."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "VIGIL_STATE": str(home), "VIGIL_HOME": str(ROOT),
           "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}", "MLFLOW_DISABLE_TELEMETRY": "true",
           "DO_NOT_TRACK": "true",
           "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # fmt: skip
    script = (
        "from examples.register import register_credit\n"
        "from vigil.settings import Settings\nfrom vigil.wiring import open_registry\n"
        "registry = open_registry(Settings())\nversion = register_credit(registry, 'second').version\n"
        f"registry.move_alias('{MODEL}', 'champion', version)"
    )
    subprocess.run([sys.executable, "-c", script], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return env


def _body(rows: int) -> str:
    """The same applicants for both servers, with the model's own columns and types."""
    from examples import credit

    frame = credit.clients()[1][credit.FEATURES].head(rows)
    return json.dumps({"dataframe_split": {"columns": list(frame.columns), "data": frame.to_numpy().tolist()}})


@contextmanager
def _server(
    words: list[str], env: dict[str, str], home: Path, port: int, path: str
) -> Iterator[subprocess.Popen[bytes]]:
    log = (home / f"{port}.log").open("wb")
    process = subprocess.Popen(words, env=env, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(600):
            try:
                if httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=5).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            if process.poll() is not None:
                raise RuntimeError((home / f"{port}.log").read_text()[-2000:])
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        log.close()


def _gateway(port: int) -> list[str]:
    return [sys.executable, "-m", "vigil.serving", "--port", str(port)]


def _mlflow(port: int) -> list[str]:
    words = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{MODEL}@champion"]
    return [*words, "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "--workers", "1"]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as it:
        return int(it.getsockname()[1])


def _compare(
    env: dict[str, str], home: Path, bodies: dict[int, str], *, seconds: int, rounds: int
) -> list[dict[str, Any]]:
    ours, theirs = _free(), _free()
    with _server(_gateway(ours), env, home, ours, READY), _server(_mlflow(theirs), env, home, theirs, "/ping"):
        address = {"vigil": f"http://127.0.0.1:{ours}/models/{MODEL}/invocations",
                   "mlflow": f"http://127.0.0.1:{theirs}/invocations"}  # fmt: skip
        found = []
        for connections, rows in CASES:
            runs: dict[str, list[dict[str, float]]] = {"vigil": [], "mlflow": []}
            for _ in range(rounds):
                for name, url in address.items():
                    runs[name].append(_wrk(home, url, bodies[rows], connections, seconds))
            case: dict[str, Any] = {"connections": connections, "rows": rows}
            for name, measured in runs.items():
                case[name] = {key: round(median(run[key] for run in measured), 2) for key in measured[0]}
            rate, tail = "requests_per_second", "p99_ms"
            case["ratio_requests"] = round(case["vigil"][rate] / case["mlflow"][rate], 2)
            case["ratio_p99"] = round(case["vigil"][tail] / case["mlflow"][tail], 2)
            found.append(case)
            out.print(f"{connections} connections, {rows} rows: {case['ratio_requests']} times the requests a second")
    return found


def _wrk(home: Path, url: str, body: str, connections: int, seconds: int) -> dict[str, float]:
    script = home / "post.lua"
    script.write_text(LUA.replace("{body}", body))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "20s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if refused:
        raise RuntimeError(f"{url} refused {refused[1]} requests:\n{text}")
    told = {p: _ms(v) for p, v in re.findall(r"^\s+(50|99)%\s+(\S+)\s*$", text, flags=re.MULTILINE)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if rate is None or set(told) != {"50", "99"}:
        raise RuntimeError(text)
    return {"requests_per_second": float(rate[1]), "p50_ms": told["50"], "p99_ms": told["99"]}


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def _kill(env: dict[str, str], home: Path, body: str, kills: int) -> dict[str, int]:
    """SIGKILL under load, again and again: which answered ids are not in the log in the end?"""
    answered: list[str] = []
    for number in range(kills):
        port = _free()
        with _server(_gateway(port), env, home, port, READY) as process:
            callers = [threading.Thread(target=_call, args=(port, body, f"k{number}-{n}", answered)) for n in range(8)]
            for caller in callers:
                caller.start()
            time.sleep(1 + 0.3 * number)
            os.killpg(process.pid, signal.SIGKILL)
            for caller in callers:
                caller.join()
    port = _free()
    with _server(_gateway(port), env, home, port, READY):
        httpx.post(f"http://127.0.0.1:{port}/admin/flush", trust_env=False, timeout=120).raise_for_status()
    import duckdb

    folder = home / "predictions" / "predictions" / f"model={MODEL}"
    sql = f"SELECT prediction_id FROM read_parquet('{folder}/**/*.parquet') WHERE prediction_id LIKE 'k%'"
    kept = [row[0] for row in duckdb.sql(sql).fetchall()]
    return {"kills": kills, "answered": len(answered), "lost": len(set(answered) - set(kept)),
            "doubled": len(kept) - len(set(kept))}  # fmt: skip


def _call(port: int, body: str, name: str, answered: list[str]) -> None:
    content = json.loads(body)
    split = content["dataframe_split"]
    columns, (row, *_) = [*split["columns"], "prediction_id"], split["data"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        for number in range(10**6):
            identity = f"{name}-{number}"
            asked = {"dataframe_split": {"columns": columns, "data": [[*row, identity]]}}
            try:
                reply = client.post(f"/models/{MODEL}/invocations", json=asked)
            except httpx.HTTPError:
                return
            if reply.status_code == 200:
                answered.append(identity)


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(),
            "load_before": round(os.getloadavg()[0], 2)}  # fmt: skip


def _show(found: list[dict[str, Any]], lost: dict[str, int]) -> None:
    table = Table("connections", "rows", "vigil req/s", "p50 ms", "p99 ms", "mlflow req/s", "p50 ms", "p99 ms", "ratio")
    for case in found:
        cells = [case["connections"], case["rows"]]
        for name in ("vigil", "mlflow"):
            cells += [case[name][key] for key in ("requests_per_second", "p50_ms", "p99_ms")]
        table.add_row(*map(str, cells), f"{case['ratio_requests']} x")
    out.print(table)
    ended = f"{lost['answered']:,} answered, {lost['lost']} lost, {lost['doubled']} doubled"
    out.print(f"killed {lost['kills']} times under load: {ended}")
    worst = min(case["ratio_requests"] for case in found)
    out.print(f"bar: {BAR} times the requests a second; the least is {worst}")


if __name__ == "__main__":
    typer.run(main)
