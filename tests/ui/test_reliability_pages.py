"""The pages in a real Airflow api-server: who may see what, what a report may do, and how they look and feel."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.golden.messages.stories import CREDIT, NIGHT
from tests.ui.airflow_pages import Airflow, running
from tests.ui.reliability_state import made

pytestmark = [pytest.mark.slow, pytest.mark.airflow, pytest.mark.browser]

HOME, IRIS, MODEL = "/vigil/", "/vigil/model/iris", "/vigil/model/credit_scoring"
INCIDENT, REPORT = f"/vigil/incident/{CREDIT}", f"/vigil/report/credit_scoring/{NIGHT}/report.html"
TAB = "/vigil/dag/vigil_nightly__credit_scoring"
PAGES = (HOME, MODEL, IRIS, INCIDENT, "/vigil/dag/vigil_watchdog")
OF_CREDIT = (MODEL, INCIDENT, REPORT)
# set to a folder to keep the screenshots
SHOTS = os.environ.get("VIGIL_SCREENSHOTS")


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("airflow-pages")
    home, state = made(folder)
    with running(folder, home=home, state=state) as started:
        yield started


@pytest.mark.parametrize("path", [*PAGES, REPORT, TAB, "/vigil/model/nobody", "/vigil/incident/nobody"])
def test_nobody_sees_anything_without_a_login(airflow: Airflow, path: str) -> None:
    answer = airflow.get(path, follow=False)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize("path", [HOME, MODEL, REPORT])
def test_a_forged_login_is_none(airflow: Airflow, path: str) -> None:
    assert airflow.get_with(path, token="forged").status_code in (401, 403)


@pytest.mark.parametrize("user", ["admin", "viewer"])
def test_who_may_read_the_dags_sees_every_page(airflow: Airflow, user: str) -> None:
    assert [airflow.get(path, user).status_code for path in (*PAGES, REPORT)] == [200] * 6


def test_who_may_read_one_dag_sees_that_model_alone(airflow: Airflow) -> None:
    home = airflow.get(HOME, "iris_only").text
    assert "model/iris" in home
    assert "credit_scoring" not in home
    assert "churn" not in home
    assert airflow.get(IRIS, "iris_only").status_code == 200
    assert [airflow.get(path, "iris_only").status_code for path in OF_CREDIT] == [403] * 3
    assert "watches no model" in airflow.get(TAB, "iris_only").text


def test_a_user_of_another_team_sees_no_model(airflow: Airflow) -> None:
    assert "you may not see any" in airflow.get(HOME, "outsider").text
    assert [airflow.get(path, "outsider").status_code for path in (IRIS, *OF_CREDIT)] == [403] * 4


def test_prometheus_is_told_of_the_models_that_its_user_may_read_and_of_no_other(airflow: Airflow) -> None:
    assert airflow.get("/vigil/metrics", follow=False).status_code == 401
    answer = airflow.get("/vigil/metrics", "viewer")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'vigil_slo_budget_left_ratio{environment="staging",model="credit_scoring",slo="latency"} 0.97' in answer.text
    assert 'vigil_open_incidents{environment="staging",model="credit_scoring",severity="SEV1"}' in answer.text
    assert "credit_scoring" not in airflow.get("/vigil/metrics", "iris_only").text
    assert "model=" not in airflow.get("/vigil/metrics", "outsider").text


def test_a_models_page_tells_its_budgets_and_the_policy_in_words(airflow: Airflow) -> None:
    text = airflow.get(MODEL, "viewer").text
    assert "A budget is spent: promotions of new versions are frozen" in text
    assert "A post-mortem is required" in text
    assert "At this rate" in text


@pytest.mark.parametrize(
    "path",
    [
        "/vigil/model/nobody",
        "/vigil/incident/20260101-nobody-production",
        f"/vigil/report/nobody/{NIGHT}/report.html",
        f"/vigil/report/credit_scoring/{NIGHT}/nothing.html",
        f"/vigil/report/credit_scoring/{NIGHT}/data_docs.html",  # a report's name, but none was made
        "/vigil/report/credit_scoring/2020-01-01/report.html",
    ],
)
def test_what_does_not_exist_is_said_to_not_exist(airflow: Airflow, path: str) -> None:
    answer = airflow.get(path, "admin")
    assert answer.status_code == 404
    assert "no" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        f"/vigil/report/credit_scoring/{NIGHT}/secret.html",
        f"/vigil/report/credit_scoring/{NIGHT}/..%2f..%2fsecret.html",
        f"/vigil/report/credit_scoring/{NIGHT}/%2e%2e%2f%2e%2e%2fsecret.html",
        f"/vigil/report/credit_scoring/{NIGHT}/..%5c..%5csecret.html",
        f"/vigil/report/credit_scoring/{NIGHT}/report.html%00.html",
        "/vigil/report/credit_scoring/..%2f..%2f/secret.html",
        f"/vigil/report/..%2fcredit_scoring/{NIGHT}/report.html",
        f"/vigil/report/%2e%2e/{NIGHT}/report.html",
        "/vigil/incident/..%2f..%2fmodel%2fcredit_scoring",
        "/vigil/model/..%2fcredit_scoring",
    ],
)
def test_a_path_that_leads_elsewhere_leads_nowhere(airflow: Airflow, path: str) -> None:
    answer = airflow.get(path, "admin")
    assert answer.status_code in (404, 422)
    assert "SECRET" not in answer.text


def test_a_dags_tab_leads_to_its_models_page(airflow: Airflow) -> None:
    answer = airflow.get(TAB, "viewer", follow=False)
    assert (answer.status_code, answer.headers["location"]) == (307, MODEL)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_is_kept_nowhere(airflow: Airflow, path: str) -> None:
    headers = airflow.get(path, "viewer").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_report_is_served_in_a_sandbox_without_an_origin(airflow: Airflow) -> None:
    headers = airflow.get(REPORT, "viewer").headers
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-popups;")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert headers["cache-control"] == "no-store"


def test_airflow_knows_the_pages_and_reports_no_broken_plugin(airflow: Airflow) -> None:
    found = {p["name"]: p for p in airflow.get("/api/v2/plugins", "admin").json()["plugins"]}
    views = {(v["name"], v["destination"]) for v in found["vigil"]["external_views"]}
    assert views == {("Model reliability", "nav"), ("Reliability", "dag")}
    assert airflow.get("/api/v2/plugins/importErrors", "admin").json()["import_errors"] == []


@pytest.fixture(scope="module")
def browser(airflow: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Logged in as a viewer, as Airflow's own login leaves it: a cookie that scripts may read."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"):
        options.add_argument(f"--{flag}")
    options.add_argument("--disable-background-networking")
    options.add_argument("--disable-component-update")
    options.add_argument("--no-proxy-server")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.get(f"{airflow.url}/api/v2/version")
    driver.add_cookie({"name": "_token", "value": airflow.token("viewer"), "path": "/", "httpOnly": False})
    driver.get_log("browser")
    yield driver
    driver.quit()


def shown(browser: webdriver.Chrome, url: str, *, width: int, scheme: str = "light") -> None:
    """The page at a width, in a colour scheme, with everything folded out."""
    metrics: dict[str, Any] = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(url)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def brightness(colour: str) -> int:
    """0 (black) to 765 (white) of an `rgb(...)`."""
    return sum(int(part) for part in colour[4:-1].split(", "))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_screen_in_light_and_dark(
    airflow: Airflow, browser: webdriver.Chrome, path: str, width: int, scheme: str
) -> None:
    shown(browser, airflow.url + path, width=width, scheme=scheme)
    assert browser.find_element(By.TAG_NAME, "h1").is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    style = browser.execute_script("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    ink, ground = map(brightness, style)
    assert abs(ink - ground) > 500
    assert (ground > 600) == (scheme == "light")
    assert browser.title != "owned"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    if SHOTS:
        height = browser.execute_script("return document.documentElement.scrollHeight")
        whole = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", whole)
        browser.save_screenshot(str(Path(SHOTS) / f"{path.strip('/').replace('/', '-')}-{width}-{scheme}.png"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pill_and_square_can_be_read_on_its_own_ground(
    airflow: Airflow, browser: webdriver.Chrome, scheme: str
) -> None:
    shown(browser, airflow.url + HOME, width=1280, scheme=scheme)
    ratios = browser.execute_script(CONTRAST)
    assert {"ok", "warn", "breach", "unknown", "none"} <= set(ratios)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [HOME, MODEL, IRIS, INCIDENT])
def test_every_text_can_be_read_on_its_ground(
    airflow: Airflow, browser: webdriver.Chrome, path: str, scheme: str
) -> None:
    shown(browser, airflow.url + path, width=1280, scheme=scheme)
    texts, faint = browser.execute_script(TEXT_CONTRAST)
    assert texts > 10
    assert faint == []


def test_a_models_page_has_a_heading_for_every_part_and_links_that_jump_there(
    airflow: Airflow, browser: webdriver.Chrome
) -> None:
    shown(browser, airflow.url + MODEL, width=1280)
    heads = [h.text for h in browser.find_elements(By.TAG_NAME, "h2")]
    parts = ["What is watched", "All checks of the night", "Where every row went"]
    parts += ["Fairness by group", "Performance by cohort"]
    assert heads == [*parts, "Drift by feature", "Error budgets", "Links"]
    assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
    for link in browser.find_elements(By.CSS_SELECTOR, "nav.jump a"):
        assert browser.find_elements(By.CSS_SELECTOR, str(link.get_dom_attribute("href")))


@pytest.mark.parametrize("width", [1280, 390])
def test_every_picture_is_named_seen_and_inside_its_card(
    airflow: Airflow, browser: webdriver.Chrome, width: int
) -> None:
    shown(browser, airflow.url + MODEL, width=width)
    pictures = browser.find_elements(By.TAG_NAME, "svg")
    assert len(pictures) > 15
    names = [picture.accessible_name for picture in pictures]
    assert len(set(names)) == len(names)
    assert all(picture.aria_role in ("img", "image") for picture in pictures)
    sizes = [picture.size for picture in pictures]
    assert all(size["width"] >= 240 and size["height"] >= 30 for size in sizes)
    assert browser.execute_script(OUTSIDE) == []


def test_a_chart_is_drawn_in_the_colours_of_the_scheme(airflow: Airflow, browser: webdriver.Chrome) -> None:
    strokes = {}
    for scheme in ("light", "dark"):
        shown(browser, airflow.url + MODEL, width=1280, scheme=scheme)
        curve = browser.find_element(By.CSS_SELECTOR, "path.curve")
        strokes[scheme] = brightness(browser.execute_script("return getComputedStyle(arguments[0]).stroke", curve))
    assert strokes["light"] < 200
    assert strokes["dark"] > 600


def test_on_a_phone_a_table_is_read_downwards_with_the_names_beside_the_values(
    airflow: Airflow, browser: webdriver.Chrome
) -> None:
    shown(browser, airflow.url + INCIDENT, width=390)
    cells = browser.find_elements(By.CSS_SELECTOR, "table tr:nth-child(2) td")
    assert len({cell.location["x"] for cell in cells}) == 1
    name = browser.execute_script("return getComputedStyle(arguments[0], '::before').content", cells[1])
    assert "Rows" in name
    shown(browser, airflow.url + INCIDENT, width=1280)
    cells = browser.find_elements(By.CSS_SELECTOR, "table tr:nth-child(2) td")
    assert len({cell.location["y"] for cell in cells}) == 1


@pytest.mark.parametrize("path", [HOME, MODEL, INCIDENT])
def test_the_keyboard_reaches_every_link_and_shows_where_it_is(
    airflow: Airflow, browser: webdriver.Chrome, path: str
) -> None:
    shown(browser, airflow.url + path, width=1280)
    wanted = browser.execute_script(REACHABLE)
    reached = []
    for _ in wanted:
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        reached.append(focused)
        assert focused.value_of_css_property("outline-style") == "solid"
    assert reached == wanted


def test_a_report_with_scripts_of_others_can_do_nothing_as_its_reader(
    airflow: Airflow, browser: webdriver.Chrome
) -> None:
    shown(browser, airflow.url + REPORT, width=1280)
    WebDriverWait(browser, 20).until(lambda b: b.find_element(By.ID, "api").text)
    said = {name: browser.find_element(By.ID, name).text for name in ("cookie", "api")}
    assert said == {"cookie": "SecurityError", "api": "TypeError"}
    browser.get_log("browser")


def test_the_pages_open_from_airflows_own_navigation(airflow: Airflow, browser: webdriver.Chrome) -> None:
    shown(browser, f"{airflow.url}/plugin/model-reliability", width=1280)
    frame = WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.TAG_NAME, "iframe"))[0]
    browser.switch_to.frame(frame)
    try:
        WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.LINK_TEXT, "iris"))[0].click()
        WebDriverWait(browser, 20).until(lambda b: b.find_element(By.TAG_NAME, "h1").text == "iris")
    finally:
        browser.switch_to.default_content()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_as_light_or_dark_as_the_airflow_around_them(
    airflow: Airflow, browser: webdriver.Chrome, theme: str
) -> None:
    """A person chooses a theme in Airflow; no script on the page could read it, but its frame hands it down."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})  # a browser that is light by itself
    browser.get(f"{airflow.url}{IRIS}")
    browser.execute_script("localStorage.setItem('theme', arguments[0])", theme)
    try:
        browser.get(f"{airflow.url}/plugin/model-reliability")
        frame = WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.TAG_NAME, "iframe"))[0]
        browser.switch_to.frame(frame)
        WebDriverWait(browser, 20).until(lambda b: b.find_elements(By.TAG_NAME, "h1"))
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (brightness(ground) > 600) == (theme == "light")
    finally:
        browser.switch_to.default_content()
        browser.execute_script("localStorage.removeItem('theme')")


# links, what folds out, and what scrolls by itself
REACHABLE = """
return [...document.querySelectorAll("a[href], summary, .scroll")].filter(
  e => !e.matches(".scroll") || (e.scrollWidth > e.clientWidth && !e.querySelector("a[href]")));
"""
# whatever is drawn or written wider than the card that it is in
OUTSIDE = """
return [...document.querySelectorAll(".card *, .group *")].filter(e => {
  const card = e.closest(".card, .group").getBoundingClientRect(), box = e.getBoundingClientRect();
  return box.width > 1 && (box.right > card.right + 1 || box.left < card.left - 1) && !e.closest(".scroll");
}).map(e => e.outerHTML.slice(0, 200));
"""
LIGHT = """
function light(colour) {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
}
function ratio(a, b) { [a, b] = [light(a), light(b)]; return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }
"""  # noqa: E501
TEXT_CONTRAST = (
    LIGHT
    + """
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
let count = 0;
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !e.getClientRects().length || e.closest("title, desc, .unseen")) continue;
  let ground = e;
  while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
  const of = ratio(getComputedStyle(e).color, getComputedStyle(ground || document.body).backgroundColor);
  count += 1;
  if (of < 4.5) faint.push([walk.currentNode.data.slice(0, 60), of]);
}
return [count, faint];
"""
)
CONTRAST = (
    LIGHT
    + """
const found = {};
for (const e of document.querySelectorAll(".pill, .cell")) {
  const s = getComputedStyle(e), of = ratio(s.color, s.backgroundColor);
  const name = ["ok", "warn", "breach", "unknown", "none"].find(n => e.classList.contains(n));
  found[name] = Math.min(found[name] ?? 99, of);
}
return found;
"""
)
