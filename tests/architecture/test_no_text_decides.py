"""State is a value: no code decides on the words of a limit, a reason or a note."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {"limit", "why", "why_not", "reason", "reasons", "notes"}
PARSERS = {
    "startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "split", "rsplit", "splitlines",
    "partition", "rpartition", "count",
}  # fmt: skip
PATTERNS = {"match", "search", "fullmatch", "findall", "finditer", "sub", "compile"}
EXCEPTIONS = {
    "include/vigil/usecases/intake_findings.py": "a sentence that begins with the file does not name it twice",
}


def sources() -> list[Path]:
    return sorted(p for folder in ("include", "plugins", "dags") for p in (ROOT / folder).rglob("*.py"))


def is_text(node: ast.AST, bound: frozenset[str] = frozenset()) -> bool:
    """Whether a node is one of the sentences: an attribute or key of that name, or a loop variable over one."""
    if isinstance(node, ast.Attribute):
        return node.attr in TEXT
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in TEXT
    return isinstance(node, ast.Name) and node.id in bound


def loop_variables(tree: ast.AST) -> frozenset[str]:
    loops = (n for n in ast.walk(tree) if isinstance(n, (ast.For, ast.comprehension)) and is_text(n.iter))
    return frozenset(n.target.id for n in loops if isinstance(n.target, ast.Name))


def decides(node: ast.AST, bound: frozenset[str]) -> bool:
    """Whether a node asks what a sentence says."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in PARSERS and is_text(node.func.value, bound):
            return True
        of_re = isinstance(node.func.value, ast.Name) and node.func.attr in PATTERNS
        return of_re and any(is_text(argument, bound) for argument in node.args)
    if isinstance(node, ast.Compare):
        sides = zip(node.ops, [node.left, *node.comparators], node.comparators, strict=False)
        return any(_compares(op, left, right, bound) for op, left, right in sides)
    return False


def _compares(op: ast.cmpop, left: ast.expr, right: ast.expr, bound: frozenset[str]) -> bool:
    if isinstance(op, (ast.In, ast.NotIn)):
        return is_text(right, bound)
    words = [side for side in (left, right) if isinstance(side, ast.Constant) and isinstance(side.value, str)]
    return bool(words and words[0].value) and (is_text(left, bound) or is_text(right, bound))


def found_in(text: str) -> Iterator[tuple[int, str]]:
    """(line, code) of each place that decides on a sentence."""
    tree = ast.parse(text)
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    places: dict[int, str] = {}
    for scope in (tree, *functions):
        bound = loop_variables(scope) if scope is not tree else frozenset()
        places |= {n.lineno: ast.unparse(n) for n in ast.walk(scope) if decides(n, bound)}
    yield from sorted(places.items())


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_code_decides_on_the_words_of_a_limit_a_reason_or_a_note(path):
    if str(path.relative_to(ROOT)) in EXCEPTIONS:
        return
    places = [f"{path.relative_to(ROOT)}:{line}: {code}" for line, code in found_in(path.read_text())]
    assert places == [], "decide on a typed field instead; the words are for people"


@pytest.mark.parametrize("path", EXCEPTIONS)
def test_an_exception_is_still_needed(path):
    assert list(found_in((ROOT / path).read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "v.limit.startswith('surprise at')",
        "'few' in m.why_not",
        "word not in v.limit",
        "verdict.limit != 'hard failure'",
        "m.why_not == 'no baseline'",
        "re.fullmatch(pattern, v.limit)",
        "event.payload['why'].startswith('x')",
        "def f(result):\n    return [n for n in result.notes if n.startswith('gate failed')]",
        "def f(result):\n    for n in result.notes:\n        if n.startswith('gate'):\n            return n",
    ],
)
def test_the_shape_sees_each_way_of_deciding_on_words(code):
    assert list(found_in(code))


@pytest.mark.parametrize(
    "code", ["v.limit.kind is LimitKind.SURPRISE", "if m.why_not:\n    pass", "rule.limit == 0.8", "v.limit is None"]
)
def test_the_shape_lets_values_pass(code):
    assert list(found_in(code)) == []
