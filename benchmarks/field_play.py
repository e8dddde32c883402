"""One stream in a home of its own: onboarded by `vigil init`, and its nights judged in each of the ways there are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import yaml
from field_streams import Stream

from vigil import wiring
from vigil.adapters.memory import FrozenClock
from vigil.config.schema import Monitor
from vigil.core.stages import JUDGING, Stage
from vigil.incidents.types import Incident
from vigil.usecases import backtest
from vigil.usecases.backfill import backfill
from vigil.usecases.incidents import all_incidents
from vigil.usecases.night.run import run_night
from vigil.verdicts.types import NightResult

ROOT = Path(__file__).resolve().parents[1]
MODEL = "field"
Change = Callable[[pd.DataFrame], pd.DataFrame]


class Failed(Exception):
    """A command of Vigil ended with an error."""


@dataclass(frozen=True)
class Past:
    """What a way of judging said: the result of each night, and the incidents, where that way opens any."""

    results: tuple[NightResult, ...]
    incidents: tuple[Incident, ...] = ()


def command(home: Path, *words: str) -> str:
    """A command of Vigil as it is typed, in a home. Returns what it printed; raises Failed with that."""
    env = {
        **os.environ, "VIGIL_HOME": str(home), "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}",
        "XDG_CACHE_HOME": str(home / "cache"), "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    call = [sys.executable, "-m", "vigil.cli", *words]
    process = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
    if process.returncode:
        raise Failed(f"vigil {' '.join(words[:2])}: {(process.stderr or process.stdout).strip()[-600:]}")
    return process.stdout


class Home:
    """A folder with a stream's log and Vigil's files, which may be copied with everything in it."""

    def __init__(self, folder: Path, stream: Stream) -> None:
        self.folder, self.stream = folder, stream
        (folder / "log" / "served").mkdir(parents=True, exist_ok=True)
        (folder / "log" / "truth").mkdir(parents=True, exist_ok=True)

    def copied(self, to: Path) -> Home:
        """The same home elsewhere."""
        shutil.copytree(self.folder, to)
        return Home(to, self.stream)

    def write(self, day: date, *, as_of: date, change: Change | None = None) -> None:
        """A day's file, with the labels that were known at the end of another day."""
        rows = self.stream.served(day, as_of=as_of)
        rows = change(rows) if change else rows
        if len(rows):
            rows.to_parquet(self.folder / "log" / "served" / f"{day}.parquet", index=False)

    def end_of(self, day: date, change: Change | None = None) -> None:
        """What is new in the log at the end of a day: its rows, and labels of days before."""
        self.write(day, as_of=day, change=change)
        if self.stream.apart:
            truth_rows = self.stream.truth(day)
            if len(truth_rows):
                truth_rows.to_parquet(self.folder / "log" / "truth" / f"{day}.parquet", index=False)
        elif change is None:  # a day that was changed is not written anew: its labels come with other rows
            due = day - timedelta(days=self.stream.late)
            if due in self.stream.days:
                self.write(due, as_of=day)

    def whole_log(self) -> Home:
        """The log as it is after the last day."""
        last = self.stream.days[-1]
        for day in self.stream.nights:
            self.write(day, as_of=last)
            if self.stream.apart and len(truth_rows := self.stream.truth(day)):
                truth_rows.to_parquet(self.folder / "log" / "truth" / f"{day}.parquet", index=False)
        return self

    def vigil(self, *words: str) -> str:
        """A command as it is typed. Raises Failed with what it said."""
        return command(self.folder, *words)

    def onboarded(self, nights: int) -> str:
        """`vigil init` with the usual answers, judging so many past nights; then the bound that the owner adds."""
        where = ["--log", str(self.folder / "log" / "served" / "*.parquet")]
        where += ["--outcomes", str(self.folder / "log" / "truth" / "*.parquet")] if self.stream.apart else []
        output = self.vigil("init", MODEL, *where, *self.stream.flags, "--nights", str(nights))
        if self.stream.bound:
            drafted = yaml.safe_load(self.monitor_file.read_text())
            drafted["rules"].setdefault("performance", []).append(dict(self.stream.bound))
            self.monitor_file.write_text(yaml.safe_dump(drafted, sort_keys=False))
        return output

    @property
    def monitor_file(self) -> Path:
        """The drafted YAML."""
        return self.folder / "monitors" / f"{MODEL}.yaml"

    @cached_property
    def settings(self) -> Any:
        """Of this home, whatever the environment says."""
        return wiring.own_settings(self.folder)

    @property
    def monitor(self) -> Monitor:
        """As the YAML says now."""
        return wiring.monitor(MODEL, self.settings)

    def unlearnt(self) -> Home:
        """A home that is onboarded, before its first row arrives: its log is taken away, and what was taken from it."""
        shutil.rmtree(self.folder / "log")
        for log_folder in (self.settings.predictions_dir / "predictions", self.settings.predictions_dir / "outcomes"):
            shutil.rmtree(log_folder, ignore_errors=True)
        shutil.rmtree(self.settings.state_dir / "intake", ignore_errors=True)
        return Home(self.folder, self.stream)

    def backfilled(self, nights: Sequence[date]) -> None:
        """As `vigil backfill` does it."""
        for _ in backfill(wiring.open_ports(self.settings), self.monitor, nights):
            pass

    def stored(self, nights: Sequence[date]) -> Past:
        """The judgements and incidents that the home keeps."""
        ports, monitor = wiring.open_ports(self.settings), self.monitor
        results = [ports.results.latest(monitor.model, monitor.environment, night) for night in nights]
        return Past(tuple(r for r in results if r is not None), tuple(all_incidents(ports)))

    def rehearsed(self) -> Past:
        """What `vigil backtest` says of all nights."""
        with TemporaryDirectory(prefix="field-") as folder:
            rehearsal = Rehearsal(self, Path(folder))
            return rehearsal.play(rehearsal.nights).past(rehearsal.nights)


class Rehearsal:
    """`vigil backtest` step by step, so that it can be stopped before a night, and go on from there in a fork."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.monitor = home, home.monitor
        rehearsal = wiring.rehearsal(home.settings, MODEL, folder, keep=None)
        self.nights = backtest.nights_of(rehearsal.fresh(), self.monitor, rehearsal.nights)
        self.ports = rehearsal.fresh()

    def play(self, nights: Sequence[date]) -> Rehearsal:
        """Judges nights that follow those that were played."""
        for _ in backtest.judged(self.ports, self.monitor, nights, None):
            pass
        return self

    def past(self, nights: Sequence[date]) -> Past:
        """What is known of nights that were played."""
        backtest_result = backtest.told(self.ports, self.monitor, nights, None)
        return Past(tuple(d.last for d in backtest_result.nights), backtest_result.incidents)


def forked(work: Callable[[], Any]) -> Any:
    """What `work` returns, done in a copy of this process. Raises Failed with its traceback where it raised."""
    fork = get_context("fork")
    here, there = fork.Pipe(duplex=False)

    def child() -> None:
        try:
            there.send((True, work()))
        except Exception:  # noqa: BLE001 - it is told to the parent
            there.send((False, traceback.format_exc()))

    process = fork.Process(target=child)
    process.start()
    there.close()
    try:
        good, answer = here.recv()
    except EOFError:
        good, answer = False, "the copy died"
    process.join()
    if not good:
        raise Failed(answer)
    return answer


class Nightly:
    """Nights of a home in date order, each on its morning: the steps of the DAG from the intake to the incidents."""

    def __init__(self, home: Home) -> None:
        self.home, self.monitor = home, home.monitor
        self.clock = FrozenClock(datetime(2000, 1, 1, tzinfo=UTC))
        self.ports = replace(wiring.open_ports(home.settings), clock=self.clock)

    def night(self, day: date, change: Change | None = None) -> NightResult:
        """What arrives on a day is logged, taken and judged on the morning after."""
        self.home.end_of(day, change)
        morning = datetime.combine(day + timedelta(days=1), time(3), tzinfo=UTC)
        self.clock.advance(morning - self.clock.now())
        run_night(self.ports, self.monitor, day, stages=(Stage.INTAKE, *JUDGING, Stage.CORRELATE))
        result = self.ports.results.latest(self.monitor.model, self.monitor.environment, day)
        assert result is not None
        return result

    def incidents(self) -> list[Incident]:
        """Every incident, newest first."""
        return list(all_incidents(self.ports))
