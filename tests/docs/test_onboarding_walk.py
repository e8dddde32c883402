"""docs/add-a-model.md is followed word for word, by somebody who has never seen Vigil."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vigil.config.load import load_monitor

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add-a-model.md").read_text()
EXPECTED = {"vigil night screening 2026-11-01": 2, "vigil doctor": 1}  # exit codes that the page tells of


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def commands() -> list[str]:
    return [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]


def shape(text: str) -> str:
    """The text without its numbers: those are another thing than the page's words."""
    return re.sub(r"\d[\d,.]*(?:e-\d+)?", "#", text)


@pytest.mark.slow
def test_the_page_is_followed_from_a_stranger_s_log_to_a_bad_night_that_is_named(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    env |= {"VIGIL_HOME": str(home), "PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "COLUMNS": "200"}
    told = {}
    for command in commands():
        words = shlex.split(command)
        program = [sys.executable, *(["-m", "vigil.cli"] if words[0] == "vigil" else []), *words[1:]]
        done = subprocess.run(program, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == EXPECTED.get(command, 0), f"$ {command}\n{done.stdout}\n{done.stderr}"
        told[command.split(" --")[0]] = done.stdout
    assert "0 nights would have opened or joined an incident" in told["vigil init screening"]
    assert "took       220 new of 6,820 rows, 220 labels" in told["vigil ingest screening"]
    assert "BREACH   position_shift(radius)" in told["vigil night screening 2026-11-01"]
    assert "the monitor agrees with its rows, reference and suite" in told["vigil lint"]
    for line in re.findall(r"^(?:took|judged|\s+BREACH) .*$", PAGE, flags=re.MULTILINE):
        assert any(shape(line) in shape(out) for out in told.values()), f"the page says {line!r}; no command did"
    for line in blocks("text")[0].splitlines():
        what, *rest = line.split()
        assert any(re.search(rf"^{re.escape(what)}\s+{re.escape(rest[0])}", out, re.MULTILINE) for out in told.values())


def test_the_monitor_on_the_page_is_valid(tmp_path):
    (page,) = blocks("yaml")
    path = tmp_path / "churn.yaml"
    path.write_text(page)
    assert load_monitor(path).model == "churn"
    assert yaml.safe_load(page)["people"]["owner"] == "ada@example.com"


def test_the_python_on_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("VIGIL_STATE", str(tmp_path))
    (page,) = blocks("python")
    exec(compile(page, "docs/add-a-model.md", "exec"), {})
    assert list(tmp_path.glob("predictions/predictions/model=churn/date=2026-11-20/*.parquet"))
    assert list(tmp_path.glob("predictions/outcomes/model=churn/date=2026-12-20/*.parquet"))
