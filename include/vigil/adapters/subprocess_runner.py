"""Scores rows with another version in a process of its own, with limits and without our secrets."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import vigil
from vigil.core.errors import RegistryError, ReplayError
from vigil.ports import Registry

if TYPE_CHECKING:
    import pyarrow as pa


class SubprocessRunner:
    """ModelRunner: a verified model, a child process, Arrow files in a private folder.

    registry: asked in this process; the child never talks to it.
    python: the interpreter of the child; it must have the model's libraries.

    The child's environment holds no tokens, no proxies and no tracking address. It runs as the same
    user and can open sockets: it contains accidents and bad models, not a determined attacker (a
    container with no network does; docs/adr/0009).
    """

    def __init__(self, registry: Registry, *, python: str = sys.executable) -> None:
        self._registry = registry
        self._python = python

    def score(self, model: str, version: str, rows: "pa.Table", *, seconds: int, megabytes: int) -> "pa.Table":
        """One answer per row, in order: `prediction` (text), and `score` where the model gives one."""
        what = f"model {model!r} version {version}"
        try:
            inputs = self._registry.version(model, version).inputs
            folder = self._registry.verify(model, version)
        except RegistryError as error:
            raise ReplayError(f"{what} could not be replayed: {error}") from error
        columns = _wanted(inputs, rows, what)
        with tempfile.TemporaryDirectory(prefix="vigil-replay-") as place:
            job = Path(place)
            order = {"model": str(folder), "inputs": columns, "seconds": seconds, "megabytes": megabytes}
            (job / "job.json").write_text(json.dumps(order))
            _write(rows.select(list(columns)), job / "rows.arrow")
            code = self._run(job, seconds, what)
            return _result(job, code, rows.num_rows, what=what, megabytes=megabytes)

    def _run(self, job: Path, seconds: int, what: str) -> int:
        with (job / "output.txt").open("wb") as output:
            child = subprocess.Popen(
                [self._python, "-P", "-m", "vigil.adapters.runner_child", str(job)],
                cwd=job,
                env=child_environment(job),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return child.wait(timeout=seconds)
            except subprocess.TimeoutExpired as late:
                raise ReplayError(f"{what} did not answer within {seconds} s; it was stopped") from late
            finally:
                _end(child)


def child_environment(job: Path) -> dict[str, str]:
    """The whole environment of a child: where programs are, a private home, one thread per library."""
    one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
    return {
        "PATH": os.defpath,
        "HOME": str(job),
        "TMPDIR": str(job),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(vigil.__path__[0]).parent),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        **dict.fromkeys(one, "1"),
    }


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child and whatever it started (its own session), and leaves no zombie."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _wanted(inputs: dict[str, str], rows: "pa.Table", what: str) -> dict[str, str]:
    if not inputs:
        raise ReplayError(f"{what} has no signature with named columns, so nobody can say what to hand it")
    missing = [name for name in inputs if name not in rows.column_names]
    if missing:
        raise ReplayError(f"{what} needs columns that the log does not have: {', '.join(missing)}")
    return inputs


def _write(rows: "pa.Table", path: Path) -> None:
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)


def _result(job: Path, code: int, rows: int, *, what: str, megabytes: int) -> "pa.Table":
    import pyarrow as pa

    problem = job / "problem.json"
    if problem.exists():
        raise ReplayError(f"{what} could not score the rows: {json.loads(problem.read_text())['why']}")
    if code == -signal.SIGXCPU:
        raise ReplayError(f"{what} used up its CPU seconds; it was stopped")
    if code != 0 or not (job / "scores.arrow").exists():
        end = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise ReplayError(f"{what} crashed ({end}) with a limit of {megabytes} MB; the usual cause is memory")
    with pa.OSFile(str(job / "scores.arrow")) as file:
        scores = pa.ipc.open_file(file).read_all()
    if scores.num_rows != rows:
        raise ReplayError(f"{what} answered {scores.num_rows} rows of {rows}")
    return scores
