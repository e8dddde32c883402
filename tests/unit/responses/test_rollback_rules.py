"""The questions before a mitigation, each alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.core.words import Mitigation, Role
from vigil.incidents.events import MitigationDone
from vigil.incidents.types import Event
from vigil.responses.model_history import ModelHistory, PastMitigation, Reign, history
from vigil.responses.rollback import (
    Asker,
    Candidate,
    Situation,
    Weight,
    asks,
    blocked,
    candidates,
    check_candidate,
    compatible,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def reign(version: str, manifest: str = "m") -> Reign:
    return Reign(version=version, since=NOW - timedelta(days=30), manifest=manifest, by="ada")


def past(left: str, *, ago: timedelta, mitigation: Mitigation = Mitigation.ROLLBACK) -> PastMitigation:
    done = MitigationDone(
        key="k", request="r", mitigation=mitigation, from_version=left, to_version="9", by="vigil", automatic=True
    )
    return PastMitigation(at=NOW - ago, done=done)


GOOD = Candidate(version="1", status="READY", inputs={"age": "double"}, manifest="m")
CALM = Situation(
    mitigation=Mitigation.ROLLBACK,
    asker=Asker.VIGIL,
    now=NOW,
    champion="2",
    fallback="3",
    about=("2",),
    available={"age": "double"},
    history=ModelHistory(champions=(reign("1"), reign("2")), aliases={"fallback": "3"}),
)


def wrong(candidate: Candidate = GOOD, **changes: Any) -> list[str]:
    return [c.name for c in check_candidate(candidate, CALM.model_copy(update=changes)) if not c.ok]


def test_a_proven_candidate_in_a_calm_situation_passes_every_check() -> None:
    checks = check_candidate(GOOD, CALM)
    assert all(c.ok and c.why for c in checks)
    assert not blocked(checks)
    assert not asks(checks)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"status": "PENDING_REGISTRATION"}, "ready"),
        ({"quarantined": "20261120-credit"}, "not_quarantined"),
        ({"problem": "model.skops was changed"}, "manifest_verified"),
        ({"manifest": "another than at its promotion"}, "manifest_verified"),
        ({"inputs": {"age": "double", "zip": "string"}}, "signature_compatible"),
        ({"inputs": {"age": "string"}}, "signature_compatible"),
        ({"inputs": {}}, "signature_compatible"),
        ({"version": "7"}, "was_champion"),
        ({"version": "2"}, "was_champion"),
    ],
)
def test_each_fault_of_the_candidate_fails_its_own_check(changes: dict[str, Any], name: str) -> None:
    assert wrong(GOOD.model_copy(update=changes)) == [name]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"champion": "4"}, "champion_unchanged"),
        ({"champion": None}, "champion_unchanged"),
        ({"open_incidents": {"i": ("1",)}}, "no_open_incident"),
        ({"available": {}}, "signature_compatible"),
    ],
)
def test_each_fault_of_the_situation_fails_its_own_check(changes: dict[str, Any], name: str) -> None:
    assert wrong(**changes) == [name]


def test_a_version_rolled_back_recently_is_no_refuge_and_later_it_is() -> None:
    def fled(ago: timedelta, mitigation: Mitigation = Mitigation.ROLLBACK) -> list[str]:
        known = CALM.history.model_copy(update={"mitigations": (past("1", ago=ago, mitigation=mitigation),)})
        return wrong(history=known)

    assert fled(timedelta(days=13)) == ["not_flapping"]
    assert fled(timedelta(days=14)) == []
    assert fled(timedelta(days=13), Mitigation.FALLBACK) == []


def test_the_cooldown_asks_a_person_and_does_not_block() -> None:
    known = CALM.history.model_copy(update={"mitigations": (past("8", ago=timedelta(hours=23)),)})
    checks = check_candidate(GOOD, CALM.model_copy(update={"history": known}))
    assert [(c.name, c.weight) for c in checks if not c.ok] == [("cooldown", Weight.ASKS)]
    assert asks(checks)
    assert not blocked(checks)
    assert wrong(history=known, asker=Asker.PERSON) == []
    assert wrong(history=known, cooldown=timedelta(hours=23)) == []


def test_a_fallback_must_hold_the_alias_by_the_registry_and_by_the_ledger() -> None:
    rules = GOOD.model_copy(update={"version": "3"})
    assert wrong(rules, mitigation=Mitigation.FALLBACK) == []
    assert wrong(rules, mitigation=Mitigation.FALLBACK, fallback="5") == ["is_fallback"]
    assert wrong(rules, mitigation=Mitigation.FALLBACK, history=ModelHistory()) == ["is_fallback"]


def test_candidates_are_earlier_champions_newest_first_and_never_the_latest_version() -> None:
    versions = [GOOD.model_copy(update={"version": str(n)}) for n in range(1, 7)]
    versions[1] = versions[1].model_copy(update={"quarantined": "bad"})
    versions[3] = versions[3].model_copy(update={"status": "FAILED_REGISTRATION"})
    known = ModelHistory(champions=tuple(reign(v) for v in ("1", "2", "3", "4", "1", "5", "99")))
    assert [c.version for c in candidates(versions, known, champion="5")] == ["1", "3"]


KINDS = st.sampled_from(["boolean", "integer", "long", "float", "double", "string"])
SCHEMA = st.dictionaries(st.sampled_from("abcd"), KINDS)


@settings(deadline=None)
@given(SCHEMA, SCHEMA)
def test_more_columns_in_a_request_never_break_a_model(needed: dict[str, str], more: dict[str, str]) -> None:
    assert compatible(needed, {**more, **needed}) == ()


@settings(deadline=None)
@given(SCHEMA, SCHEMA)
def test_each_problem_is_about_one_needed_column(needed: dict[str, str], available: dict[str, str]) -> None:
    problems = compatible(needed, available)
    assert len(problems) <= len(needed)
    assert {p.split()[0] for p in problems} >= needed.keys() - available.keys()


def test_a_double_is_not_a_long_but_a_long_is_a_double() -> None:
    assert compatible({"n": "double"}, {"n": "long"}) == ()
    assert compatible({"n": "long"}, {"n": "double"}) == ("n is double, not long",)
    assert compatible({"n": "long"}, {"n": ""}) == ()


def event(number: int, kind: str, **payload: Any) -> Event:
    return Event(
        stream="model/m", sequence=number, key=str(number), type=kind, at=NOW, payload=payload, previous="", hash=""
    )


def test_the_history_knows_reigns_what_serves_and_what_is_unfinished() -> None:
    moved = {"alias": "champion", "to": "1", "from": None, "by": "ada", "manifest": "m"}
    done = {
        "key": "k",
        "request": "r",
        "mitigation": "fallback",
        "from": "1",
        "to": "3",
        "by": "vigil",
        "automatic": True,
        "incident": None,
        "manifest": "m",
    }
    told = history(
        [
            event(1, "promote_requested", **moved),
            event(2, "alias_moved", **moved),
            event(3, "restated", night="2026-11-01"),
            event(4, "mitigation_started", **done),
            event(5, "mitigation_done", **done),
            event(6, "restore_requested"),
        ]
    )
    assert [r.version for r in told.champions] == ["1"]
    assert told.manifest("1") == "m"
    assert told.serve is Role.FALLBACK
    assert told.pending is not None
    assert (told.pending.sequence, told.completed, told.events) == (6, 2, 6)


def test_a_champion_set_outside_vigil_is_known_but_has_proved_nothing() -> None:
    found = {"champion": "5", "fallback": None, "challenger": None, "serve": "champion"}
    told = history([event(1, "alias_moved_outside", found=found, recorded={})])
    assert told.aliases == {"champion": "5"}
    assert told.champions == ()
