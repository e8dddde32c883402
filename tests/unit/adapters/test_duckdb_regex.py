"""What is given to DuckDB as a pattern means there what it means in Python; the rest is not given."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.adapters.duckdb_regex import re2
from vigil.adapters.duckdb_rows import connect

KNOWN = [
    "^p[0-9]+$", r"^\d{4}-\d{2}$", "a|b$|^$", r"\.", "^(ab|c)*$", r"\s", r"^\w+@\w+\.com$", "a{2,3}?b",
    "^(?:x|yy)+$", r"[\d_-]+", r"^[A-Za-z .'-]{1,20}$", "^$", "a-", r"[^\w]", r"\$", r"^[(]\d+[)]$",
]  # fmt: skip
LEFT_ALONE = [
    "(?i)yes", "a.c", r"(a)\1", "a(?=b)", r"\bx", "(a$)\n", "[[:alpha:]]", "a*+", "{", "(ab){3}", r"\x41", r"\S", "é",
    r"^[^\n]$", "a" * 201,
]  # fmt: skip
TEXTS = st.text(alphabet="abcxyp019 \n\t\x1c._-@$()A'", max_size=6)


@pytest.fixture(scope="module")
def db():
    with connect() as found:
        yield found


@pytest.mark.parametrize("pattern", KNOWN)
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=30))
def test_a_translated_pattern_finds_what_python_finds(db, pattern, texts):
    said = db.execute("SELECT list_transform($texts, lambda t: regexp_matches(t, $re))",
                      {"texts": texts, "re": re2(pattern)}).fetchall()[0][0]  # fmt: skip
    assert said == [re.search(pattern, text) is not None for text in texts]


@pytest.mark.parametrize("pattern", LEFT_ALONE)
def test_a_pattern_that_could_mean_something_else_is_left_to_python(pattern):
    assert re2(pattern) is None
