"""Reads a YAML document and lists, with its line, every part that was not used."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from yaml.constructor import SafeConstructor
from yaml.error import YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


class Missed(NamedTuple):
    """A part that Vigil cannot represent. place: as in `spec.objectives`."""

    file: str
    line: int
    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.place}: {self.why}"


class Part:
    """A mapping that records which of its keys were read. used: whether another document refers to it."""

    def __init__(self, node: Node | None, file: str, place: str = "") -> None:
        self.node, self.file, self.place = node, file, place
        pairs = node.value if isinstance(node, MappingNode) else []
        self._found: dict[str, tuple[Node, Node]] = {str(key.value): (key, value) for key, value in pairs}
        self._twice = [key for key, _ in pairs if self._found[str(key.value)][0] is not key]
        self._read: set[str] = set()
        self._inner: dict[str, Part] = {}
        self.used = False

    @property
    def line(self) -> int:
        """Where it stands, from 1."""
        return self.node.start_mark.line + 1 if self.node is not None else 1

    def value(self, key: str) -> Any:
        """A single value, or a list or mapping of them as Python values; None where it is not there."""
        node = self._take(key)
        if node is None:
            return None
        try:
            return SafeConstructor().construct_document(node)
        except (YAMLError, ValueError, RecursionError):
            return None

    def text(self, key: str) -> str | None:
        """A text; None where it is not there, or something else is."""
        node = self._take(key)
        return node.value if isinstance(node, ScalarNode) and node.tag.endswith(":str") else None

    def part(self, key: str) -> "Part":
        """A mapping inside; an empty one where it is not there."""
        return self._within(self._take(key), key)

    def parts(self, key: str) -> list["Part"]:
        """The entries of a list inside."""
        node = self._take(key)
        entries = node.value if isinstance(node, SequenceNode) else []
        return [self._within(entry, f"{key}[{n}]") for n, entry in enumerate(entries)]

    def whole(self) -> dict[str, Any]:
        """All of it, as Python values; everything counts as read."""
        said = {key: self.value(key) for key in self._found}
        self._inner, self._twice = {}, []
        return said

    def has(self, key: str) -> bool:
        """Whether the key is there; it does not count as read."""
        return key in self._found

    def at(self, key: str, why: str) -> Missed:
        """Reports a part that cannot be represented; the key counts as read, with everything in it."""
        self._read.add(key)
        self._inner = {place: one for place, one in self._inner.items() if place.partition("[")[0] != key}
        node = self._found.get(key, (self.node, None))[0]
        return Missed(self.file, node.start_mark.line + 1 if node is not None else 1, self._under(key), why)

    def rest(self, why: str) -> Iterator[Missed]:
        """Everything that was not read, each at its outermost key."""
        for key in self._twice:
            yield Missed(self.file, key.start_mark.line + 1, self._under(str(key.value)), "is there twice")
        for key, (node, _) in self._found.items():
            if key not in self._read:
                yield Missed(self.file, node.start_mark.line + 1, self._under(key), why)
        for inner in self._inner.values():
            yield from inner.rest(why)

    def _take(self, key: str) -> Node | None:
        self._read.add(key)
        found = self._found.get(key)
        return found[1] if found else None

    def _within(self, node: Node | None, key: str) -> "Part":
        return self._inner.setdefault(key, Part(node, self.file, self._under(key)))

    def _under(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key
