"""docs/faq.md: every answer names the test or the code that proves it, and its numbers are those of the code."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.code_references import broken_references, references
from vigil.adapters.duckdb_suite import GX_CELLS
from vigil.incidents import severity
from vigil.usecases import nightly, nights, replay
from vigil.verdicts.calendar import LEAST_OF_A_KIND, NIGHTS_FOR_YEAR, WEEKS_FOR_DAYS
from vigil.verdicts.types import Slo

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "faq.md").read_text()
ANSWERS = [block for block in PAGE.split("\n\n") if block.startswith("**")]
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line][1:]


def question(answer: str) -> str:
    return answer.split("**")[1]


@pytest.mark.parametrize("answer", ANSWERS, ids=question)
def test_an_answer_is_to_a_question_and_names_what_proves_it(answer: str):
    assert question(answer).endswith("?")
    _, _, proof = answer.partition("*Shown by* ")
    assert references(proof), "name a test or a symbol behind *Shown by*"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_limit_names_what_sets_it(row: str):
    assert references(row.split("|")[-2])


def test_every_test_and_symbol_that_the_page_names_is_there():
    assert broken_references(PAGE) == []


def default(function: Any, name: str) -> Any:
    return inspect.signature(function).parameters[name].default


def test_the_numbers_of_the_page_are_those_of_the_code():
    longest = next(one.le for one in Slo.model_fields["nights"].metadata if hasattr(one, "le"))
    told = " ".join(PAGE.split())
    for text in (
        f"{GX_CELLS // 1_000_000} million values",
        f"{replay.REPLAY_ROWS:,} rows, {default(replay.replay, 'seconds')} seconds and "
        f"{default(replay.replay, 'megabytes') // 1024} GB",
        f"the last {nights.HISTORY_NIGHTS} nights",
        f"up to {longest} nights",
        f"a sample of {default(nightly.report, 'rows'):,} rows",
        f"Weekends are learnt from {LEAST_OF_A_KIND} nights each, weekdays from {WEEKS_FOR_DAYS} weeks, "
        f"yearly seasons from {NIGHTS_FOR_YEAR} nights",
    ):
        assert text in told, text


def test_what_is_only_shown_is_not_asked_for_the_severity():
    assert "`eu_ai_act:` is\nonly shown" in PAGE
    assert "eu_ai_act" not in inspect.getsource(severity)
    assert {"tier", "affects_access"} <= set(re.findall(r"risk\.(\w+)", inspect.getsource(severity)))
