"""Reading monitors/*.yaml. An invalid file is reported with all its errors, and does not affect other monitors."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from vigil.config import sense, suites
from vigil.config.change import changed
from vigil.config.explain import Problem, at, explain, in_order, near, of_another_vigil
from vigil.config.schema import Monitor
from vigil.core.errors import DataError, MonitorError

OPENERS = "[{-:?"  # every level of a YAML document is opened by one of these
DEEPEST = 2000  # libyaml recurses on the C stack, unguarded; ten thousands of levels end the process


class Read(NamedTuple):
    """A file as it was read. `monitor` is None exactly when there are problems."""

    name: str
    text: str
    root: Node | None
    monitor: Monitor | None
    problems: list[Problem]


def load_monitor(path: Path, *, expectations: Path | None = None) -> Monitor:
    """One monitor. Raises MonitorError with every problem of the file, a line each.

    expectations: the folder of suites; if given, the monitor's suite must exist in it.
    """
    found = _read(path, expectations)
    if found.monitor is None:
        raise MonitorError("\n".join(map(str, found.problems)))
    return found.monitor


def file_of(folder: Path, model: str) -> Path:
    """The file of a model's monitor. Raises MonitorError where it does not load, as `get` does."""
    get(folder, model)
    return next(folder / r.name for r in _read_all(folder, None) if r.monitor is not None and r.monitor.model == model)


def environment_of(folder: Path, model: str) -> str | None:
    """The environment that the model's monitor watches; None if no file names it, or the file is invalid.

    Other models' files are not read.
    """
    mine = [path for path in files(folder) if whose(folder, path.name) == model]
    found = [_read(path, None).monitor for path in mine]
    return found[0].environment if len(found) == 1 and found[0] is not None else None


def load_changed(path: Path, settings: Sequence[str]) -> Monitor:
    """The monitor of a file with some settings changed for a trial. Raises MonitorError for what cannot be set so."""
    found = load_monitor(path)
    if not settings:
        return found
    raw = _parse(path.read_text(encoding="utf-8"))[1]
    text = yaml.safe_dump(changed(raw, settings), sort_keys=False, allow_unicode=True)
    one = _document(path.name, f"{path.parent.name}/{path.name} with --set", text, None)
    if one.monitor is None:
        raise MonitorError("\n".join(_unplaced(problem) for problem in one.problems))
    return one.monitor


def document_of(path: Path) -> dict[str, Any]:
    """The content of a monitor's file as parsed YAML. Raises MonitorError for an invalid file."""
    load_monitor(path)
    found: dict[str, Any] = _parse(path.read_text(encoding="utf-8"))[1]
    return found


def _unplaced(problem: Problem) -> str:
    """The message without a line number: changed settings are in no file."""
    return f"{problem.file}: {problem.where + ': ' if problem.where else ''}{problem.what}"


def load_all(folder: Path) -> tuple[dict[str, Monitor], dict[str, str]]:
    """(monitors by model name, error text by file name). Two files for one model are an error of both."""
    read = _read_all(folder, None)
    good = {one.monitor.model: one.monitor for one in read if one.monitor is not None}
    return good, {one.name: "\n".join(map(str, one.problems)) for one in read if one.problems}


def whose(folder: Path, file: str) -> str:
    """The model of an invalid file: from its `model:` line if it has one, else from its file name."""
    try:
        text = (folder / file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^model:\s*[\"']?([\w.-]+)", text, flags=re.MULTILINE)
    return named.group(1) if named else Path(file).stem


def get(folder: Path, model: str) -> Monitor:
    """The monitor of a model. Raises MonitorError with its file's problems, or with the names that exist."""
    good, broken = load_all(folder)
    if model in good:
        return good[model]
    hint = near(model, good) if good else f"no file in {folder.name}/ is valid"
    also = "".join(f"\n{error}" for error in broken.values())
    raise MonitorError(f"{folder.name}/: no monitor for model {model!r}; {hint}{also}")


def lint(folder: Path, *, expectations_dir: Path | None = None) -> dict[str, str | None]:
    """File name -> its problems with excerpts, or None. All files, all problems."""
    told = {}
    for one in _read_all(folder, expectations_dir):
        found = in_order([*one.problems, *_of_suite(folder, one, expectations_dir)])
        lines = [f"{problem}\n{problem.excerpt(one.text)}".rstrip() for problem in found]
        told[one.name] = "\n".join(lines) or None
    return told


def _of_suite(folder: Path, one: Read, expectations: Path | None) -> list[Problem]:
    """Expectations of the monitor's suite that can never be checked. The monitor still loads; nights report them."""
    if expectations is None or one.monitor is None or one.monitor.suite is None or one.root is None:
        return []
    file = expectations / f"{one.monitor.suite}.json"
    shown = f"{expectations.name}/{file.name}"
    try:
        found = suites.problems(suites.suite_of(json.loads(file.read_text("utf-8")), shown, one.monitor.model))
    except (OSError, ValueError, RecursionError) as error:
        found = [f"{shown} is not a suite in JSON ({error}): correct the file"]
    except DataError as error:
        found = [str(error)]
    return [at(f"{folder.name}/{one.name}", one.root, ("suite",), what) for what in found]


def place(folder: Path, model: str, found: Iterable[tuple[tuple[str | int, ...], str]]) -> list[str]:
    """Findings about a monitor that loads, each with the line of its file that it is about, and an excerpt."""
    one = next(r for r in _read_all(folder, None) if r.monitor is not None and r.monitor.model == model)
    root = one.root
    problems = [at(f"{folder.name}/{one.name}", root, path, what) for path, what in found] if root is not None else []
    return [f"{problem}\n{problem.excerpt(one.text)}".rstrip() for problem in in_order(problems)]


def files(folder: Path) -> list[Path]:
    """The monitor files of a folder, in order."""
    return sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml")) if folder.is_dir() else []


def _read_all(folder: Path, expectations: Path | None) -> list[Read]:
    read = [_read(path, expectations) for path in files(folder)]
    watched: dict[str, list[str]] = {}
    for one in read:
        if one.monitor is not None:
            watched.setdefault(one.monitor.model, []).append(one.name)
    return [_alone(folder, one, watched) for one in read]


def _alone(folder: Path, one: Read, watched: dict[str, list[str]]) -> Read:
    """The same, or an error if another file watches the same model."""
    if one.monitor is None or one.root is None or len(watched[one.monitor.model]) == 1:
        return one
    names = " and ".join(watched[one.monitor.model])
    what = f"model {one.monitor.model!r} is watched by {names}; keep one"
    return one._replace(monitor=None, problems=[at(f"{folder.name}/{one.name}", one.root, ("model",), what)])


def _read(path: Path, expectations: Path | None) -> Read:
    shown = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return Read(path.name, "", None, None, [_whole(shown, f"cannot be read: {why}")])
    return _document(path.name, shown, text, expectations)


def _document(name: str, shown: str, text: str, expectations: Path | None) -> Read:
    try:
        root, raw = _parse(text)
    except yaml.YAMLError as error:
        return Read(name, text, None, None, [_syntax(shown, error)])
    except (ValueError, RecursionError) as error:  # a date such as 2026-13-45; a thousand brackets
        return Read(name, text, None, None, [_whole(shown, f"not valid YAML: {error}")])
    if not isinstance(root, MappingNode) or not isinstance(raw, dict):
        return Read(name, text, root, None, [_whole(shown, "a monitor is a mapping of keys; see docs/add-a-model.md")])
    suites = None if expectations is None else [p.stem for p in expectations.glob("*.json")]
    problems = [*_duplicates(shown, root), *sense.problems(shown, root, raw, suites=suites)]
    try:
        monitor = Monitor.model_validate(raw)
    except ValidationError as error:
        monitor, found = None, explain(error, shown, root)
        problems = found if of_another_vigil(error) else problems + found
    return Read(name, text, root, None if problems else monitor, in_order(problems))


def _parse(text: str) -> tuple[Node | None, Any]:
    """The document with its places, and as values. Raises YAMLError, ValueError or RecursionError.

    libyaml is tried first: it is sixteen times as fast, and DAG files are parsed all day. It does not survive deep
    nesting, so it only gets what cannot be deep; and the words of an error are always those of the Python parser.
    """
    if sum(map(text.count, OPENERS)) <= DEEPEST:
        try:
            return _parse_with(getattr(yaml, "CSafeLoader", yaml.SafeLoader), text)
        except (yaml.YAMLError, ValueError):
            pass
    return _parse_with(yaml.SafeLoader, text)


def _parse_with(loader_class: Any, text: str) -> tuple[Node | None, Any]:
    loader = loader_class(text)
    try:
        root = loader.get_single_node()
        return root, loader.construct_document(root) if root is not None else None
    finally:
        loader.dispose()


def _whole(file: str, what: str) -> Problem:
    return Problem(file=file, line=1, column=1, what=what)


def _syntax(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = [getattr(error, part, None) for part in ("context", "problem")]
    what = ", ".join(part for part in said if part) or str(error)
    return Problem(file=file, line=line, column=column, what=f"not valid YAML: {what}")


def _duplicates(file: str, root: Node) -> Iterator[Problem]:
    """Duplicate keys, of which PyYAML silently keeps the last."""
    visited: set[int] = set()  # an alias may lead back to where it comes from
    ahead = [root]
    while ahead:
        node = ahead.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, SequenceNode):
            ahead += node.value
        if isinstance(node, MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    mark = key.start_mark
                    what = f"the key {key.value!r} is there twice; keep one"
                    yield Problem(file=file, line=mark.line + 1, column=mark.column + 1, what=what)
                seen.add(key.value)
                ahead.append(value)
