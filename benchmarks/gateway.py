"""`make bench-gateway`: the gateway beside `mlflow models serve`: same model, one run, a real load generator.

Both get one process and the same body; the runs alternate, so that what else the machine does hits both: ratios are
worth more than the numbers they are made of. The gateway logs every answer before it gives it, MLflow's server logs
none. Then the gateway is killed under load, again and again, and what it had answered is looked for in the log.
Results: benchmarks/results/gateway.json.
"""

from __future__ import annotations

import json
import os
import platform
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
import psutil
import typer
from gateway_load import generator, measure
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "include")]
RESULTS = ROOT / "benchmarks" / "results" / "gateway.json"
MODEL = "credit_scoring"
CASES = ((1, 1), (8, 1), (32, 1), (1, 100), (8, 100))  # (connections, rows of a request)
READY = f"/models/{MODEL}/version"  # not /health: other monitors have no champion here
BAR, MANY = 3.0, 8  # times the requests a second of `mlflow models serve`, single rows, from so many connections on
out = Console(highlight=False)


def main(
    seconds: Annotated[int, typer.Option(help="Of each run.")] = 8,
    rounds: Annotated[int, typer.Option(help="Runs of each case and server; the median counts.")] = 3,
    kills: Annotated[int, typer.Option(help="How often the gateway is killed under load.")] = 5,
) -> None:
    """Measures, prints a table, and writes the results."""
    if generator() != "wrk":
        out.print("[yellow]wrk is not installed[/] (`apt-get install wrk`): Python makes the load. It needs a core for")
        out.print("itself, so both servers look slower and the ratio smaller than they are.")
    machine = _machine()
    with tempfile.TemporaryDirectory(prefix="vigil-bench-") as folder:
        home = Path(folder)
        env = _prepare(home)
        bodies = {rows: _body(rows) for _, rows in CASES}
        cases = _compare(env, home, bodies, seconds=seconds, rounds=rounds)
        lost = _kill(env, home, bodies[1], kills)
    met = all(case["ratio_requests"] >= BAR for case in cases if case["connections"] >= MANY and case["rows"] == 1)
    result = {
        "machine": machine,
        "generator": generator(),
        "bar_met": met,
        "seconds": seconds,
        "rounds": rounds,
        "cases": cases,
        "crash": lost,
        "bar": BAR,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    _show(cases, lost, met)
    if lost["lost"] or lost["doubled"]:
        raise typer.Exit(1)


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
    with (
        _server(_gateway(ours), env, home, ours, READY) as vigil,
        _server(_mlflow(theirs), env, home, theirs, "/ping") as mlflow,
    ):
        servers = {"vigil": (vigil, f"http://127.0.0.1:{ours}/models/{MODEL}/invocations"),
                   "mlflow": (mlflow, f"http://127.0.0.1:{theirs}/invocations")}  # fmt: skip
        for _, url in servers.values():
            measure(home, url, bodies[1], connections=8, seconds=2)  # warm
        cases = []
        for connections, rows in CASES:
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, (process, url) in servers.items():
                    before = _cpu(process)
                    run = measure(home, url, bodies[rows], connections=connections, seconds=seconds)
                    run["cpu_ms_per_request"] = (_cpu(process) - before) * 1000 / run.pop("requests")
                    runs[name].append(run)
            cases.append({"connections": connections, "rows": rows, **_told(runs)})
            out.print(
                f"{connections} connections, {rows} rows: {cases[-1]['ratio_requests']} times the requests a second"
            )
    return cases


def _told(runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians of each server, and the median and range of what each round's pair said."""
    summary: dict[str, Any] = {
        name: {key: round(median(run[key] for run in measured), 2) for key in measured[0]}
        for name, measured in runs.items()
    }
    pairs = list(zip(runs["vigil"], runs["mlflow"], strict=True))
    rates = [v["requests_per_second"] / m["requests_per_second"] for v, m in pairs]
    summary["ratio_requests"], summary["ratio_requests_range"] = (
        round(median(rates), 2),
        [round(f(rates), 2) for f in (min, max)],
    )
    summary["ratio_p99"] = round(median(v["p99_ms"] / m["p99_ms"] for v, m in pairs), 2)
    return summary


def _cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of processor time of a server and its children so far."""
    root = psutil.Process(process.pid)
    return sum(sum(each.cpu_times()[:2]) for each in (root, *root.children(recursive=True)))


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
    logged_ids = [row[0] for row in duckdb.execute(sql).fetchall()]
    return {"kills": kills, "answered": len(answered), "lost": len(set(answered) - set(logged_ids)),
            "doubled": len(logged_ids) - len(set(logged_ids))}  # fmt: skip


def _call(port: int, body: str, name: str, answered: list[str]) -> None:
    content = json.loads(body)
    split = content["dataframe_split"]
    columns, (row, *_) = [*split["columns"], "prediction_id"], split["data"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        for number in range(10**6):
            identity = f"{name}-{number}"
            payload = {"dataframe_split": {"columns": columns, "data": [[*row, identity]]}}
            try:
                reply = client.post(f"/models/{MODEL}/invocations", json=payload)
            except httpx.HTTPError:
                return
            if reply.status_code == 200:
                answered.append(identity)


def _machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return {
        "processor": next((x.split(":")[1].strip() for x in lines if "model name" in x), ""),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _show(cases: list[dict[str, Any]], lost: dict[str, int], met: bool) -> None:
    heads = ("req/s", "p50 ms", "p99 ms", "CPU ms/req")
    table = Table(
        "conn.", "rows", *(f"vigil {h}" for h in heads), *(f"mlflow {h}" for h in heads), "ratio", "of rounds"
    )
    for case in cases:
        cells = [case["connections"], case["rows"], *case["vigil"].values(), *case["mlflow"].values()]
        low, high = case["ratio_requests_range"]
        table.add_row(*map(str, cells), f"{case['ratio_requests']} x", f"{low}-{high}")
    Console(width=160).print(table)
    ended = f"{lost['answered']:,} answered, {lost['lost']} lost, {lost['doubled']} doubled"
    out.print(f"killed {lost['kills']} times under load: {ended}")
    verdict = "[green]met[/]" if met else "[yellow]missed in this run[/]"
    out.print(f"bar: {BAR} times the requests a second, single rows, {MANY} connections and more: {verdict}")


if __name__ == "__main__":
    typer.run(main)
