"""The shape of the ports: typed, whole, and built in one place."""

import ast
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import get_type_hints

import pytest

from vigil import wiring
from vigil.core.errors import VigilError
from vigil.ports import BacktestPorts, Ports, ReadPorts
from vigil.testing import unlike
from vigil.verdicts.types import NightResult

ROOT = Path(__file__).resolve().parents[2]
VIGIL = ROOT / "include" / "vigil"
TYPED = [*sorted((VIGIL / "ports").glob("*.py")), *sorted(VIGIL.glob("wiring*")), *sorted(VIGIL.glob("wiring/*.py"))]
# who may name an adapter: the composition root, and entry points that need one thing without any port
ENTRIES = {
    "wiring.py": None,
    "sdk.py": {"vigil.adapters.accepted_rows", "vigil.adapters.shap_values"},
    "cli_doctor.py": {"vigil.adapters.slack_doctor"},
}
AT = datetime(2026, 11, 21, 2, tzinfo=UTC)


def modules(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if "adapters" not in p.parts)


@pytest.mark.parametrize("path", [p for p in TYPED if p.is_file()], ids=lambda p: str(p.relative_to(VIGIL)))
def test_no_port_and_nothing_that_wires_them_is_any(path):
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    assert "Any" not in names


SHIPPED = [p for name in ("include/vigil", "dags", "plugins", "demo") for p in sorted((ROOT / name).rglob("*.py"))]
PORTS = {field.name for field in fields(Ports)} | {"ports", "stored", "outbox", "clock"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_holds_a_port_is_any(path):
    """A parameter, a field or a variable that is named like a port has the port's type."""
    held = [
        f"{name} in line {node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.arg | ast.AnnAssign)
        for name in [node.arg if isinstance(node, ast.arg) else ast.unparse(node.target).removeprefix("self._")]
        if name in PORTS and node.annotation is not None and "Any" in ast.unparse(node.annotation).split(" | ")
    ]
    assert held == []


def test_each_port_is_a_protocol_of_vigil_ports():
    untyped = {
        f"{made.__name__}.{field.name}": hint
        for made in (ReadPorts, Ports, BacktestPorts)
        for field in fields(made)
        if field.name not in ("notifier", "explain", "public_url")
        and not getattr(hint := get_type_hints(made)[field.name], "_is_protocol", False)
    }
    assert untyped == {}


@pytest.mark.parametrize("path", modules(VIGIL), ids=lambda p: str(p.relative_to(VIGIL)))
def test_adapters_are_named_by_the_wiring_and_a_few_entry_points(path):
    allowed = ENTRIES.get(path.relative_to(VIGIL).parts[0], set())
    if allowed is None or path.relative_to(VIGIL).parts[0] in ("wiring", "testing"):
        return
    named = set(re.findall(r"^\s*(?:from|import) (vigil\.adapters[\w.]*)", path.read_text(), re.M))
    assert named <= allowed


STORES = ("ParquetLog", "SourceReader", "FileArtifacts", "SlackNotifier", "MlflowRegistry")


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_opened_in_one_place(store):
    places = [*VIGIL.rglob("*.py"), *(p for n in ("dags", "plugins", "demo") for p in (ROOT / n).rglob("*.py"))]
    opened = [p for p in places for line in p.read_text().splitlines()
              if re.search(rf"(?<!class )\b{store}\(", line) and ">>>" not in line]  # fmt: skip
    assert [p.name for p in opened] == ["wiring.py"]


def settings(folder: Path):
    for name in ("monitors", "expectations"):
        (folder / name).mkdir()
    return wiring.own_settings(folder)


def stand_ins(folder: Path) -> list[ReadPorts]:
    """Every set of ports that the wiring makes: of a home with a database, of one without, and the views."""
    home = settings(folder)
    empty = wiring.reading(home, folder / "a")
    whole = wiring.open_ports(home)
    stored = wiring.reading(home, folder / "b")
    judged = NightResult(monitor="credit", environment="staging", night=AT.date(), partition_digest="p",
                         config_digest="c", edges_digest="e", verdicts=())  # fmt: skip
    then = wiring.as_of_then(home, stored, folder / "c")(judged, AT)
    fresh = wiring.rehearsal(home, "credit", folder / "d", keep=None).fresh()
    return [empty, whole, stored, then, fresh]


def test_every_set_of_ports_that_is_wired_is_whole(tmp_path):
    for made in stand_ins(tmp_path):
        hints = get_type_hints(type(made))
        for field in fields(made):
            if not getattr(hints[field.name], "_is_protocol", False):
                continue
            port = getattr(made, field.name)
            assert unlike(port, hints[field.name]) == (), f"{type(made).__name__}.{field.name}: {type(port).__name__}"


def test_what_a_view_refuses_says_that_it_is_a_view(tmp_path):
    fresh = wiring.rehearsal(settings(tmp_path), "credit", tmp_path / "d", keep=None).fresh()
    refused = [
        lambda: fresh.log.write_predictions("credit", None, batch_id="b"),
        lambda: fresh.log.find("p1"),
        lambda: fresh.registry.move_alias("credit", "champion", "2"),
        lambda: fresh.runner.score("credit", "2", None, seconds=1, megabytes=1),
        lambda: fresh.intake.replacing("credit"),
        fresh.notifier,
    ]
    for ask in refused:
        with pytest.raises(VigilError, match="point-in-time view"):
            ask()
