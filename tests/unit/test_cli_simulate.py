"""`vigil simulate`: what it is told where it cannot do what was asked, without a home being made."""

import json

import pytest
from typer.testing import CliRunner

from vigil.cli import app
from vigil.core.errors import DataError
from vigil.simulation.regimes import FaultKind, load


def told(*words):
    found = CliRunner().invoke(app, ["simulate", *map(str, words)], env={"COLUMNS": "200"})
    return found, found.output


def refused(*words) -> str:
    found, _ = told(*words)
    assert isinstance(found.exception, DataError), found.output
    return str(found.exception)


def test_what_can_be_drawn_is_listed():
    found, text = told("--list")
    assert found.exit_code == 0
    for name in (*load().regimes, *map(str, FaultKind), *load().features, *load().population.groups):
        assert name in text


def test_a_home_needs_a_place():
    assert "--out is missing: name a new folder" in refused("--seed", 1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--regime", "hrad"], "did you mean 'hard'"),
        (["--fault", "meen:amount:0.5@5"], "did you mean 'mean'"),
        (["--fault", "mean:amout:0.5@5"], "did you mean 'amount'"),
        (["--fault", "mean:amount:0.5@60"], "it begins after the last night"),
        (["--fault", "mean:rating:2.9@5"], "rating cannot move by 2.9 sd"),
        (["--rows", 0], "rows 0"),
        (["--name", "My Model"], "small letters, digits and _"),
        (["--from", "2026-01-05"], "need --from-log"),
        (["--regime", "iid", "--from-log", "nowhere/churn"], "cannot be combined with --from-log"),
        (["--from-log", "nowhere/churn"], "no log of 'churn'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(words, why, tmp_path):
    assert why in refused("--out", tmp_path / "home", *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "notes.txt").write_text("mine")
    assert "is not empty" in refused("--out", tmp_path / "home", "--rows", 20, "--nights", 1)
    assert (tmp_path / "home" / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    assert "is no folder" in refused("--out", tmp_path / "file", "--rows", 20, "--nights", 1, "--force")


@pytest.mark.slow
def test_with_force_what_was_there_is_kept_beside(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.txt").write_text("mine")
    for n in (1, 2):
        found, text = told("--out", home, "--rows", 40, "--nights", 2, "--force")
        assert found.exit_code == 0, found.exception
        assert f"home.before-{n}" in text
    assert (tmp_path / "home.before-1" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "home.before-2" / "truth.json").exists()
    assert json.loads((home / "truth.json").read_text()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "home.before-1", "home.before-2"]
