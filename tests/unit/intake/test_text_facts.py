"""What is kept of texts: yes or no, kinds, a language; never the words."""

import json

import pandas as pd
import pytest

from examples.chatbot import questions
from vigil.core.errors import DataError
from vigil.intake.text_facts import TextRules, facts, personal, speaker
from vigil.metrics.evaluate import evaluate
from vigil.metrics.example import profile, view
from vigil.sdk import without_text

PERSONAL = {
    "Write to ada.lovelace+bank@mail.example.co.uk please": ("email",),
    "My IBAN is DE89370400440532013000.": ("iban",),
    "GB82 WEST 1234 5698 7654 32 is where I want it": ("iban",),
    "card 4111-1111-1111-1111 was declined": ("card",),
    "5500 0000 0000 0004": ("card",),
    "Call me on +44 20 7946 0958 after six": ("phone",),
    "ada@example.com or +1 212 555 2368": ("email", "phone"),
}
HARMLESS = (
    "Where is my order 4111 1111 1111 1112?",  # looks like a card, and its check digit is wrong
    "Reference DE89370400440532013001",  # looks like an IBAN, and its check digits are wrong
    "I paid 1,234,567.89 on 2026-11-24 at 10:15",
    "user@localhost and @handle and a @ b",
    "Ticket 20261124-0000123",
    "",
)


@pytest.mark.parametrize(("text", "kinds"), PERSONAL.items())
def test_personal_data_is_found_and_its_kind_is_named(text, kinds):
    assert personal(text) == kinds


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_personal_data_is_left_alone(text):
    assert personal(text) == ()


def test_numbers_without_a_country_are_telephones_where_the_country_is_known():
    assert personal("call 030 901820") == ()
    assert personal("call 030 901820", "DE") == ("phone",)


def test_real_questions_of_customers_hold_no_personal_data():
    asked = [m for part in questions() for m in part["message"]][:2000]
    assert [m for m, pii in zip(asked, facts(asked, TextRules())["pii"], strict=True) if pii == "1"] == []


def test_refusals_and_hand_offs_are_told_by_phrases_whatever_the_apostrophe_and_case():
    told = facts(["I\u2019m unable to do this", "Let me CONNECT   you", "Here it is"], TextRules())
    assert told["refusal"] == ["1", "0", "0"]
    assert told["handoff"] == ["0", "1", "0"]
    own = facts(["Das darf ich nicht."], TextRules(refusal=("darf ich nicht",)))
    assert own["refusal"] == ["1"]


def test_languages_are_told_and_short_texts_have_none():
    told = speaker(("en", "de", "fr"))
    assert [told(t) for t in ("Where is my new card, please?", "Où est ma nouvelle carte ?", "ok")] == [
        "en",
        "fr",
        None,
    ]
    with pytest.raises(ValueError, match="QQ"):
        speaker(("en", "qq"))


def test_a_missing_text_has_no_facts():
    told = facts([None, float("nan"), "hello"], TextRules())
    assert told["pii"] == [None, None, "0"]


def test_the_text_itself_is_nowhere_in_what_is_kept():
    rows = pd.DataFrame({"reply": ["my secret is ada@example.com"], "prediction_id": ["a"]})
    kept = without_text(rows, "reply")
    assert "reply" not in kept
    assert "secret" not in json.dumps(kept.to_dict("list"))
    assert "ada" not in json.dumps(kept.to_dict("list"))
    assert kept["reply__pii_kinds"].tolist() == ["email"]
    with pytest.raises(DataError, match="no column 'answer'"):
        without_text(rows, "answer")


def test_rates_are_counted_over_the_rows_that_say_yes_or_no():
    flags = dict.fromkeys(("a", "b", "c", "d", "e"), (1, 4))
    declared = {"refusal": ["a"], "handoff": ["b"], "pii": ["c"], "out_of_scope": ["d"], "negative_feedback": ["e"]}
    found = {m.id: m for m in evaluate(profile(rows=9, flags=flags), None, view(flags=declared), yardstick="")}
    for name in ("refusal_rate/a", "handoff_rate/b", "pii_rate/c", "out_of_scope_rate/d", "negative_feedback_rate/e"):
        assert found[name].value == 0.25
        assert found[name].low < 0.25 < found[name].high
    (unknown,) = evaluate(profile(rows=9), None, view(flags={"pii": ["c"]}), yardstick="", only=["pii_rate"])
    assert unknown.why_not.startswith("not logged")
    assert not evaluate(profile(rows=9), None, view(), yardstick="", only=["pii_rate"])
