"""The page of one model: the headline, what to do where nobody looked, and a page of bearable size."""

import re
from datetime import timedelta
from typing import Any

import pytest

from plugins.vigil_pages import views
from plugins.vigil_pages.headline import headline
from plugins.vigil_pages.model import About, page
from tests.golden.messages.stories import NIGHT, air, psi
from tests.unit.plugins.shown import MONITOR, incident, night, pending, quiet
from tests.unit.plugins.test_page_templates import Page
from tests.unit.plugins.weeks import MOVED, weeks
from vigil.core.words import Family
from vigil.profiles.row_ledger import Lack, Place, Remainder, RowLedger
from vigil.verdicts.types import Cause, Coverage, NightResult, State, Verdict

FINE = air(0.97, 0.9, 1.04, state=State.OK)
WARNED = air(0.81, 0.75, 0.9, state=State.WARN)
FEW = FINE.model_copy(update={"state": State.UNKNOWN, "cause": Cause.TOO_FEW_ROWS, "subject": "sex=other"})


def html(*results: NightResult, monitor: Any = MONITOR, incidents: Any = (), **about: Any) -> str:
    return views.render("model.html", **page(monitor, results, incidents, About(**{"due": NIGHT, **about})))


def words(*results: NightResult, **more: Any) -> str:
    return Page(html(*results, **more)).words


@pytest.mark.parametrize(
    ("verdicts", "state", "sentence"),
    [
        ((FINE,), "ok", "The one check that can be answered is ok."),
        ((FINE, FINE, pending()), "ok", "All 2 checks that can be answered are ok; 1 check waits for labels."),
        ((FINE, WARNED, pending()), "warn", "1 of 3 checks warns, none breaches: fairness; 1 check waits for labels."),
        (
            (air(0.6, 0.5, 0.7), psi("limit", 0.6), psi("age", 0.6)),
            "breach",
            "3 of 3 checks breach: drift 2×, fairness.",
        ),
        ((FINE, FEW), "unknown", "1 of 2 checks could not be answered: too few rows; nothing else is wrong."),
        ((pending(),), "unknown", "Nothing could be answered yet; 1 check waits for labels."),
        ((pending(overdue=True),), "unknown", "1 of 1 check could not be answered: labels pending."),
        ((), "unknown", "Nothing could be answered yet."),
    ],
)
def test_the_headline_is_one_state_and_one_sentence(verdicts: tuple[Verdict, ...], state: str, sentence: str) -> None:
    told = headline(night(*verdicts), due=NIGHT, dag_id="d")
    assert (told.state, told.sentence, told.late) == (state, sentence, "")


def test_a_night_that_is_missing_is_told_with_what_to_look_at() -> None:
    told = headline(night(FINE), due=NIGHT + timedelta(days=2), dag_id="vigil_nightly__iris").late
    assert "The night of 2026-11-23 should have been judged by now; the newest one is 2026-11-21." in told
    assert "vigil_nightly__iris paused" in told
    assert "should have been judged by now" in words(*quiet(1), due=NIGHT + timedelta(days=2))
    assert "should have been judged by now" not in words(*quiet(1))


def test_a_stranger_finds_every_part_under_a_heading_of_its_own() -> None:
    found = re.findall(r'<h2 id="(\w+)">', html(*weeks()))
    assert found == ["watched", "answers", "rows", "fairness", "performance", "drift", "budgets", "links"]
    assert {link for link in Page(html(*weeks())).links if link.startswith("#")} == {f"#{name}" for name in found}


def test_where_the_rows_went_is_told_with_the_share_of_the_reference_and_no_word_of_the_data_is_markup() -> None:
    lost = Remainder(lack=Lack.GROUP, subject="sex", rows=247, of=800, reference_rows=0, reference_of=2000)
    ledger = RowLedger(
        places={Place.JUDGED: 800, Place.OTHER_ENVIRONMENT: 60}, environments={"<b>prod": 60}, remainders=(lost,),
        yardstick="holdout of version 2",
    )  # fmt: skip
    shown = html(night(FINE).model_copy(update={"row_ledger": ledger}))
    told = Page(shown).words
    assert "of another environment: '<b>prod' (60) 60 7.0%" in told
    assert "without a group (sex) 247 of 800 30.9% 0.0% on the holdout of version 2" in told
    assert "<b>prod" not in shown
    assert "Nobody counted the rows of this night" in words(night(FINE))


def test_every_picture_has_its_numbers_as_a_table() -> None:
    shown = html(*weeks())
    cards = re.findall(r'<div class="chart card">.*?</details>', shown, flags=re.DOTALL)
    assert len(cards) == shown.count('<svg class="line"') == 12 + 4 + 3
    assert all("<details><summary>Numbers" in card and "<th>Night</th>" in card for card in cards)
    moved = next(card for card in cards if f"{MOVED}</strong>" in card)
    assert re.search(r'<td>2026-11-21</td><td data-name="Value" class="num">1\.\d+ sd</td>', moved)
    assert moved.count("<tr>") == 39


def test_no_two_pictures_share_an_id() -> None:
    ids = re.findall(r' id="([^"]+)"', html(*weeks()))
    assert len(ids) == len(set(ids))


def test_a_model_that_was_never_judged_shows_what_will_be_watched_and_how_to_begin() -> None:
    told = words(due=NIGHT)
    assert "Never judged." in told
    assert "vigil backfill credit_scoring --from 2026-10-25 --to 2026-11-21" in told
    assert "unpause the DAG vigil_nightly__credit_scoring" in told
    assert "6 robust sd from its own last 28 nights" in told
    assert '<details open><summary>Every rule in words' in html()  # fmt: skip
    assert '<details open>' not in html(*quiet(1))  # fmt: skip


def test_what_nobody_watches_is_said() -> None:
    rules = MONITOR.rules.model_copy(update={"fairness": (), "performance": (), "drift": ()})
    bare = MONITOR.model_copy(update={"rules": rules, "slos": ()})
    told = words(night(), monitor=bare)
    assert "Nobody watches drift, performance, fairness." in told
    assert "Not watched: no rule asks about a protected group." in told
    assert "Not watched: no rule asks whether the answers are right." in told
    assert "Not watched: no rule asks whether inputs or answers move." in told
    assert "No objective is set" in told


def test_the_page_leads_to_everything_else_about_the_model() -> None:
    found = Page(html(*weeks(), incidents=[incident()], file="credit.yaml", reports=["report.html", "data_docs.html"]))
    night_folder = f"../report/credit_scoring/{NIGHT}"
    assert {f"{night_folder}/report.html", f"{night_folder}/data_docs.html", f"../incident/{incident().id}",
            "../../dags/vigil_nightly__credit_scoring"} <= set(found.links)  # fmt: skip
    assert "monitors/credit.yaml" in found.words


def test_an_open_incident_is_in_the_headline_and_one_that_is_over_is_not() -> None:
    assert "SEV2 incident open since the night of 2026-11-21 : mitigated" in words(*quiet(1), incidents=[incident()])
    over = incident(status="resolved")
    assert "incident open" not in words(*quiet(1), incidents=[over])


def test_settings_of_a_file_that_broke_are_called_the_last_known_ones() -> None:
    assert "The file of this model cannot be loaded" in words(*quiet(1), stale=True)
    assert "cannot be loaded" not in words(*quiet(1))


def test_two_hundred_features_over_sixty_nights_are_a_page_and_not_a_book() -> None:
    features = tuple(f"feature_{n}" for n in range(200))
    results = weeks(nights=60, features=features)
    monitor = MONITOR.model_copy(update={"features": dict.fromkeys(features, "numeric")})
    shown = html(*results, monitor=monitor)
    assert "And 191 more that are calm." in Page(shown).words
    assert "200 ok" in Page(shown).words
    assert "And 100 more that are ok." in Page(shown).words
    assert len(shown) < 400_000


def test_a_night_on_which_everything_broke_is_counted_not_listed_to_the_end() -> None:
    all_bad = [psi(f"f{n}", 0.6) for n in range(500)]
    told = words(night(*all_bad), reports=["report.html"])
    assert "500 of 500 checks breach: drift 500×." in told
    assert "And 470 more that are not ok: all are in the night's report ." in told
    assert len(html(night(*all_bad))) < 200_000


def test_a_family_that_is_hardly_judged_for_a_week_is_told_on_the_first_line() -> None:
    few = Coverage(family=Family.DRIFT, due=12, judged=0, causes={Cause.TOO_FEW_NIGHTS: 12})
    fine = Coverage(family=Family.DRIFT, due=12, judged=12)
    nights = [night(FINE, on=NIGHT - timedelta(days=n), coverage=(few if n < 8 else fine,)) for n in range(9, -1, -1)]
    said = "Blind to drift since 2026-11-14: 0 of 12 questions judged, too few past nights (12)."
    text = words(*nights)
    assert text.index(said) < text.index("The one check that can be answered is ok.")
    assert "Blind to" not in words(*nights[:8])


def test_a_day_of_rest_is_shown_as_one_and_the_charts_stay_those_of_the_nights_before() -> None:
    note = "no service on Saturdays: as `serves:` says"
    rest = night(on=NIGHT + timedelta(days=1), rows=0, versions={}, rest=True, notes=(note,))
    told = headline(rest, due=rest.night, dag_id="d")
    assert (told.state, told.sentence) == ("rest", f"A day of rest, on which nothing is judged: {note}.")
    assert views.square(rest.night, rest).title == f"{rest.night}: {note}"
    past = weeks()
    assert (
        page(MONITOR, [*past, rest], (), About(due=rest.night))["drift"]
        == page(MONITOR, past, (), About(due=NIGHT))["drift"]
    )
    undecided = rest.model_copy(update={"verdicts": (FEW,)})
    assert views.night_state(undecided) == "unknown"
