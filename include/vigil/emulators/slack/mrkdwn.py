"""Slack's markup -> safe HTML. Everything that is not markup is escaped; only http(s) and mailto become links."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
TOKEN = re.compile(
    r"```(?P<fence>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<angle>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])",
    re.DOTALL,
)
BULLET = re.compile(r"\s*(?:•|◦|\d+\.)\s+")
SYMBOLS = {  # the short codes that Vigil uses, as signs that every font has; others stay as they are written
    "rotating_light": "⚠",
    "see_no_evil": "⊘",
    "mag": "◎",
    "repeat": "↻",
    "arrows_counterclockwise": "⟳",
    "white_check_mark": "✔",
    "warning": "⚠",
    "x": "✘",
    "no_entry": "⊘",
    "raised_hand": "☞",
    "seedling": "❀",
    "tada": "★",
    "leftwards_arrow_with_hook": "↩",
    "pause_button": "‖",
    "arrow_forward": "▶",
    "straight_ruler": "⇕",
}
TAGS = {"bold": "strong", "italic": "em", "strike": "s"}


@dataclass(frozen=True)
class Names:
    """Names behind ids, for mentions."""

    users: Mapping[str, str]
    channels: Mapping[str, str]


def plain(text: str) -> str:
    """Text with Slack's three entities resolved.

    >>> plain("a &lt; b &amp; c")
    'a < b & c'
    """
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return text


def render(text: str, names: Names) -> Markup:
    """Lines, lists and quotes as blocks; the rest inline.

    >>> render("*0.61* &lt;script&gt;", Names({}, {}))
    Markup('<p><strong>0.61</strong> &lt;script&gt;</p>')
    """
    parts = re.split(r"(```.+?```)", text, flags=re.DOTALL)
    blocks: list[Markup] = []
    for part in parts:
        if part.startswith("```") and len(part) > 6:
            blocks.append(Markup("<pre>{}</pre>").format(plain(part[3:-3].strip("\n"))))
        else:
            blocks += _lines(part, names)
    return Markup("").join(blocks)


def _lines(text: str, names: Names) -> Iterable[Markup]:
    """Groups of lines of one kind."""
    group: list[str] = []
    kind = "p"
    for line in [*text.split("\n"), ""]:
        this = "ul" if BULLET.match(line) else "blockquote" if line.startswith(("&gt; ", "> ")) else "p"
        if group and (this != kind or not line.strip()):
            yield _group(kind, group, names)
            group = []
        if line.strip():
            group.append(line)
        kind = this


def _group(kind: str, lines: list[str], names: Names) -> Markup:
    if kind == "ul":
        items = [Markup("<li>{}</li>").format(inline(BULLET.sub("", line, count=1), names)) for line in lines]
        return Markup("<ul>{}</ul>").format(Markup("").join(items))
    if kind == "blockquote":
        lines = [re.sub(r"^(&gt;|>) ", "", line) for line in lines]
    body = Markup("<br>").join(inline(line, names) for line in lines)
    return Markup("<{0}>{1}</{0}>").format(Markup(kind), body)


def inline(text: str, names: Names) -> Markup:
    """Bold, italic, strike, code, links, mentions."""
    out: list[Markup] = []
    at = 0
    for match in TOKEN.finditer(text):
        out += [_words(text[at : match.start()]), _token(match, names)]
        at = match.end()
    return Markup("").join([*out, _words(text[at:])])


def _words(text: str) -> Markup:
    return escape(re.sub(r":([a-z_]+):", lambda m: SYMBOLS.get(m[1], m[0]), plain(text)))


def _token(match: re.Match[str], names: Names) -> Markup:
    kind = match.lastgroup or ""
    body = match[kind]
    if kind in ("fence", "code"):
        return Markup("<code>{}</code>").format(plain(body))
    if kind == "angle":
        return _angle(body, names)
    tag = Markup(TAGS[kind])
    return Markup("<{0}>{1}</{0}>").format(tag, inline(body, names))


def _angle(body: str, names: Names) -> Markup:
    target, _, label = body.partition("|")
    shown: Mapping[str, Callable[[], str]] = {
        "@": lambda: "@" + names.users.get(target[1:], label or target[1:]),
        "#": lambda: "#" + names.channels.get(target[1:], label or target[1:]),
        "!": lambda: label or "@" + target[1:],
    }
    if target[:1] in shown:
        return Markup('<span class="mention">{}</span>').format(shown[target[0]]())
    if re.match(r"(https?://|mailto:)", target):
        words = label or target.removeprefix("mailto:")
        link = Markup('<a href="{}" rel="noreferrer noopener">{}</a>')
        return link.format(plain(target), inline(words, names) if label else plain(words))
    return escape(f"<{plain(body)}>")
