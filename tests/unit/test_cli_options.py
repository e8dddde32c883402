"""A command takes its options as one value."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from vigil.cli_options import grouped


@dataclass(frozen=True)
class Options:
    where: Annotated[str, typer.Option(help="The place.")]
    deep: Annotated[bool, typer.Option("--deep", help="Look further.")] = False
    column: Annotated[list[str] | None, typer.Option(help="A column.")] = None


def app() -> typer.Typer:
    made = typer.Typer()

    @made.command()
    @grouped
    def look(name: Annotated[str, typer.Argument(help="The name.")], options: Options) -> None:
        """Looks at a place."""
        typer.echo(f"{name} {options}")

    return made


def test_each_field_is_an_option_with_its_help_and_default():
    run = CliRunner().invoke(app(), ["a", "--where", "here", "--column", "x", "--column", "y"])
    assert run.exit_code == 0, run.output
    assert run.output.strip() == f"a {Options(where='here', column=['x', 'y'])}"
    page = CliRunner().invoke(app(), ["--help"], env={"COLUMNS": "120", "TERM": "dumb"}).output
    assert "Looks at a place." in page
    assert "The place." in page
    assert "--deep" in page


def test_an_option_without_a_default_is_required():
    run = CliRunner().invoke(app(), ["a"])
    assert run.exit_code == 2
    assert "--where" in run.output
