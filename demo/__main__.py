"""`python -m demo play|check|stop`: see `make demo`, `make demo-check`, `make stop`."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from demo.places import HOME, remembered, settle
from demo.stack import AIRFLOW, Stack, StackError

if TYPE_CHECKING:
    from demo.story import Story

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
out = Console(highlight=False)
FOLDER = Path(os.environ.get("VIGIL_DEMO", HOME / ".demo"))


@app.command()
def play(
    portfolio: Annotated[str, typer.Option(help="'all': four more models of the bank.")] = "",
) -> None:
    """Play the first nights, and stay up until Ctrl-C or `make stop`."""
    if portfolio not in ("", "all"):
        raise typer.BadParameter(f"{portfolio!r}: leave it out, or say all", param_hint="PORTFOLIO")
    stack, story, took = _tell(FOLDER, portfolio=bool(portfolio))
    from demo.summary import print_summary

    try:
        print_summary(out, story, took)
        if portfolio:
            from demo.portfolio import print_portfolio

            print_portfolio(out, story.ports, story.last)
        out.print(
            "\nEverything stays up. Ctrl-C here, or `make stop` elsewhere, ends what was started and nothing else."
        )
        while stack.running():
            time.sleep(1)
    except KeyboardInterrupt:
        pass
    finally:
        _end(stack)


@app.command()
def check() -> None:
    """The same without staying up: assert the story from the outside, and that a dead scheduler is noticed."""
    from demo.check import Checks
    from demo.summary import print_summary

    folder = FOLDER.with_name(f"{FOLDER.name}-check")
    stack, story, took = _tell(folder)
    try:
        print_summary(out, story, took)
        failed = Checks(stack, story, out).run()
    finally:
        _end(stack)
    raise typer.Exit(1 if failed else 0)


@app.command()
def stop() -> None:
    """End what `make demo` started."""
    stopped = []
    for folder in (FOLDER, FOLDER.with_name(f"{FOLDER.name}-check")):
        places = remembered(folder)
        stopped += Stack(places).stop() if places else []
    out.print(f"stopped {', '.join(stopped)}" if stopped else "nothing of the demo was running")


def _end(stack: Stack) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopped = stack.stop()
    if stopped:
        out.print(f"stopped {', '.join(stopped)}")


def _fresh(folder: Path, *, portfolio: bool) -> Stack:
    """A new folder; a demo that still runs is ended first."""
    before = remembered(folder)
    if before is not None:
        Stack(before).stop()
        shutil.rmtree(folder)
    places = settle(folder)
    if portfolio:
        from demo.portfolio import furnish

        furnish(folder / "home")
    stack = Stack(places)
    stack.prepare()
    os.environ.update(
        {k: v for k, v in stack.env.items() if k.startswith(("VIGIL", "NO_PROXY", "DO_NOT", "MLFLOW", "GX"))}
    )
    return stack


def _tell(folder: Path, *, portfolio: bool = False) -> tuple[Stack, Story, dict[str, float]]:
    """Starts the servers and tells the story; ends everything again if something goes wrong."""
    stack = _fresh(folder, portfolio=portfolio)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=out) as bar:
            return stack, *_acts(stack, bar, portfolio=portfolio)
    except BaseException as error:
        if isinstance(error, StackError | RuntimeError | subprocess.SubprocessError):
            out.print(f"[bold red]the demo failed[/]: {error}", markup=True)
        _end(stack)
        raise


def _acts(stack: Stack, bar: Progress, *, portfolio: bool) -> tuple[Story, dict[str, float]]:
    from demo.story import Story

    took: dict[str, float] = {}
    story = Story(stack, lambda text: bar.console.print(f"  [dim]{text}[/]"))

    def act(name: str, *steps: object) -> None:
        row, start = bar.add_task(name, total=1), time.monotonic()
        for step in steps:
            step()  # type: ignore[operator]
        took[name] = time.monotonic() - start
        bar.update(row, completed=1, description=f"[green]✓[/] {name}")
        bar.stop_task(row)

    migrating = stack.migrate()
    act("start MLflow and the Slack emulator", lambda: stack.start("mlflow", "slack"), lambda: stack.wait("mlflow"),
        lambda: stack.wait("slack"))  # fmt: skip
    act("train, register and promote two models", story.train)
    act("make Airflow's database", lambda: _finished(migrating, stack))
    act("start the gateway and Airflow", lambda: stack.start("gateway", *AIRFLOW))
    act("judge 28 nights of history", story.past)
    act("wait until everything answers", lambda: stack.wait("gateway"), lambda: stack.wait("airflow", seconds=180),
        lambda: _dags(story))  # fmt: skip

    def both() -> None:
        with ThreadPoolExecutor(2) as pair:
            for done in [pair.submit(story.first_model), pair.submit(_credit, story)]:
                done.result()

    act("play the nights through Airflow", both)
    if portfolio:
        from demo.portfolio import bad_nights, history

        act("train four more models, judge their history", lambda: history(story))
        act("play their bad nights through Airflow", lambda: bad_nights(story))
    return story, took


def _credit(story: Story) -> None:
    story.broken_pipeline()
    story.bad_version()


def _finished(process: subprocess.Popen[bytes], stack: Stack) -> None:
    if process.wait(timeout=180):
        raise StackError(f"airflow db migrate failed:\n{stack.tail('migrate')}")
    with closing(sqlite3.connect(stack.places.airflow_home / "airflow.db")) as db:
        db.execute("PRAGMA journal_mode=WAL")  # kept in the file: readers no longer block the writer


def _dags(story: Story) -> None:
    """Until Airflow knows every DAG."""
    wanted = {
        "vigil_nightly__iris",
        "vigil_nightly__credit_scoring",
        "vigil_respond",
        "vigil_rollback",
        "vigil_watchdog",
    }
    for _ in range(180):
        if wanted <= set(story.airflow.dags()):
            return
        time.sleep(0.5)
    raise StackError(f"Airflow does not know all DAGs: {story.airflow.dags()}; {story.airflow.import_errors()}")


if __name__ == "__main__":
    app()
