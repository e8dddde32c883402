"""docs/add-a-notifier.md: its notifier against the public contract, and a crash."""

import json
import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vigil.responses.types import Message
from vigil.testing import FrozenClock, NotifierContract

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "add-a-notifier.md").read_text()
CLOCK = FrozenClock(datetime(2026, 11, 15, tzinfo=UTC))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def run(code: str, **names: Any) -> dict[str, Any]:
    space = {"__name__": "page", **names}
    exec(compile(code, "docs/add-a-notifier.md", "exec"), space)
    return space


FileNotifier = run(blocks("python")[0])["FileNotifier"]
(TESTED,) = [block for block in blocks("py") if "NotifierContract" in block]
TestFileNotifier = run(
    TESTED, FileNotifier=FileNotifier, FrozenClock=FrozenClock, NotifierContract=NotifierContract, UTC=UTC,
    datetime=datetime, json=json, pytest=pytest,
)["TestFileNotifier"]  # fmt: skip


@pytest.fixture(scope="module")
def notifier() -> Any:
    """The class of the page."""
    return FileNotifier


def test_a_crash_within_a_line_leaves_nothing_said_and_the_next_try_says_it_once(notifier: Any, tmp_path: Path):
    path = tmp_path / "said.jsonl"
    notifier(path, CLOCK).post("a1", "#ml-incidents", Message(text="one"))
    notifier(path, CLOCK).post("a2", "#ml-incidents", Message(text="two"))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        for action, text in (("a1", "one"), ("a2", "two")):
            notifier(path, CLOCK).post(action, "#ml-incidents", Message(text=text))
        assert path.read_bytes() == whole, f"cut at {size} of {len(whole)}, the first line ends at {first}"


def test_the_lines_of_the_wiring_make_it_where_the_setting_is_there_and_not_where_it_is_not(
    notifier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import sys

    monkeypatch.setitem(sys.modules, "vigil.adapters.file_notifier", SimpleNamespace(FileNotifier=notifier))
    lines = next(block for block in blocks("py") if "settings.notify_file" in block)
    code = f"def wired(settings, clock):\n{textwrap.indent(lines, '    ')}"
    wired = run(code)["wired"]
    assert isinstance(wired(SimpleNamespace(notify_file=tmp_path / "said.jsonl"), CLOCK)(), notifier)
    assert wired(SimpleNamespace(notify_file=None), CLOCK) is None
