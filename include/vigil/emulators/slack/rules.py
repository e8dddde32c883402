"""Slack's limits: names, texts, blocks, metadata. Each check raises the error word that Slack answers."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

NAME_MAX = 80
TOPIC_MAX = 250
TEXT_TRUNCATED_AT = 40_000
UPDATE_TEXT_MAX = 4_000
BLOCKS_MAX = 50
BLOCK_CHARACTERS_MAX = 13_200  # observed, undocumented
METADATA_MAX = 16_000


class SlackError(Exception):
    """An `ok: false` answer: Slack's error word, and what else the envelope carries."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


def channel_name(name: str) -> str:
    """A name that Slack would take.

    >>> channel_name("inc-20261121-credit")
    'inc-20261121-credit'
    """
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_MAX:
        raise SlackError("invalid_name_maxlength")
    if re.search(r"[^a-z0-9_-]", name):
        raise SlackError("invalid_name_specials")
    if not re.search(r"[a-z0-9]", name):
        raise SlackError("invalid_name_punctuation")
    return name


def short_text(text: str) -> str:
    """A topic or a purpose."""
    if len(text) > TOPIC_MAX:
        raise SlackError("too_long")
    return text


def _invalid(pointer: str, problem: str) -> SlackError:
    return SlackError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {problem} [json-pointer:{pointer}]"]})


def _text(value: Any, pointer: str, most: int, *, types: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    if not isinstance(value, Mapping) or value.get("type") not in types:
        raise _invalid(pointer, f"must be a text object of type {' or '.join(types)}")
    text = value.get("text")
    if not isinstance(text, str) or not text:
        raise _invalid(f"{pointer}/text", "must be more than 0 characters")
    if len(text) > most:
        raise _invalid(f"{pointer}/text", f"must be less than {most + 1} characters")


def _section(block: Mapping[str, Any], at: str) -> None:
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        raise _invalid(at, "missing required field: text or fields")
    if "text" in block:
        _text(block["text"], f"{at}/text", 3000)
    if len(fields) > 10:
        raise _invalid(f"{at}/fields", "no more than 10 items allowed")
    for index, item in enumerate(fields):
        _text(item, f"{at}/fields/{index}", 2000)


def _header(block: Mapping[str, Any], at: str) -> None:
    _text(block.get("text"), f"{at}/text", 150, types=("plain_text",))


def _context(block: Mapping[str, Any], at: str) -> None:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        raise _invalid(f"{at}/elements", "1 to 10 items allowed")
    for index, item in enumerate(elements):
        if not (isinstance(item, Mapping) and item.get("type") == "image"):
            _text(item, f"{at}/elements/{index}", 3000)


def _actions(block: Mapping[str, Any], at: str) -> None:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        raise _invalid(f"{at}/elements", "1 to 25 items allowed")
    for index, item in enumerate(elements):
        here = f"{at}/elements/{index}"
        if not isinstance(item, Mapping):
            raise _invalid(here, "must be an object")
        if item.get("type") == "button":
            _text(item.get("text"), f"{here}/text", 75, types=("plain_text",))
        for key, most in (("value", 2000), ("action_id", 255), ("url", 3000)):
            if len(str(item.get(key, ""))) > most:
                raise _invalid(f"{here}/{key}", f"must be less than {most + 1} characters")


def _anything(_block: Mapping[str, Any], _at: str) -> None:
    """Nothing to check."""


BLOCKS: Mapping[str, Callable[[Mapping[str, Any], str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _anything,
    "image": _anything,
    "rich_text": _anything,
}


def blocks(value: Any) -> list[dict[str, Any]]:
    """Blocks as a list, or as the JSON text of one, within Slack's limits."""
    if value in (None, "", []):
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError("invalid_blocks_format") from None
    if not isinstance(value, list):
        raise SlackError("invalid_blocks_format")
    if len(value) > BLOCKS_MAX:
        raise _invalid("/blocks", f"no more than {BLOCKS_MAX} items allowed")
    for index, block in enumerate(value):
        at = f"/blocks/{index}"
        if not isinstance(block, dict) or block.get("type") not in BLOCKS:
            raise _invalid(at, "unsupported type")
        if len(str(block.get("block_id", ""))) > 255:
            raise _invalid(f"{at}/block_id", "must be less than 256 characters")
        BLOCKS[block["type"]](block, at)
    if len(json.dumps(value, ensure_ascii=False)) > BLOCK_CHARACTERS_MAX:
        raise SlackError("msg_blocks_too_long")
    return value


def metadata(value: Any) -> dict[str, Any] | None:
    """Message metadata: `{event_type, event_payload}`."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SlackError("invalid_metadata_format") from None
    if not isinstance(value, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_type"), str) or not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value)) > METADATA_MAX:
        raise SlackError("metadata_too_large")
    return value
