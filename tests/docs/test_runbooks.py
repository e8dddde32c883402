"""What a runbook quotes is what the code says: somebody at 3 a.m. compares the words."""

import re
from functools import cache
from pathlib import Path

import pytest

from vigil.metrics.catalog import CATALOG

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
LONGEST = 65  # lines: a screen or so
QUOTED = {  # words of a message, in the page and in the code
    "data-quality": ("is null in all", "is missing from", "not trusted:", "the gate"),
    "drift": (" robust sd ", "from the median", ", 2 of 3 nights", "sd of a usual night from",
              "drifts slowly:"),
    "fairness": ("the breach stays", "the breach would be gone", "the favourable share went from", "local time"),
    "fallback": ("breaches on the same inputs too, so a rollback would not help", "no version has the fallback alias"),
    "hold": ("a person holds the incident: nothing is done until its",),
    "late-labels": ("restated", "as_of", "moved"),
    "ledger": ("its content was changed after it was written", "is missing; the next one found is event",
               "checkpoints were written to it", "it ends at event", "every chain holds"),
    "performance": ("labels pending", "make it mature"),
    "rollback": ("possible, if a person approves", "is the champion now: somebody acted already",
                 "the ledger knows no earlier champion that is ready and not quarantined", "it was quarantined:",
                 "going back to it would be flapping", "today's requests do not fit:",
                 "it has open incidents of its own", "Vigil acted by itself at",
                 "another change of this model is being made", "*Not verified"),
    "service": ("the monitor is blind:", "has no predictions for", "no file for the night", "was not judged",
                "of the budget is left", "tonight burns at", "of its nights could not be judged",
                "the newest judged night is"),
    "standing": (", review on ", "*Review due* since"),
    "war-room": ("nothing was sent", "it may have been done", "rate limited, asked to wait", "was refused:",
                 "Slack is not configured", "ambiguous"),
}  # fmt: skip


@cache
def code() -> str:
    files = [f for folder in ("include/vigil", "dags") for f in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(f.read_text(encoding="utf-8") for f in files)


def test_every_runbook_is_held_to_its_words():
    assert {page.stem for page in RUNBOOKS} == QUOTED.keys()


@pytest.mark.parametrize(("page", "words"), [(p, w) for p, all_words in QUOTED.items() for w in all_words])
def test_words_that_a_runbook_quotes_are_those_of_the_code(page: str, words: str):
    assert words in " ".join((ROOT / "docs" / "runbooks" / f"{page}.md").read_text().split())
    assert words in code()


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_runbook_fits_a_screen_says_what_one_sees_and_how_it_ends(page: Path):
    text = page.read_text()
    assert len(text.splitlines()) <= LONGEST
    assert "\n## It ends\n" in text
    assert re.search(r"\n## You see\n|```console\n\$ vigil ", text)


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_a_metric_that_a_runbook_shows_is_in_the_catalogue(page: Path):
    shown = re.findall(r"^(?:replay .*?: )?([a-z_0-9]+)\([^)\n]+\) -?[\d.]+ ", page.read_text(), flags=re.MULTILINE)
    assert set(shown) <= CATALOG.keys()


def test_dags_tasks_and_fields_of_the_form_have_the_names_that_the_runbooks_use():
    page = (ROOT / "docs" / "runbooks" / "rollback.md").read_text()
    fields = re.findall(r"^\| (\w+) \| ", page.partition("## By hand")[2].partition("##")[0], flags=re.MULTILINE)
    form = (ROOT / "dags" / "vigil_rollback.py").read_text().partition("params={")[2].partition("tags=")[0]
    assert set(fields) - {"field"} == set(re.findall(r'"(\w+)": Param\(', form))
    dags = code()
    for name in ("vigil_nightly__", "vigil_respond", "vigil_rollback", "vigil_watchdog"):
        assert name in dags
