"""Promotion: checked, recorded before and after, one alias write, whatever crashes."""

from pathlib import Path

import pytest
from registry_stage import MODEL, Crash, Fuse, Stage, credit_monitor, moves

from vigil.core.errors import LeaseLost, RegistryError, TamperedArtifact
from vigil.core.words import Mitigation, Role
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Status
from vigil.usecases.promote import lift_quarantine, promote, reconcile_aliases, restore

MONITOR = credit_monitor()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def give(stage: Stage, version: str, alias: str = "champion", fuse: Fuse | None = None) -> str | None:
    state = promote(stage.ports(fuse), MONITOR, version, actor="ada", reason="better", alias=alias)
    return state.champion


def test_a_promotion_moves_the_alias_records_both_events_and_the_baseline(stage: Stage) -> None:
    assert give(stage, "1") == "1"
    assert stage.types(f"model/{MODEL}") == ["promote_requested", "alias_moved"]
    moved = stage.ledger.read(f"model/{MODEL}")[-1].payload
    assert (moved["alias"], moved["from"], moved["to"], moved["by"]) == ("champion", None, "1", "ada")
    assert stage.profiles.baselines["1"].rows == 2
    assert stage.profiles.first_edges is not None
    assert moved["evidence"]["holdout_rows"] == 2


def test_edges_are_fitted_on_the_first_promotion_only(stage: Stage) -> None:
    give(stage, "1")
    kept = stage.profiles.first_edges
    give(stage, "2")
    assert stage.profiles.first_edges is kept


def test_the_champion_that_is_left_becomes_previous(stage: Stage) -> None:
    give(stage, "1")
    give(stage, "2")
    assert moves(stage, "previous") == ["1"]
    assert moves(stage) == ["1", "2"]


def test_promoting_the_champion_again_changes_nothing(stage: Stage) -> None:
    give(stage, "1")
    before = (stage.types(f"model/{MODEL}"), list(stage.registry.writes))
    give(stage, "1")
    assert (stage.types(f"model/{MODEL}"), list(stage.registry.writes)) == before


def test_going_back_and_forth_records_every_move(stage: Stage) -> None:
    for version in ("1", "2", "1", "2"):
        give(stage, version)
    assert moves(stage) == ["1", "2", "1", "2"]
    assert stage.types(f"model/{MODEL}").count("alias_moved") == 4


def test_a_fallback_is_promoted_with_its_baseline_and_leaves_the_champion(stage: Stage) -> None:
    give(stage, "1")
    assert give(stage, "2", alias="fallback") == "1"
    assert "2" in stage.profiles.baselines
    assert moves(stage, "previous") == []


def test_a_quarantined_version_is_refused(stage: Stage) -> None:
    stage.registry.tag(MODEL, "1", "vigil.quarantined", "20261120-credit")
    with pytest.raises(RegistryError, match="quarantined"):
        give(stage, "1")
    assert moves(stage) == []


def test_a_lifted_quarantine_is_recorded_and_the_version_can_be_promoted(stage: Stage) -> None:
    stage.registry.tag(MODEL, "1", "vigil.quarantined", "20261120-credit")
    lift_quarantine(stage.ports(), MONITOR, "1", actor="ada", reason="the cause was elsewhere")
    assert stage.types(f"model/{MODEL}") == ["quarantine_lifted"]
    assert give(stage, "1") == "1"


def test_a_tampered_version_is_refused_by_file_name(stage: Stage) -> None:
    (stage.registry.store(MODEL, "1") / "MLmodel").write_bytes(b"other")
    with pytest.raises(TamperedArtifact, match="MLmodel was changed"):
        give(stage, "1")
    assert stage.types(f"model/{MODEL}") == []


def test_an_unknown_alias_is_refused(stage: Stage) -> None:
    with pytest.raises(RegistryError, match="champion"):
        give(stage, "1", alias="latest")


def test_promotion_waits_for_nobody_else(stage: Stage) -> None:
    stage.lease.acquire(f"model/{MODEL}", "somebody", now=stage.clock.now(), seconds=60)
    with pytest.raises(LeaseLost):
        give(stage, "1")


def test_an_alias_moved_by_other_means_is_recorded_once(stage: Stage) -> None:
    give(stage, "1")
    assert reconcile_aliases(stage.ports(), MONITOR) is False
    stage.registry.move_alias(MODEL, "champion", "3")
    assert reconcile_aliases(stage.ports(), MONITOR) is True
    assert reconcile_aliases(stage.ports(), MONITOR) is False
    last = stage.ledger.read(f"model/{MODEL}")[-1]
    assert last.type == "alias_moved_outside"
    assert (last.payload["recorded"]["champion"], last.payload["found"]["champion"]) == ("1", "3")


def test_the_same_outside_move_is_recorded_again_when_it_happens_again(stage: Stage) -> None:
    give(stage, "1")
    for version in ("3", "1", "3"):
        stage.registry.move_alias(MODEL, "champion", version)
        assert reconcile_aliases(stage.ports(), MONITOR) is True
    assert stage.types(f"model/{MODEL}").count("alias_moved_outside") == 3


def test_restore_lets_the_champion_serve_again(stage: Stage) -> None:
    give(stage, "1")
    give(stage, "2", alias="fallback")
    stage.registry.serve(MODEL, Role.FALLBACK)
    state = restore(stage.ports(), MONITOR, actor="ada", reason="the pipeline is fixed")
    assert state.serving == "1"
    assert stage.types(f"model/{MODEL}")[-3:] == ["alias_moved_outside", "restore_requested", "champion_restored"]
    restore(stage.ports(), MONITOR, actor="ada", reason="again")
    assert stage.types(f"model/{MODEL}").count("champion_restored") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_port_call_and_a_retry_give_one_move_and_a_whole_ledger(tmp_path: Path, when: str) -> None:
    """Every call is made to fail once; the loop ends when there is no k-th call."""
    for k in range(1, 200):
        stage = Stage(tmp_path / str(k))
        give(stage, "1")
        fuse = Fuse(k, when=when)
        try:
            give(stage, "2", fuse=fuse)
        except Crash:
            give(stage, "2")
        assert moves(stage) == ["1", "2"], f"call {k}"
        assert stage.types(f"model/{MODEL}") == ["promote_requested", "alias_moved"] * 2, f"call {k}"
        assert stage.registry.version(MODEL, "1").aliases == ("previous",), f"call {k}"
        assert "2" in stage.profiles.baselines, f"call {k}"
        if fuse.calls < k:
            assert k > 10
            return
    pytest.fail("the promotion never ran to its end")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_restoring_and_a_retry_give_one_restore(tmp_path: Path, when: str) -> None:
    for k in range(1, 100):
        stage = Stage(tmp_path / str(k))
        give(stage, "1")
        give(stage, "2", alias="fallback")
        stage.registry.serve(MODEL, Role.FALLBACK)
        fuse = Fuse(k, when=when)
        try:
            restore(stage.ports(fuse), MONITOR, actor="ada", reason="fixed")
        except Crash:
            restore(stage.ports(), MONITOR, actor="ada", reason="fixed")
        assert moves(stage, "serve") == ["fallback", "champion"], f"call {k}"
        assert stage.types(f"model/{MODEL}").count("champion_restored") == 1, f"call {k}"
        if fuse.calls < k:
            return
    pytest.fail("the restore never ran to its end")


def test_another_promotion_finishes_what_a_dead_one_left(stage: Stage) -> None:
    """The write happened, its event did not: the next change records it before its own."""
    give(stage, "1")
    for k in range(1, 100):
        probe = Stage(stage.registry.store(MODEL, "1") / str(k))
        give(probe, "1")
        with pytest.raises(Crash):
            give(probe, "2", fuse=Fuse(k, when="after"))
        if probe.registry.serving(MODEL).champion == "2":
            break
    probe.lease.grants.clear()
    give(probe, "3")
    told = [
        (e.payload["from"], e.payload["to"]) for e in probe.ledger.read(f"model/{MODEL}") if e.type == "alias_moved"
    ]
    assert told == [(None, "1"), ("1", "2"), ("2", "3")]


INCIDENT = "20261120-credit-staging"


def an_open_incident(stage: Stage, *events: tuple[str, dict]) -> None:
    stage.open_incident(INCIDENT, versions={"1": 900})
    for kind, payload in events:
        where = f"incident/{INCIDENT}"
        stage.ledger.append(
            where, expected=len(stage.ledger.read(where)), key=kind, type=kind, at=stage.clock.now(), payload=payload
        )


def test_promotions_are_frozen_while_an_open_incident_knows_no_better_version(stage: Stage) -> None:
    replay = {"night": "2026-11-20", "versions": [], "mitigation": "freeze", "target_version": None, "why": "none"}
    give(stage, "1")
    an_open_incident(stage, ("replayed", {"replay": replay}))
    with pytest.raises(RegistryError, match=f"frozen by incident {INCIDENT}.*--despite-freeze"):
        give(stage, "2")
    assert moves(stage) == ["1"]
    assert give(stage, "3", alias="fallback") == "1"
    state = promote(stage.ports(), MONITOR, "2", actor="ada", reason="corrected model", despite_freeze=True)
    assert state.champion == "2"


def test_after_the_champion_was_restored_the_incident_can_be_mitigated_again(stage: Stage) -> None:
    give(stage, "1")
    give(stage, "3", alias="fallback")
    stage.registry.serve(MODEL, Role.FALLBACK)
    an_open_incident(stage, ("mitigation_done", {"mitigation": "fallback", "to": "3"}))
    for _ in range(2):
        restore(stage.ports(), MONITOR, actor="ada", reason="the feed is repaired")
    events = stage.ledger.read(f"incident/{INCIDENT}")
    found = fold(events)
    assert [e.type for e in events].count("mitigation_ended") == 1
    assert found is not None
    assert (found.status, found.mitigation, found.mitigation_over) == (Status.OPEN, Mitigation.FALLBACK, True)
