"""The templates: text stays text, and an empty page says what to do."""

import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest

from plugins.vigil_pages import views
from plugins.vigil_pages.model import About, page
from plugins.vigil_pages.timeline import timeline
from tests.golden.messages.stories import NIGHT, air, psi
from tests.unit.plugins.shown import HOSTILE, MONITOR, hostile, incident, night, quiet, spent, told
from vigil.incidents.types import Clue, Incident
from vigil.verdicts.limits import Limit
from vigil.verdicts.types import State


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if (tag, name) == ("a", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def home(**changes: Any) -> str:
    values: dict[str, Any] = {
        "rows": [],
        "open": [],
        "recent": [],
        "broken": {},
        "never": [],
        "hidden": False,
        "late": {},
        "standing": [],
    }
    values["signs"] = views.SIGN
    return views.render("home.html", **{**values, **changes})


def model(
    monitor: Any = MONITOR, *results: Any, incidents: tuple[Incident, ...] = (), due: date = NIGHT, **about: Any
) -> str:
    return views.render("model.html", **page(monitor, results, incidents, About(due=due, **about)))


def of_incident(found: Incident, *events: Any, report: bool = False) -> str:
    values = {"monitor": MONITOR, "night": NIGHT, "report": report, "row": views.verdict_row}
    return views.render("incident.html", incident=found, timeline=timeline(events), **values)


def poisoned() -> dict[str, str]:
    """Every page with the hostile text wherever a person, a file, a model or Slack could have written it."""
    bad = air(0.61, 0.55, 0.68).model_copy(update={"reason": HOSTILE, "subject": HOSTILE, "metric": HOSTILE})
    fine = bad.model_copy(
        update={"state": State.OK, "limit": Limit(kind="expectation", severity=HOSTILE), "would_see": HOSTILE}
    )
    told_of = [
        told("replayed", replay={"night": "2026-11-21", "versions": [], "mitigation": "none", "why": HOSTILE}),
        told("acknowledged", by=HOSTILE),
        told("held", why=HOSTILE, by=HOSTILE),
        told(HOSTILE),
        told("receipt", action="post-1", kind=HOSTILE),
    ]
    whole = incident()
    assert whole.replay is not None
    finding = whole.findings[1]
    signal = finding.signals[0].model_copy(update={"verdict": bad})
    version = whole.replay.versions[0].model_copy(update={"why": HOSTILE, "version": HOSTILE})
    evil = whole.model_copy(
        update={
            "findings": (finding.model_copy(update={"signals": (signal,)}),),
            "replay": whole.replay.model_copy(update={"why": HOSTILE, "versions": (version,)}),
            "room": {"name": HOSTILE, "url": "javascript:alert(1)"},
            "clues": (Clue(text=HOSTILE),),
            "acknowledged_by": HOSTILE,
            "mitigation_target": HOSTILE,
            "assessment": whole.assessment and whole.assessment.model_copy(update={"reasons": (HOSTILE,)}),
        }
    )
    result = night(bad, fine, notes=(HOSTILE,), versions={HOSTILE: 1}, budgets=(spent(1.0, 1.0, slo=HOSTILE),))
    line = views.row(hostile(MONITOR), [result], [], last=NIGHT)
    return {
        "home": home(rows=[line], open=[evil], recent=[evil], broken={HOSTILE: HOSTILE}),
        "model": model(hostile(MONITOR), result, incidents=(evil,), file=HOSTILE),
        "incident": of_incident(evil, *told_of),
        "nothing": views.render("nothing.html", dag_id=HOSTILE),
    }


@pytest.mark.parametrize("name", ["home", "model", "incident", "nothing"])
def test_text_of_others_stays_text(name: str) -> None:
    html = poisoned()[name]
    page = Page(html)
    assert HOSTILE in page.text
    assert {"script", "img", "iframe"} & set(page.tags) == set()
    assert "<!channel>" not in html
    assert [a for a in page.attributes if a.startswith("on")] == []
    assert [link for link in page.links if "javascript" in link.lower()] == []


def test_without_monitors_the_home_page_says_how_to_begin() -> None:
    words = Page(home()).words
    assert "No model is watched yet." in words
    for step in ("vigil init NAME --log PATH", "docs/add-a-model.md", "vigil lint --data", "unpause its DAG"):
        assert step in words
    assert "None." in words
    assert "no breach that is still open" not in words  # nothing is watched: nothing can be promised


def test_who_may_see_no_model_is_told_so_and_not_to_begin_anew() -> None:
    words = Page(home(hidden=True)).words
    assert "There are models, but you may not see any." in words
    assert "vigil init" not in words


def test_a_model_that_was_never_judged_comes_with_the_command_that_judges_it() -> None:
    row = views.row(MONITOR, [], [], last=NIGHT)
    page = Page(home(rows=[row], never=[views.unjudged(MONITOR, NIGHT)]))
    assert "One model was never judged." in page.words
    assert "vigil backfill credit_scoring --from 2026-10-25 --to 2026-11-21" in page.words
    assert "../dags/vigil_nightly__credit_scoring" in page.links


def test_a_model_without_nights_says_how_it_is_judged() -> None:
    words = Page(model()).words
    assert "Never judged." in words
    assert "vigil backfill credit_scoring" in words
    assert "vigil_nightly__credit_scoring" in words


def test_a_model_whose_night_is_missing_is_told_on_the_home_page() -> None:
    row = views.row(MONITOR, quiet(3), [], last=NIGHT)
    assert (
        "? not judged the night is missing"
        in Page(home(rows=[row], late={MONITOR.model: "the night is missing"})).words
    )
    assert "? not judged" not in Page(home(rows=[row], late={MONITOR.model: ""})).words


def test_a_file_that_cannot_be_loaded_is_shown_with_its_own_error() -> None:
    words = Page(home(broken={"iris.yaml": "monitors/iris.yaml:4: task: 'multiclas' is no task"})).words
    assert "not watched A monitor's file cannot be loaded. Correct it, and check with vigil lint" in words
    assert "monitors/iris.yaml:4: task: 'multiclas' is no task" in words


def test_an_open_incident_leads_to_its_page_and_says_since_when() -> None:
    page = Page(home(rows=[views.row(MONITOR, quiet(3), [incident()], last=NIGHT)], open=[incident()]))
    assert page.links.count(f"incident/{incident().id}") == 2
    assert "SEV2 credit_scoring (staging) mitigated since the night of 2026-11-21" in page.words


def test_what_is_not_ok_is_read_without_opening_anything() -> None:
    bad = air(0.61, 0.55, 0.68).model_copy(update={"reason": "women are denied"})
    html = model(MONITOR, night(bad, air(0.97, 0.9, 1.0, state=State.OK), psi("limit", 0.6)))
    folded = re.findall(r"<details>.*?</details>", html, flags=re.DOTALL)
    assert "women are denied" in re.sub(r"<details>.*?</details>", "", html, flags=re.DOTALL)
    assert [d for d in folded if "1 ok" in d]


def test_an_incident_tells_what_broke_what_would_have_helped_and_what_was_done() -> None:
    words = Page(of_incident(incident(), report=True)).words
    assert "Version 2 (previous) 2,410 no it stays" in words
    assert "Version 1 (fallback) 2,410 yes gone" in words
    assert "Decided: fallback to version 1 : version 2 breaches" in words
    assert "Fallback to version 1." in words
    assert "Report of 2026-11-21" in words


def test_a_report_is_linked_only_where_there_is_one() -> None:
    assert not [link for link in Page(of_incident(incident())).links if "report" in link]
    assert f"../report/credit_scoring/{NIGHT}/report.html" in Page(of_incident(incident(), report=True)).links
    assert (
        f"../report/credit_scoring/{NIGHT}/report.html"
        in Page(model(MONITOR, *quiet(1), reports=["report.html"])).links
    )


def test_a_dag_that_watches_no_model_says_so() -> None:
    page = Page(views.render("nothing.html", dag_id="vigil_watchdog"))
    assert "The DAG vigil_watchdog watches no model." in page.words
    assert page.links == ["../"]


def test_good_nights_are_counted_on_the_incidents_page() -> None:
    words = Page(of_incident(incident(good_nights=(date(2026, 11, 22), date(2026, 11, 23))))).words
    assert "Good nights since: 2026-11-22, 2026-11-23." in words
