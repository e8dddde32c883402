"""The emulator's page in a real browser, at desktop and phone width, in light and dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.contracts.test_notifier_contract import CLOCK
from tests.golden.messages.stories import credit_facts, credit_fallback, event, iris
from tests.slack_emulator import Emulator, emulator
from vigil.adapters.slack import SlackNotifier
from vigil.responses.messages import room_for, update_message
from vigil.responses.types import Announcement, Message
from vigil.testing import MemoryOutbox

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def tell_stories(running: Emulator) -> None:
    """Two rooms, a digest, and a hostile message."""
    notifier = SlackNotifier(
        token="xoxb-test-token", base_url=running.api, outbox=MemoryOutbox(), clock=CLOCK, sleep=lambda _: None
    )
    notifier.open_room("i1", room_for(*iris()))
    incident, facts = credit_fallback()
    reference = notifier.open_room("c1", room_for(incident, facts)).reference
    assert incident.replay is not None
    done = {"mitigation": "fallback", "from": "3", "to": "1", "automatic": True}
    for number, told in enumerate(
        (
            event("replayed", replay=incident.replay.model_dump(mode="json")),
            event("mitigation_done", **done, verified=True, how="the gateway answers with version 1 as fallback"),
        )
    ):
        message = update_message(incident, credit_facts(), Announcement(what=told.type, sequence=7), (told,))
        notifier.post(f"p{number}", reference["channel"], message)
    notifier.update_room("u1", reference, room_for(incident, facts))
    notifier.post("h1", "#ml-incidents", Message(text="raw <script>document.title='owned'</script> " + "x" * 400))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("slack-page")) as started:
        tell_stories(started)
        yield started


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
        options.add_argument(f"--{flag}")
    options.add_argument("--disable-background-networking")
    options.add_argument("--disable-component-update")
    options.add_argument("--no-proxy-server")
    options.add_argument(f"--user-data-dir={tmp_path}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def sized(browser: webdriver.Chrome, width: int) -> None:
    metrics: dict[str, Any] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_war_room_can_be_read_at_any_width(running: Emulator, browser: webdriver.Chrome, width: int) -> None:
    sized(browser, width)
    for channel in running.channels().values():
        browser.get(f"{running.url}/archives/{channel['id']}")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"#{channel['name']} scrolls sideways"
        assert browser.find_element(By.TAG_NAME, "h1").is_displayed()
    assert browser.title != "owned"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_pinned_summary_stands_above_the_talk(running: Emulator, browser: webdriver.Chrome) -> None:
    sized(browser, 1280)
    room = running.channels()["inc-20261121-credit-scoring-fairness"]
    browser.get(f"{running.url}/archives/{room['id']}")
    pinned = browser.find_element(By.CLASS_NAME, "pinned")
    assert "What broke" in pinned.text
    assert "0.61 [0.55, 0.68], n = 1,204" in pinned.text
    first = browser.find_element(By.TAG_NAME, "article")
    assert pinned.location["y"] < first.location["y"]
    members = browser.find_element(By.CLASS_NAME, "members").text
    assert "Ana Silva Model owner" in members


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(running: Emulator, browser: webdriver.Chrome, scheme: str) -> None:
    sized(browser, 1280)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(running.url)
    shades = [
        sum(int(part) for part in browser.execute_script(script)[4:-1].split(", "))
        for script in (
            "return getComputedStyle(document.body).color",
            "return getComputedStyle(document.body).backgroundColor",
        )
    ]
    assert abs(shades[0] - shades[1]) > 500
    assert (shades[1] > 600) == (scheme == "light")
