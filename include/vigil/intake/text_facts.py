"""Facts derived from texts: flags and kinds, never the text itself. Derived once, when a row is stored.

Each distinct text is looked at once. Libraries know what numbers mean: `phonenumbers` for telephones, `python-stdnum`
for IBANs and cards (by their check digits), `lingua` for languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from vigil.core.spec import Spec

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-])")
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)")
DIGITS = re.compile(r"(?<![\w+.-])[3-6](?:[ -]?\d){12,18}(?![\w-])")
LETTER = re.compile(r"[^\W\d_]")
LEAST_LETTERS = 12  # of a text whose language can be told
REFUSALS = (
    "i can't help with", "i cannot help with", "i can't assist", "i cannot assist", "i'm unable to", "i am unable to",
    "i'm not able to", "i am not able to", "i'm sorry, but i can", "i can't do that", "i cannot do that", "as an ai",
)  # fmt: skip
HANDOFFS = (
    "a colleague", "a member of our team", "our support team", "a human agent", "speak to an agent", "connect you",
    "transfer you", "pass you on", "put you through", "customer service will",
)  # fmt: skip
KINDS = ("card", "email", "iban", "phone")


class TextRules(Spec):
    """How texts are looked at.

    refusal, handoff: phrases; a text says so when it has one of them, whatever the case and the kind of apostrophe.
    languages:        ISO 639-1 codes of the languages that may occur; none: the language is not derived (it takes most
                      of the time).
    phone_region:     ISO 3166 code of the country whose numbers are written without "+"; None: only numbers with "+".
    """

    refusal: tuple[str, ...] = REFUSALS
    handoff: tuple[str, ...] = HANDOFFS
    languages: tuple[str, ...] = ()
    phone_region: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")


def personal(text: str, region: str | None = None) -> tuple[str, ...]:
    """The kinds of personal data in a text, of `KINDS`, in that order. Numbers count only with right check digits.

    >>> personal("Write to ada@example.com, or pay to DE89 3704 0044 0532 0130 00")
    ('email', 'iban')
    >>> personal("My card is 4111 1111 1111 1111"), personal("Order 4111 1111 1111 1112")
    (('card',), ())
    """
    found = {"email"} if "@" in text and EMAIL.search(text) else set()
    if sum(c.isdigit() for c in text) >= 7:
        found |= _numbers(text, region)
    return tuple(kind for kind in KINDS if kind in found)


def _numbers(text: str, region: str | None) -> set[str]:
    import phonenumbers
    from stdnum import iban, luhn

    found = set()
    if any(iban.is_valid(match[0]) for match in IBAN.finditer(text)):
        found.add("iban")
    rest = IBAN.sub(" ", text)
    if any(luhn.is_valid(re.sub(r"[ -]", "", match[0])) for match in DIGITS.finditer(rest)):
        found.add("card")
    if phonenumbers.PhoneNumberMatcher(DIGITS.sub(" ", rest), region).has_next():
        found.add("phone")
    return found


def says(text: str, phrases: Sequence[str]) -> bool:
    """Whether a text has one of the phrases.

    >>> says("I’m unable to do this.", REFUSALS), says("Here you are.", REFUSALS)
    (True, False)
    """
    plain = " ".join(text.replace("\u2019", "'").casefold().split())
    return any(phrase.casefold() in plain for phrase in phrases)


def speaker(languages: Sequence[str]) -> Callable[[str], str | None]:
    """Text -> ISO 639-1 code of its language, or None where it is too short to tell. Raises ValueError for codes that
    no language has, or fewer than two.

    >>> speaker(("en", "de"))("Wo ist meine Karte geblieben?")
    'de'
    """
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = {code.upper() for code in languages}
    known = {name for name in dir(IsoCode639_1) if len(name) == 2}
    if len(codes) < 2 or not codes <= known:
        raise ValueError(f"languages: needs two or more ISO 639-1 codes; {sorted(codes - known)} are not")
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*(getattr(IsoCode639_1, code) for code in sorted(codes)))
    detector = builder.build()

    def told(text: str) -> str | None:
        if len(LETTER.findall(text)) < LEAST_LETTERS:
            return None
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found is not None else None

    return told


def facts(texts: Iterable[object], rules: TextRules) -> Mapping[str, list[Any]]:
    """Suffix -> a value for each text: refusal, handoff, pii ("1", "0"; None without a text), pii_kinds, language.

    >>> facts(["call +49 30 901820", None], TextRules())["pii_kinds"]
    ['phone', None]
    """
    told = speaker(rules.languages) if rules.languages else None
    known: dict[str, dict[str, Any]] = {}
    names = ("refusal", "handoff", "pii", "pii_kinds", *(["language"] if told else []))
    made: dict[str, list[Any]] = {name: [] for name in names}
    for each in texts:
        if each is None or each != each:  # noqa: PLR0124 - NaN
            one: dict[str, Any] = {}
        elif (one := known.get(str(each), {})) == {}:
            one = known[str(each)] = _facts(str(each), rules, told)
        for name in names:
            made[name].append(one.get(name))
    return made


def _facts(text: str, rules: TextRules, told: Callable[[str], str | None] | None) -> dict[str, Any]:
    kinds = personal(text, rules.phone_region)
    return {
        "refusal": "1" if says(text, rules.refusal) else "0",
        "handoff": "1" if says(text, rules.handoff) else "0",
        "pii": "1" if kinds else "0",
        "pii_kinds": "|".join(kinds) or "none",
        "language": told(text) if told else None,
    }
