"""docs/backtest.md is followed: its commands run, on fewer rows, and say what the page says."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "backtest.md").read_text()
SMALLER = {
    "1000": "200",
    "40": "9",
    "mean:amount:0.5@30-33": "mean:amount:1.5@7-8",
    "24/year": "100/year",
    "2026-02-13": "2026-01-13",
    "2026-02-05": "2026-01-12",
}


def commands() -> list[str]:
    return [line for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]


def test_the_page_has_the_shape_of_the_json_and_every_exit_code():
    assert (
        "nights: [{night, rows, verdicts: [{metric, subject, family, state, reason, value, low, high, n, baseline}]"
        in PAGE
    )
    assert all(f"| {code} |" in PAGE for code in (0, 1, 2))


@pytest.mark.slow
@pytest.mark.timeout(1200)  # seven processes, one after the other
def test_the_commands_of_the_page_do_what_it_says(tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    env |= {"PYTHONPATH": f"{ROOT / 'include'}:{ROOT}", "COLUMNS": "200", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    said = {}
    for line in commands():
        words = [SMALLER.get(w, w).replace("/tmp/past", str(tmp_path / "past")) for w in shlex.split(line)[1:]]
        if words[0] == "export":
            env |= dict([words[1].split("=", 1)])
            continue
        done = subprocess.run([sys.executable, "-m", "vigil.cli", *words[1:]], cwd=tmp_path, env=env,
                              capture_output=True, text=True, check=False, timeout=600)  # fmt: skip
        said[line] = (done.returncode, done.stdout)
        assert done.returncode in (0, 1), f"{line}\n{done.stdout}\n{done.stderr}"
    first, milder, lenient, tuned, _, why = list(said.values())[1:]
    assert first[0] == 0
    assert milder[0] == ("FAIL " in milder[1])
    assert "recorded   2026-01-12 to 2026-01-13 mean amount: " in first[1]  # seven nights know too little to find it
    found = json.loads((tmp_path / "past.json").read_text())
    assert list(found) == ["monitor", "settings_digest", "nights", "summary"]
    page = (tmp_path / "past.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert re.search(r"recorded incidents missed +0 +0", milder[1]), first[1] + milder[1]
    assert "recorded incidents missed" in lenient[1]
    assert "first half (tunes)" in tuned[1]
    assert why[0] == 0
    assert "the same, byte for byte" in why[1]
    assert "position_shift(amount): move of a numeric feature's mean normal score" in why[1]
