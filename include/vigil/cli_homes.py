"""Finds the home and the monitor for commands that only read, and reports wrong usage with exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from vigil import wiring
from vigil.core.errors import DataError, VigilError
from vigil.settings import Settings

if TYPE_CHECKING:
    from vigil.config.schema import Monitor

told_apart = Console(stderr=True, highlight=False)
Home = Annotated[
    Path | None, typer.Option("--home", help="Another home, its state folder, or a prediction log without a home.")
]


@contextmanager
def usage() -> Iterator[None]:
    """Errors end with exit code 2, so that scripts can tell them from a failed check (1)."""
    try:
        yield
    except VigilError as error:
        told_apart.print(f"[bold red]error[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(2) from None


def monitor_of(model: str, home: Path | None) -> tuple[Settings, Path, Monitor]:
    """(settings of the home, the monitor's file, the monitor). model: a name, or a YAML file."""
    from vigil.config.load import file_of, load_monitor

    file = Path(model) if model.endswith((".yaml", ".yml")) else None
    name = load_monitor(file).model if file else model
    settings = located(home, name)
    if file is None:
        own = [s for s in (settings, Settings()) if (s.monitors_dir / f"{name}.yaml").exists()]
        file = file_of((own[0] if own else settings).monitors_dir, name)
    return settings, file, load_monitor(file)


def located(home: Path | None, model: str) -> Settings:
    """The settings of a home, of its state folder, or of a prediction log alone; without one, those that hold here."""
    if home is None:
        return Settings()
    home = home.expanduser().absolute()
    if not home.is_dir():
        raise DataError(f"--home {home} is not a folder")
    for root in (home / ".vigil" / "predictions", home / "predictions", home):
        state = home if root != home / ".vigil" / "predictions" else home / ".vigil"
        if (root / "predictions" / f"model={model}").is_dir() or (state / "vigil.db").exists():
            found = wiring.own_settings(home, state=state)
            return found.model_copy(update={"predictions": root})
    raise DataError(
        f"--home {home}: no log of {model!r} there; it is looked for in .vigil/predictions/predictions/model={model}, "
        f"predictions/predictions/model={model} and predictions/model={model}"
    )
