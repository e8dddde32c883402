"""docs/statistics.md: its constants are those of the code, its citations have a source, and code may refer to it."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.code_references import broken_references
from tests.docs.test_links import anchors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "statistics.md").read_text()
CONSTANTS = re.findall(r"^\| `include/([\w/]+)\.py::([\w.]+)` \| (.+?) \| .+ \|$", PAGE, flags=re.MULTILINE)
FOLDERS = ("include", "plugins", "dags", "demo", "docs", "tests", "examples", "benchmarks", "monitors")
SOURCE = r"^- (?:([\w-]+|van der [\w-]+), .*?\((\d{4})\)|(29 CFR [\d.]+\(D\)))"
AUTHOR_AND_YEAR = r"([A-Z][\w-]+)(?: et al\.| and [A-Z][\w-]+|, [A-Z][\w-]+ and [A-Z][\w-]+)? \(?\[?\(?(\d{4})\)"
REFERENCE = re.compile(r"\bdocs/([\w/-]+\.md)(?:#([\w-]+))?")
OUTSIDE = re.compile(r"\b(?:judgement|research|product|engine|response|story)(?:\.md)? ?(?:/\w+ )?§")


def files() -> list[Path]:
    own = Path(__file__)
    found = [f for folder in FOLDERS for f in (ROOT / folder).rglob("*") if f.suffix in (".py", ".md", ".yaml", ".j2")]
    generated = ROOT / "docs" / "reference"  # from the code, which is looked at
    return [f for f in (*found, ROOT / "README.md") if f != own and generated not in f.parents]


def value(module: str, symbol: str) -> Any:
    """A constant of a module, or the default of a field of one of its values."""
    there: Any = importlib.import_module(module.replace("/", "."))
    name, _, field = symbol.partition(".")
    there = getattr(there, name)
    return there.model_fields[field].default if field else there


def test_every_reference_of_the_page_leads_to_code_that_is_there():
    assert broken_references(PAGE) == []


@pytest.mark.parametrize(("module", "symbol", "shown"), CONSTANTS, ids=[f"{m}::{s}" for m, s, _ in CONSTANTS])
def test_a_constant_of_the_page_has_the_value_of_the_code(module: str, symbol: str, shown: str):
    assert ast.literal_eval(shown) == value(module, symbol)


def test_the_page_has_a_constant_for_every_level_of_a_test():
    levels = {
        f"include/{file.relative_to(ROOT / 'include')}::{name}"
        for file in (ROOT / "include" / "vigil" / "verdicts").rglob("*.py")
        for name in re.findall(r"^([A-Z_]*_LEVEL)\b", file.read_text(), flags=re.MULTILINE)
    }
    assert levels
    assert [one for one in sorted(levels) if f"`{one}`" not in PAGE] == []


def test_every_citation_of_the_page_is_in_its_sources_and_every_source_is_cited():
    text, _, sources = PAGE.partition("\n## Sources\n")
    listed = re.findall(SOURCE, sources, flags=re.MULTILINE)
    names = {(author or rule, year) for author, year, rule in listed}
    assert len(listed) == sources.count("\n- ")
    unread = [(author, year) for author, year in sorted(names) if author not in text or year not in text]
    assert [one for one in unread if one != ("Beyer", "2018")] == []  # cited by the title of the book
    assert "Site Reliability Workbook" in text
    cited = re.findall(AUTHOR_AND_YEAR, text)
    assert [one for one in cited if not any(one[0] in author and one[1] == year for author, year in names)] == []


def test_every_page_that_code_refers_to_is_there_and_has_the_heading():
    code = [f for f in files() if f.suffix != ".md" and f.parent != Path(__file__).parent]
    cited = [(f, *found) for f in code for found in REFERENCE.findall(f.read_text(encoding="utf-8"))]
    assert len({f for f, page, _ in cited if page == "statistics.md"}) > 15
    there = {
        page: anchors((ROOT / "docs" / page).read_text()) for _, page, _ in cited if (ROOT / "docs" / page).exists()
    }
    wrong = [f"{f.relative_to(ROOT)}: docs/{page}#{anchor}" for f, page, anchor in cited
             if page not in there or (anchor and anchor not in there[page])]  # fmt: skip
    assert wrong == []


def test_nothing_refers_to_a_paper_outside_the_repository():
    wrong = [
        f"{f.relative_to(ROOT)}:{n}: {line.strip()}"
        for f in files()
        for n, line in enumerate(f.read_text(encoding="utf-8").splitlines(), 1)
        if OUTSIDE.search(line)
    ]
    assert wrong == []
