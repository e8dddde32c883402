"""What is done about a bad night, killed anywhere: every message once, one change of the model, one story."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from stage import MODEL, TONIGHT, Bank, Killed, Mortal, bank_after, copied, poorer_women

from vigil.adapters.evidently_report import EvidentlyReporter
from vigil.core.words import Mitigation, Role
from vigil.incidents.types import Status
from vigil.responses.rollback import Asker
from vigil.responses.types import ActionKind
from vigil.usecases import nightly, respond
from vigil.usecases.incidents import get
from vigil.usecases.rollback import RollbackRequest, execute, preflight

pytestmark = pytest.mark.slow  # real stores, many nights
INCIDENT = "20260920-shop-staging"
WRITES = {
    "ledger": ("append",),
    "registry": ("serve", "move_alias", "tag"),
    "outbox": ("put",),
}
CHAT = ("open_room", "update_room", "post")


class Gateway:
    """A serving layer that follows the registry."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def answering(self, model: str) -> tuple[str, str]:
        state = self._bank.registry.serving(model)
        return str(state.serving), state.serve.value


@pytest.fixture(scope="session")
def bad_past(quiet_past, tmp_path_factory) -> Path:
    """The folder of a bank whose incident is open, and nobody was told."""
    folder = tmp_path_factory.mktemp("bad") / "bank"
    bank_after(quiet_past, folder, poorer_women)
    return folder


@pytest.fixture
def opened(bad_past, tmp_path) -> Bank:
    bank = copied(bad_past, tmp_path / "bank")
    bank.ports = replace(bank.ports, probe=Gateway(bank))
    return bank


RUNNING: dict[Path, dict] = {}  # bank -> the action whose rollback run began and did not end


def mitigate(bank: Bank, action: dict) -> None:
    """What the rollback DAG does; Airflow runs a task that died again, whoever has already noted that it was asked."""
    RUNNING[bank.log] = action
    respond.record_mitigation(bank.ports, action, run_id="run")
    asked = RollbackRequest(
        model=MODEL,
        environment="staging",
        mitigation=Mitigation(action["payload"]["mitigation"]),
        to_version=action["payload"]["to_version"],
        reason=action["payload"]["reason"],
        incident=INCIDENT,
        actor=f"vigil:{action['id']}",
        asker=Asker.VIGIL,
    )
    execute(bank.ports, bank.monitor, asked, preflight(bank.ports, bank.monitor, asked), approved_by=None)
    del RUNNING[bank.log]


def answer(bank: Bank) -> None:
    """What the respond DAG and the rollback DAG do until nothing is left."""
    watched = {MODEL: bank.monitor}
    if bank.log in RUNNING:
        mitigate(bank, RUNNING[bank.log])
    while todo := respond.plan(bank.ports, watched, INCIDENT):
        for action in todo:
            if action["kind"] == ActionKind.MITIGATE:
                mitigate(bank, action)
            else:
                respond.deliver(bank.ports, watched, action)


def texts(bank: Bank) -> list[list[str]]:
    return [[m.text for m in channel.messages] for channel in bank.notifier.channels.values()]


@pytest.fixture(scope="module")
def undisturbed(bad_past, tmp_path_factory) -> Bank:
    bank = copied(bad_past, tmp_path_factory.mktemp("undisturbed") / "bank")
    bank.ports = replace(bank.ports, probe=Gateway(bank))
    answer(bank)
    return bank


def test_a_bad_night_is_told_in_one_room_answered_by_the_rules_and_told_again(undisturbed):
    found, _ = get(undisturbed.ports, INCIDENT)
    assert found.status is Status.MITIGATED
    assert undisturbed.registry.writes == [(MODEL, "serve", "fallback")]
    ((summary, *news),) = texts(undisturbed)
    assert "Selection-rate ratio (AIR) for `sex=female`: 0.5" in summary
    assert re.search(r"0\.5\d+\* \[0\.\d+, 0\.\d+\]", summary)
    assert any("the gateway answers with version 3 as fallback" in text for text in news)


def test_an_answer_given_again_and_again_changes_nothing(opened, undisturbed):
    for _ in range(3):
        answer(opened)
    assert opened.streams() == undisturbed.streams()
    assert texts(opened) == texts(undisturbed)


@pytest.mark.parametrize("at", range(1, 14))
def test_an_answer_that_is_killed_after_any_write_and_given_again_ends_like_one_that_was_not(opened, undisturbed, at):
    whole, left = opened.ports, [at]
    mortal = {n: Mortal(getattr(whole, n), w, left) for n, w in WRITES.items()}
    chat = Mortal(opened.notifier, CHAT, left)
    opened.ports = replace(whole, **mortal, notifier=lambda: chat)
    with pytest.raises(Killed):
        answer(opened)
    opened.ports = whole
    answer(opened)
    assert opened.registry.writes == undisturbed.registry.writes
    assert sorted(opened.types(f"incident/{INCIDENT}")) == sorted(undisturbed.types(f"incident/{INCIDENT}"))
    assert opened.types(f"model/{MODEL}") == undisturbed.types(f"model/{MODEL}")
    assert texts(opened) == texts(undisturbed)
    assert opened.ports.ledger.verify() == ()


def test_an_answer_has_as_many_writes_as_it_is_killed_at(opened):
    whole, left = opened.ports, [14]
    mortal = {n: Mortal(getattr(whole, n), w, left) for n, w in WRITES.items()}
    chat = Mortal(opened.notifier, CHAT, left)
    opened.ports = replace(whole, **mortal, notifier=lambda: chat)
    answer(opened)
    assert left == [1]


def test_after_the_rules_stood_in_only_a_good_night_of_the_champion_ends_the_incident(opened):
    answer(opened)
    by_rules, by_model = (TONIGHT + timedelta(days=n) for n in (1, 2))
    opened.serve(by_rules, answered=lambda rows: rows.assign(role="fallback", model_version="3"))
    opened.night(by_rules)
    assert get(opened.ports, INCIDENT)[0].status is Status.MITIGATED
    opened.registry.serve(MODEL, Role.CHAMPION)
    opened.serve(by_model)
    opened.night(by_model)
    answer(opened)
    assert get(opened.ports, INCIDENT)[0].status is Status.RESOLVED
    ((_, *news),) = texts(opened)
    assert "resolved" in news[-1].lower()


def test_the_report_of_a_bad_night_is_one_page_and_the_room_links_it(bank):
    bank.ports = replace(bank.ports, reporter=EvidentlyReporter(), probe=Gateway(bank))
    bank.serve(TONIGHT, poorer_women)
    bank.judged()
    first, second = (nightly.report(bank.ports, bank.monitor, TONIGHT) for _ in range(2))
    assert first == second == f"http://127.0.0.1:1/vigil/report/{MODEL}/{TONIGHT}/report.html"
    html = bank.artifacts.path(MODEL, TONIGHT, "report.html").read_text()
    assert "selection_rate_ratio(sex=female) 0.5" in html
    assert bank.night() == INCIDENT
    answer(bank)
    (room,) = bank.notifier.channels.values()
    assert first in {url for _, url in room.bookmarks}
