"""docs/simulate.md is followed, and tells of the regimes and faults that there are."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vigil.simulation.nights import Simulation
from vigil.simulation.regimes import load

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "simulate.md").read_text()


def rows() -> dict[str, list[str]]:
    """First cell of each table row -> its other cells."""
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]
    return {first.strip("`"): rest for first, *rest in cells}


def test_the_page_has_every_regime_and_every_fault_with_its_usual_size():
    told = rows()
    assert set(load().regimes) <= set(told)
    by_kind = {name.split(":")[0]: cells for name, cells in told.items()}
    for kind, about in load().faults.items():
        assert by_kind[kind][0].startswith(f"{about.size:g}"), kind


def test_the_example_in_python_runs():
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(block.replace("10_000", "50").replace("for night in run:", "for night in [run.night(73)]:"), made := {})
    run = made["run"]
    assert isinstance(run, Simulation)
    assert [one["onset_night"] for one in run.truth] == [60]
    assert made["night"].predictions.num_rows > 0


@pytest.mark.slow
def test_the_commands_of_the_page_make_a_home_whose_night_is_judged(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    env |= {"PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "COLUMNS": "200"}
    told = ""
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)[:2]:
        for line in block.replace("/tmp/nights", str(tmp_path / "nights")).splitlines():
            words = shlex.split(line, comments=True)[1:]
            if words[0] == "export":
                env |= dict([words[1].split("=", 1)])
                continue
            words = ["2026-01-08" if w == "2026-03-05" else w for w in words]  # the page has an hour, a test has not
            done = subprocess.run([sys.executable, "-m", "vigil.cli", *words[1:]], cwd=tmp_path, env=env,
                                  capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
            assert done.returncode in ((0, 2) if words[1] == "night" else (0,)), f"{line}\n{done.stdout}\n{done.stderr}"
            told += done.stdout
    assert "fault      mean amount by 0.5 sd from 2026-02-24" in told
    assert "1 monitors are valid" in told
    assert "judged     simulated 2026-02-25" in told
