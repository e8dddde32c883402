"""Every relative link in a page of the repository leads to a file that is there, and to a heading that it has."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)


def pages() -> list[str]:
    """The pages of the repository; not those of tools and environments that lie beside it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return sorted(name for name in listed.stdout.splitlines() if (ROOT / name).exists())
    own = [ROOT, *(p for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith("."))]  # a download without git
    return sorted({str(f.relative_to(ROOT)) for p in own for f in (p.glob if p == ROOT else p.rglob)("*.md")})


def prose(text: str) -> str:
    """The text without code, in which brackets are no links."""
    without = re.sub(r"^(```+|~~~+).*?^\1\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", without)


def targets(text: str) -> Iterator[str]:
    """What a page links to, but for other sites."""
    for inline, reference in LINK.findall(prose(text)):
        target = inline or reference
        if not re.match(r"[a-z][a-z+.-]*:|//", target):
            yield target


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of headings; a heading that is there twice gets a number."""
    seen: Counter[str] = Counter()
    found = set()
    code = re.sub(r"^(```+|~~~+).*?^\1\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", code, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain).strip().lower().replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    wrong = []
    for target in targets(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists():
            wrong.append(f"{target}: no such file")
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text(encoding="utf-8")):
            wrong.append(f"{target}: no such heading")
    return wrong


@pytest.mark.parametrize("page", pages())
def test_every_relative_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there(page: str):
    assert broken(ROOT / page) == []


def test_the_pages_of_the_documentation_are_among_those_that_are_looked_at():
    assert {"README.md", "docs/README.md", "docs/runbooks/rollback.md", "CHANGELOG.md"} <= set(pages())


def test_every_runbook_and_every_page_can_be_reached_from_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / t.partition("#")[0]).resolve() for t in targets(index.read_text())}
    left = [p for p in pages() if p.startswith("docs/") and (ROOT / p).resolve() not in linked | {index}]
    assert [p for p in left if (ROOT / p).parent.resolve() not in linked] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a](there.md)", []),
        ("[a](gone.md)", ["gone.md: no such file"]),
        ("[a](there.md#two-words) [b](there.md#two-words-1)", []),
        ("[a](there.md#gone)", ["there.md#gone: no such heading"]),
        ("# Here\n[a](#here) [b](#there)", ["#there: no such heading"]),
        ("[a]: gone.md", ["gone.md: no such file"]),
        ("`[a](gone.md)`\n```text\n[b](gone.md)\n```\n[c](https://example.com/gone.md) <mailto:a@b.example>", []),
    ],
)
def test_a_link_that_leads_nowhere_is_found(text: str, told: list[str], tmp_path: Path):
    (tmp_path / "there.md").write_text("# Two *words*!\n```\n# Gone\n```\n## Two words\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert broken(page) == told
