"""Identity is derived, never drawn: the same facts give the same id on any worker, on any day."""

import hashlib
import json
import re
from typing import Any

from pydantic import BaseModel


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; pydantic models and dates are written in JSON form.

    >>> canonical({"b": 1, "a": [1.5, None]})
    '{"a":[1.5,null],"b":1}'
    """

    def plain(item: Any) -> Any:
        return item.model_dump(mode="json") if isinstance(item, BaseModel) else str(item)

    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)


def digest(value: Any, *, length: int = 64) -> str:
    """SHA-256 of the canonical JSON of `value`, the first `length` hex digits.

    >>> digest({"a": 1}, length=12)
    '015abd7f5cc5'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def slug(text: str, *, most: int = 80) -> str:
    """Lower-case letters, digits and single dashes; never empty.

    >>> slug("Credit Scoring / <b>")
    'credit-scoring-b'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:most].strip("-") or "x"
