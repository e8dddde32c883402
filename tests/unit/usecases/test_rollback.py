"""Rollback and fallback: decided by checks, done once, proved or said not to be, whatever crashes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from registry_stage import MODEL, Crash, Fuse, Stage, credit_monitor, moves

from vigil.core.errors import LeaseLost, RegistryError
from vigil.core.words import Mitigation
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Status
from vigil.responses.rollback import Asker
from vigil.usecases.promote import promote, restore
from vigil.usecases.rollback import RollbackRequest, decline, execute, preflight, verify

INCIDENT = "20261120-credit-staging"
MONITOR = credit_monitor()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return played(tmp_path)


def played(folder: Path) -> Stage:
    """1 and 2 were champions, 2 is; 3 is the fallback; an incident is open about 2."""
    stage = Stage(folder)
    for version, alias in (("1", "champion"), ("2", "champion"), ("3", "fallback")):
        promote(stage.ports(), MONITOR, version, actor="ada", reason="better", alias=alias)
    stage.open_incident(INCIDENT, versions={"2": 900})
    stage.clock.at += timedelta(days=2)
    return stage


def asked(mitigation: Mitigation = Mitigation.ROLLBACK, **changes: Any) -> RollbackRequest:
    given = {
        "model": MODEL,
        "environment": "staging",
        "mitigation": mitigation,
        "reason": "fairness breached; the previous version is fine",
        "incident": INCIDENT,
        "actor": "vigil",
    }
    given |= changes
    return RollbackRequest(**{"asker": Asker.VIGIL if given["actor"] == "vigil" else Asker.PERSON, **given})


def run(
    stage: Stage, request: RollbackRequest, *, fuse: Fuse | None = None, monitor: Any = MONITOR, by: str | None = None
) -> dict[str, Any]:
    ports = stage.ports(fuse)
    plan = preflight(ports, monitor, request)
    return execute(ports, monitor, request, plan, approved_by=by, sleep=lambda _: None)


def failed(stage: Stage, request: RollbackRequest, monitor: Any = MONITOR) -> list[str]:
    return [c.name for c in preflight(stage.ports(), monitor, request).checks if not c.ok]


def test_a_rollback_goes_to_the_newest_earlier_champion_in_one_write(stage: Stage) -> None:
    done = run(stage, asked())
    assert (done["from"], done["to"], done["verified"]) == ("2", "1", True)
    assert moves(stage) == ["1", "2", "1"]
    assert stage.registry.version(MODEL, "2").aliases == ("previous",)
    assert stage.registry.version(MODEL, "2").tags["vigil.quarantined"] == INCIDENT


def test_the_evidence_is_recorded_before_anything_is_touched(stage: Stage) -> None:
    run(stage, asked())
    started = next(e for e in stage.ledger.read(f"model/{MODEL}") if e.type == "mitigation_started").payload
    assert started["evidence"]["aliases"] == {"previous": "1", "champion": "2", "fallback": "3"}
    assert started["evidence"]["versions"]["2"]["quarantined"] == ""
    assert started["evidence"]["config_digest"] == MONITOR.digest
    assert stage.types(f"model/{MODEL}")[-2:] == ["mitigation_started", "mitigation_done"]


def test_the_incident_is_mitigated_with_the_agreed_payload(stage: Stage) -> None:
    run(stage, asked())
    event = stage.ledger.read(f"incident/{INCIDENT}")[-1]
    assert event.type == "mitigation_done"
    told = {k: event.payload[k] for k in ("mitigation", "from", "to", "by", "verified", "how")}
    assert told == {
        "mitigation": "rollback",
        "from": "2",
        "to": "1",
        "by": "vigil",
        "verified": True,
        "how": "the gateway answers with version 1 as champion",
    }
    incident = fold(stage.ledger.read(f"incident/{INCIDENT}"))
    assert incident is not None
    assert (incident.status, incident.mitigation_target) == (Status.MITIGATED, "1")


def test_a_fallback_lets_the_rules_stand_in_and_quarantines_nobody(stage: Stage) -> None:
    done = run(stage, asked(Mitigation.FALLBACK))
    assert (done["from"], done["to"], done["verified"]) == ("2", "3", True)
    assert stage.registry.serving(MODEL).serving == "3"
    assert moves(stage) == ["1", "2"]
    assert "vigil.quarantined" not in stage.registry.version(MODEL, "2").tags


def test_a_version_from_which_rules_took_over_may_still_be_rolled_back_to(stage: Stage) -> None:
    """The pipeline was the cause that time: the version itself was never bad."""
    run(stage, asked(Mitigation.FALLBACK))
    restore(stage.ports(), MONITOR, actor="ada", reason="fixed")
    stage.resolve(INCIDENT)
    stage.add()
    promote(stage.ports(), MONITOR, "4", actor="ada", reason="new")
    stage.clock.at += timedelta(days=2)
    request = asked(incident=None)
    assert run(stage, request)["to"] == "2"


def test_a_dry_run_writes_nothing(stage: Stage) -> None:
    before = (stage.types(f"model/{MODEL}"), list(stage.registry.writes))
    assert run(stage, asked(dry_run=True))["dry_run"] is True
    assert (stage.types(f"model/{MODEL}"), list(stage.registry.writes)) == before


def test_asking_twice_is_done_once(stage: Stage) -> None:
    assert run(stage, asked()) == run(stage, asked())
    assert moves(stage) == ["1", "2", "1"]
    assert "done already" in preflight(stage.ports(), MONITOR, asked()).text


def test_a_manual_rollback_asked_twice_does_not_walk_further_back(stage: Stage) -> None:
    stage.resolve(INCIDENT)
    stage.add()
    promote(stage.ports(), MONITOR, "4", actor="ada", reason="new")
    request = asked(incident=None, actor="ada", reason="looks wrong")
    assert run(stage, request)["to"] == "2"
    assert run(stage, request)["to"] == "2"
    assert moves(stage) == ["1", "2", "4", "2"]


def test_the_policy_approve_needs_a_person(stage: Stage) -> None:
    monitor = credit_monitor(rollback="approve")
    assert preflight(stage.ports(), monitor, asked()).needs_approval
    with pytest.raises(RegistryError, match="approval"):
        run(stage, asked(), monitor=monitor)
    assert run(stage, asked(), monitor=monitor, by="grace")["by"] == "grace"


@pytest.mark.parametrize("name", ["ada", "vigil"])  # a person's name decides nothing
def test_the_policy_never_stops_vigil_but_lets_a_person_ask(stage: Stage, name: str) -> None:
    monitor = credit_monitor(rollback="never")
    assert failed(stage, asked(), monitor) == ["policy"]
    by_hand = preflight(stage.ports(), monitor, asked(actor=name, asker=Asker.PERSON))
    assert by_hand.allowed
    assert by_hand.needs_approval


def test_a_second_automatic_mitigation_within_a_day_needs_a_person(stage: Stage) -> None:
    run(stage, asked(Mitigation.FALLBACK))
    plan = preflight(stage.ports(), MONITOR, asked())
    assert [c.name for c in plan.checks if not c.ok] == ["cooldown"]
    assert plan.allowed
    assert plan.needs_approval
    stage.clock.at += timedelta(hours=24)
    assert not preflight(stage.ports(), MONITOR, asked()).needs_approval


def test_the_cooldown_is_the_monitors(stage: Stage) -> None:
    run(stage, asked(Mitigation.FALLBACK))
    assert not preflight(stage.ports(), credit_monitor(cooldown_hours=0), asked()).needs_approval


def test_an_incident_about_another_version_is_not_answered_by_a_rollback(stage: Stage) -> None:
    stage.add()
    promote(stage.ports(), MONITOR, "4", actor="ada", reason="fixed forward")
    assert failed(stage, asked()) == ["champion_unchanged"]
    with pytest.raises(RegistryError, match="somebody acted already"):
        run(stage, asked())


def test_a_held_or_unknown_or_closed_incident_is_not_mitigated(stage: Stage) -> None:
    assert failed(stage, asked(incident="nope")) == ["incident"]
    for kind in ("held", "released", "never_was"):
        ports, name = stage.ports(), f"incident/{INCIDENT}"
        at = len(ports.ledger.read(name))
        ports.ledger.append(name, expected=at, key=kind, type=kind, at=stage.clock.now(), payload={})
        assert failed(stage, asked()) == ([] if kind == "released" else ["incident"])


def test_a_version_with_an_open_incident_of_its_own_is_no_refuge(stage: Stage) -> None:
    stage.open_incident("20261101-credit-production", versions={"1": 500})
    assert failed(stage, asked()) == ["no_open_incident"]


def test_a_version_that_never_was_champion_is_not_chosen_and_not_accepted(stage: Stage) -> None:
    stage.add()
    assert failed(stage, asked(to_version="4")) == ["was_champion"]


def test_a_tampered_candidate_is_passed_over_for_an_older_one(stage: Stage) -> None:
    stage.resolve(INCIDENT)
    stage.add()
    promote(stage.ports(), MONITOR, "4", actor="ada", reason="new")
    assert preflight(stage.ports(), MONITOR, asked(incident=None)).to_version == "2"
    (stage.registry.store(MODEL, "2") / "MLmodel").write_bytes(b"other")
    assert preflight(stage.ports(), MONITOR, asked(incident=None)).to_version == "1"


def test_when_every_candidate_is_blocked_the_plan_says_why(stage: Stage) -> None:
    (stage.registry.store(MODEL, "1") / "MLmodel").write_bytes(b"other")
    plan = preflight(stage.ports(), MONITOR, asked())
    assert not plan.allowed
    assert "MLmodel was changed" in plan.text


def test_without_an_earlier_champion_there_is_nothing_to_roll_back_to(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    promote(stage.ports(), MONITOR, "1", actor="ada", reason="first")
    plan = preflight(stage.ports(), MONITOR, asked(incident=None))
    assert (plan.to_version, plan.allowed) == (None, False)
    assert "no earlier champion" in plan.text


def test_without_a_fallback_alias_the_plan_says_how_to_get_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    promote(stage.ports(), MONITOR, "1", actor="ada", reason="first")
    assert "--alias fallback" in preflight(stage.ports(), MONITOR, asked(Mitigation.FALLBACK, incident=None)).text


def test_an_outage_of_the_gateway_is_never_reported_as_verified(stage: Stage) -> None:
    stage.gateway.away = True
    done = run(stage, asked())
    assert done["verified"] is False
    assert "not verified" in done["how"]


def test_a_gateway_that_does_not_follow_is_reported_with_the_version_it_answers(stage: Stage) -> None:
    stage.gateway.stuck_at = ("2", "champion")
    slept: list[float] = []
    proof = verify(stage.ports(), MONITOR, "1", wait_seconds=3, sleep=slept.append)
    assert not proof.verified
    assert "still answers with version 2" in proof.how
    assert sum(slept) <= 3


def test_a_foreign_write_right_after_ours_is_an_error_and_recorded(stage: Stage) -> None:
    ours = stage.registry.move_alias

    def raced(model: str, alias: str, version: str) -> None:
        ours(model, alias, version)
        if alias == "champion":
            ours(model, alias, "3")

    stage.registry.move_alias = raced  # type: ignore[method-assign]
    with pytest.raises(RegistryError, match="somebody else wrote"):
        run(stage, asked())
    assert stage.types(f"model/{MODEL}")[-1] == "mitigation_failed"
    assert stage.types(f"incident/{INCIDENT}")[-1] == "mitigation_failed"


def test_a_champion_that_changed_after_the_plan_stops_the_execution(stage: Stage) -> None:
    plan = preflight(stage.ports(), MONITOR, asked())
    stage.add()
    promote(stage.ports(), MONITOR, "4", actor="ada", reason="fixed forward")
    with pytest.raises(RegistryError, match="Plan it again"):
        execute(stage.ports(), MONITOR, asked(), plan, approved_by=None, sleep=lambda _: None)
    assert stage.registry.serving(MODEL).champion == "4"
    assert stage.types(f"incident/{INCIDENT}")[-1] == "mitigation_failed"


def test_a_lost_lease_stops_the_write(stage: Stage) -> None:
    """The process slept longer than its lease: its token is refused before the alias moves."""
    stage.registry.tag = lambda *_: stage.lease.grants.clear()  # type: ignore[method-assign]
    with pytest.raises(LeaseLost):
        run(stage, asked())
    assert moves(stage) == ["1", "2"]


def test_a_declined_mitigation_is_recorded_with_who_and_why(stage: Stage) -> None:
    plan = preflight(stage.ports(), MONITOR, asked())
    for _ in range(2):
        decline(stage.ports(), asked(), plan, why="the pipeline is being fixed", by="grace")
    events = [e for e in stage.ledger.read(f"incident/{INCIDENT}") if e.type == "mitigation_declined"]
    assert len(events) == 1
    assert events[0].payload["by"] == "grace"


def test_freeze_is_for_people(stage: Stage) -> None:
    with pytest.raises(RegistryError, match="freeze"):
        preflight(stage.ports(), MONITOR, asked(Mitigation.FREEZE))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mitigation", [Mitigation.ROLLBACK, Mitigation.FALLBACK])
def test_a_crash_at_any_port_call_and_a_retry_give_one_move_and_a_whole_ledger(
    tmp_path: Path, mitigation: Mitigation, when: str
) -> None:
    """Every call of preflight and execute is made to fail once; the loop ends when there is no k-th call."""
    for k in range(1, 400):
        stage = played(tmp_path / str(k))
        fuse = Fuse(k, when=when)
        try:
            run(stage, asked(mitigation), fuse=fuse)
        except Crash:
            run(stage, asked(mitigation))
        rollback = mitigation is Mitigation.ROLLBACK
        assert moves(stage) == (["1", "2", "1"] if rollback else ["1", "2"]), f"call {k}"
        assert moves(stage, "serve") == ([] if rollback else ["fallback"]), f"call {k}"
        assert stage.types(f"model/{MODEL}")[6:] == ["mitigation_started", "mitigation_done"], f"call {k}"
        assert stage.types(f"incident/{INCIDENT}") == ["opened", "mitigation_done"], f"call {k}"
        quarantined = stage.registry.version(MODEL, "2").tags.get("vigil.quarantined")
        assert quarantined == (INCIDENT if rollback else None), f"call {k}"
        if fuse.calls < k:
            assert k > 20
            return
    pytest.fail("the mitigation never ran to its end")


def test_another_change_finishes_what_a_dead_rollback_left(stage: Stage) -> None:
    """The alias moved, the event did not: the next promotion records it, and says that nobody asked the gateway."""
    for k in range(1, 400):
        probe = played(stage.registry.store(MODEL, "1") / str(k))
        with pytest.raises(Crash):
            run(probe, asked(), fuse=Fuse(k, when="after"))
        if probe.registry.serving(MODEL).champion == "1":
            break
    probe.lease.grants.clear()
    probe.add()
    promote(probe.ports(), MONITOR, "4", actor="ada", reason="new")
    assert probe.types(f"model/{MODEL}")[-3:] == ["mitigation_done", "promote_requested", "alias_moved"]
    event = probe.ledger.read(f"incident/{INCIDENT}")[-1]
    assert (event.type, event.payload["verified"]) == ("mitigation_done", False)


def test_a_person_can_read_the_plan(stage: Stage) -> None:
    text = preflight(stage.ports(), MONITOR, asked()).text
    assert text.startswith("Rollback of credit (staging) from version 2 to 1: possible.")
    assert "✓ signature compatible" in text


def test_a_hold_that_comes_while_a_person_is_asked_stops_the_change(stage: Stage) -> None:
    plan = preflight(stage.ports(), MONITOR, asked())
    where = f"incident/{INCIDENT}"
    stage.ledger.append(
        where, expected=len(stage.ledger.read(where)), key="held", type="held", at=stage.clock.now(), payload={}
    )
    with pytest.raises(RegistryError, match="holds the incident"):
        execute(stage.ports(), MONITOR, asked(), plan, approved_by="ada", sleep=lambda _: None)
    assert moves(stage) == ["1", "2"]
    assert stage.types(where)[-1] == "mitigation_declined"
