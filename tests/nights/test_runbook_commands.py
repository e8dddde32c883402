"""Every command that a runbook shows is run, page by page, in a bank whose bad night was mitigated."""

import re
import shlex
from pathlib import Path

import pytest
from stage import MODEL, TONIGHT, bank_after, copied, poorer_women
from typer.testing import CliRunner

from vigil import wiring
from vigil.cli import app
from vigil.core.words import Role

pytestmark = pytest.mark.slow  # real stores, many nights
RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
INCIDENT = f"{TONIGHT:%Y%m%d}-shop-staging"
FINE = {"night": (0, 2), "doctor": (0, 1), "heartbeat": (0, 1)}  # 2: it breaches; 1: something is amiss, as told


def commands(page: Path) -> list[list[str]]:
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ vigil ")]
    return [shlex.split(line, comments=True)[2:] for line in lines]


PAGES = [page for page in sorted(RUNBOOKS.glob("*.md")) if commands(page)]


@pytest.fixture(scope="module")
def bad_past(quiet_past, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad") / "bank"
    bank_after(quiet_past, folder, poorer_women)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_runbook_does_what_the_page_says(page, bad_past, tmp_path, monkeypatch):
    bank = copied(bad_past, tmp_path / "bank")
    bank.registry.serve(MODEL, Role.FALLBACK)
    bank.registry.tag(MODEL, "1", "vigil.quarantined", INCIDENT)
    given = {
        "MODEL": MODEL,
        "model/MODEL": f"model/{MODEL}",
        "INCIDENT": INCIDENT,
        "incident/INCIDENT": f"incident/{INCIDENT}",
        "NIGHT": str(TONIGHT),
        "VERSION": "1" if page.stem == "rollback" else "3",
        "PREDICTION_ID": f"{TONIGHT}-0007",
    }
    monkeypatch.setenv("VIGIL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wiring, "open_ports", lambda *_, **__: bank.ports)
    monkeypatch.setattr(wiring, "monitor", lambda _: bank.monitor)
    monkeypatch.setattr(wiring, "monitors", lambda *_, **__: ({MODEL: bank.monitor}, {}))
    for words in commands(page):
        told = CliRunner().invoke(app, [given.get(word, word) for word in words])
        assert told.exit_code in FINE.get(words[0], (0,)), f"{words}: {told.output} {told.exception!r}"
        assert told.output.strip(), f"{words} says nothing"
