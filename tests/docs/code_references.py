"""What a page says of the code: `path` and `path::symbol` in backticks, and whether both exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("include", "plugins", "dags", "docs", "demo", "examples", "monitors", "expectations", "tests", "benchmarks")
REFERENCE = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)(?:::([\w.]+))?`")


def references(text: str) -> list[tuple[str, str]]:
    """(path, symbol) of each reference, in order; the symbol is empty where only a file or folder is named."""
    return [(path, symbol) for path, symbol in REFERENCE.findall(text)]


@cache
def symbols(path: Path) -> frozenset[str]:
    """Functions, classes and names that a module defines, and those of its classes as `Class.name`."""
    return frozenset(_defined(ast.parse(path.read_text(encoding="utf-8")).body))


def _defined(body: list[ast.stmt], prefix: str = "") -> set[str]:
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(prefix + node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {prefix + node.name} | _defined(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = (one for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
            names |= {prefix + one.id for one in named}
    return names


def missing(path: str, symbol: str) -> str:
    """What is wrong with a reference, and where the symbol is now; "" where it is right."""
    file = ROOT / path
    if "*" in path:
        return "" if list(ROOT.glob(path)) else f"{path}: no such file"
    if not file.exists():
        return f"{path}: no such file{_now_at(symbol)}"
    if symbol and symbol not in symbols(file):
        return f"{path}: no {symbol}{_now_at(symbol)}"
    return ""


def _now_at(symbol: str) -> str:
    if not symbol:
        return ""
    folders = ("include", "dags", "plugins", "demo", "tests")
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    places = [str(file.relative_to(ROOT)) for file in files if symbol in symbols(file)]
    return f" (now in {', '.join(places)})" if places else ""


def broken_references(text: str) -> list[str]:
    """Every reference of a page that leads nowhere."""
    return [fault for path, symbol in references(text) if (fault := missing(path, symbol))]
