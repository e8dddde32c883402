"""Slack's limits on what we send. Longer texts are cut with a sign that they were; nothing is refused for length."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vigil.core.errors import Refused

SHORT = 250  # topic, purpose
UPDATE_TEXT = 4_000  # chat.update refuses longer texts, chat.postMessage only cuts them at 40,000
BLOCKS = 50
BLOCK_CHARACTERS = 12_500  # Slack refuses a little above 13,200 (observed)
SECTION, FIELD, HEADER, CONTEXT = 3_000, 2_000, 150, 3_000
MORE = "…"


def cut(text: str, most: int) -> str:
    """At most `most` characters; never ends inside an entity or a `<link|label>`.

    >>> cut("a &amp; b", 5)
    'a …'
    """
    if len(text) <= most:
        return text
    head = text[: most - len(MORE)]
    head = re.sub(r"&[a-z]{0,4}$", "", head)
    if head.rfind("<") > head.rfind(">"):
        head = head[: head.rfind("<")]
    return head + MORE


def channel_name(name: str) -> str:
    """Lower-case letters, digits, `-` and `_`, at most 80 characters.

    >>> channel_name("#ML Incidents / EU")
    'ml-incidents-eu'
    """
    clean = re.sub(r"[^a-z0-9_]+", "-", name.lower().lstrip("#")).strip("-_")[:80].strip("-_")
    if not clean:
        raise Refused(f"slack: {name!r} leaves no letter or digit for a channel name; give the channel another name")
    return clean


def numbered(name: str, count: int) -> str:
    """The name's `count`-th variant, still within 80 characters.

    >>> numbered("inc-1", 1), numbered("inc-1", 2)
    ('inc-1', 'inc-1-2')
    """
    return name if count == 1 else f"{name[: 80 - len(f'-{count}')]}-{count}"


def purpose(text: str) -> str:
    """Cut to 250 characters from the front: the marker at the end stays whole."""
    if len(text) <= SHORT:
        return text
    mark = marker(text)
    return f"{cut(text.removesuffix(mark).rstrip(), SHORT - len(mark) - 1)} {mark}"


def marker(text: str) -> str:
    """The last word of a purpose, by which we know our own rooms: `vigil:<incident id>`."""
    last = text.rsplit(maxsplit=1)[-1] if text.split() else ""
    if not last.startswith("vigil:"):
        raise Refused(f"slack: a room's purpose must end with its marker 'vigil:<incident id>', got {text!r}")
    return last


def _text_object(item: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {**item, "text": cut(str(item["text"]), most)}


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    fitted = dict(block)
    if block["type"] == "header":
        fitted["text"] = _text_object(block["text"], HEADER)
    elif block["type"] == "section":
        if "text" in block:
            fitted["text"] = _text_object(block["text"], SECTION)
        if "fields" in block:
            fitted["fields"] = [_text_object(f, FIELD) for f in block["fields"][:10]]
    elif block["type"] == "context":
        fitted["elements"] = [_text_object(e, CONTEXT) if "text" in e else e for e in block["elements"][:10]]
    return fitted


def blocks(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """At most 50 blocks, each within its own limits, together within what Slack takes.

    What does not fit is left out from the end, and the last block says so.
    """
    fitted = [_block(b) for b in given]
    kept = fitted[:BLOCKS]
    while len(kept) < len(fitted) or len(json.dumps(kept, ensure_ascii=False)) > BLOCK_CHARACTERS:
        note = {"type": "mrkdwn", "text": f"{MORE} shortened to what Slack takes; the incident page has everything"}
        last = {"type": "context", "elements": [note]}
        body = kept[:-1] if kept and kept[-1] != last else kept[:-2]
        kept = [*body, last]
        if len(kept) <= BLOCKS and len(json.dumps(kept, ensure_ascii=False)) <= BLOCK_CHARACTERS:
            break
    return kept
