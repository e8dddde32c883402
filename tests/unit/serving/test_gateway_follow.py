"""Which version answers, while the registry moves, breaks, and is tampered with."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.unit.serving.serving_stage import ROW, FolderRegistry, KeptLog, app, iris, served
from vigil.serving.loader import FIRST_RETRY, Slot

pytestmark = pytest.mark.slow

AT = datetime(2026, 3, 1, tzinfo=UTC)
ANSWERS = {"1": "setosa", "2": "virginica"}


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def slot(registry: FolderRegistry, clock: Time) -> Slot:
    return Slot(registry, iris(), monotonic=clock)


def tamper(registry: FolderRegistry, version: str) -> Callable[[], None]:
    path = registry.root / "iris" / version / "MLmodel"
    before = path.read_bytes()
    path.write_bytes(before + b"\n# changed\n")
    return lambda: path.write_bytes(before) and None


def answering(slot: Slot) -> tuple[str, str] | None:
    return (slot.now.model.version, slot.now.role.value) if slot.now else None


def test_one_poll_after_a_move_the_new_version_answers(slot: Slot, registry: FolderRegistry) -> None:
    slot.poll(AT)
    assert answering(slot) == ("1", "champion")
    registry.point("iris", "2")
    slot.poll(AT)
    assert answering(slot) == ("2", "champion")
    assert slot.problem is None
    assert slot.last_poll == AT


def test_one_poll_after_the_fallback_stands_in_it_answers_in_its_role(slot: Slot, registry: FolderRegistry) -> None:
    registry.point("iris", "1", fallback="2")
    slot.poll(AT)
    registry.point("iris", "1", fallback="2", serve="fallback")
    slot.poll(AT)
    assert answering(slot) == ("2", "fallback")
    registry.point("iris", "1", fallback="1", serve="fallback")
    slot.poll(AT)
    assert answering(slot) == ("1", "fallback")


def test_a_version_is_verified_before_it_is_loaded_and_once(slot: Slot, registry: FolderRegistry) -> None:
    for _ in range(3):
        slot.poll(AT)
    assert registry.verified == [("iris", "1")]


def test_the_stand_in_is_ready_before_it_is_needed(slot: Slot, registry: FolderRegistry) -> None:
    registry.point("iris", "1", fallback="2")
    slot.poll(AT)
    slot.warm()
    before = list(registry.verified)
    registry.point("iris", "1", fallback="2", serve="fallback")
    slot.poll(AT)
    assert answering(slot) == ("2", "fallback")
    assert registry.verified == before == [("iris", "1"), ("iris", "2")]


def test_a_stand_in_that_was_tampered_with_is_known_before_it_is_needed(slot: Slot, registry: FolderRegistry) -> None:
    registry.point("iris", "1", fallback="2")
    restore = tamper(registry, "2")
    slot.poll(AT)
    slot.warm()
    assert slot.standby is not None
    assert "differs from its manifest" in slot.standby.short
    restore()


def test_a_tampered_version_never_answers_and_the_old_one_goes_on(
    slot: Slot, registry: FolderRegistry, clock: Time
) -> None:
    slot.poll(AT)
    restore = tamper(registry, "2")
    registry.point("iris", "2")
    slot.poll(AT)
    assert answering(slot) == ("1", "champion")
    assert slot.problem is not None
    assert "version 2 differs from its manifest" in slot.problem.short
    restore()
    clock.now += FIRST_RETRY
    slot.poll(AT)
    assert answering(slot) == ("2", "champion")
    assert slot.problem is None


def test_a_version_that_fails_is_tried_again_later_and_later(slot: Slot, registry: FolderRegistry, clock: Time) -> None:
    registry.point("iris", "9")
    tries = []
    for _ in range(400):
        slot.poll(AT)
        tries.append(len(registry.verified))
        clock.now += 0.5
    assert tries[0] == tries[1] == 1
    assert tries[2] == 2
    assert tries[-1] == 9  # at 0, 1, 3, 7, 15, 31, 63, 123, 183 s of 200


def test_a_move_away_from_a_version_that_fails_is_followed_at_once(slot: Slot, registry: FolderRegistry) -> None:
    registry.point("iris", "9")
    slot.poll(AT)
    registry.point("iris", "2")
    slot.poll(AT)
    assert answering(slot) == ("2", "champion")


@pytest.mark.parametrize("trouble", ["down", "no alias"])
def test_trouble_of_the_registry_leaves_the_old_version_answering(
    slot: Slot, registry: FolderRegistry, trouble: str
) -> None:
    slot.poll(AT)
    registry.down = trouble == "down"
    registry.point("iris", None)
    slot.poll(AT)
    assert answering(slot) == ("1", "champion")
    assert slot.problem is not None
    registry.down = False
    registry.point("iris", "1")
    slot.poll(AT)
    assert slot.problem is None


def test_versions_that_nobody_names_any_more_are_let_go(slot: Slot, registry: FolderRegistry) -> None:
    slot.poll(AT)
    registry.point("iris", "2")
    slot.poll(AT)
    slot.warm()
    registry.point("iris", "1")
    slot.poll(AT)
    assert registry.verified == [("iris", version) for version in ("1", "2", "1")]


def test_the_alias_moves_under_load_and_no_request_fails_or_mixes_versions(
    registry: FolderRegistry, tmp_path: Path
) -> None:
    log, stop, seen, wrong = KeptLog(), threading.Event(), [], []

    def load(url: str) -> None:
        with httpx.Client(base_url=url, trust_env=False) as client:
            while not stop.is_set():
                try:
                    reply = client.post("/invocations", json={"inputs": [ROW]}, timeout=30)
                    version = reply.headers["X-Model-Version"]
                    if reply.status_code != 200 or reply.json()["predictions"] != [ANSWERS[version]]:
                        wrong.append(reply.text)
                    seen.append((version, reply.json()["prediction_ids"][0]))
                except (httpx.HTTPError, KeyError) as error:
                    wrong.append(repr(error))

    with served(app(registry, log, tmp_path, [iris()], poll_seconds=0.1)) as url:
        callers = [threading.Thread(target=load, args=(url,)) for _ in range(6)]
        for caller in callers:
            caller.start()
        try:
            for version in ("2", "1", "2"):
                registry.point("iris", version)
                until = time.monotonic() + 60
                while not seen or seen[-1][0] != version:
                    said = httpx.get(f"{url}/health", trust_env=False, timeout=30).text
                    assert time.monotonic() < until, f"version {version} never answered: {said}"
                    time.sleep(0.05)
        finally:
            stop.set()
            for caller in callers:
                caller.join()
    assert wrong == []
    # stopping the server moved every answer to the log, once, under the version that gave it
    logged = sorted((row["model_version"], row["prediction_id"]) for row in log.rows())
    assert logged == sorted(seen)
