"""What the pages show, from results: squares, budgets, verdicts, the timeline."""

import doctest
from datetime import timedelta

import pytest

from plugins.vigil_pages import views
from plugins.vigil_pages.timeline import timeline
from tests.golden.messages.stories import NIGHT, air, assessed, finding, psi
from tests.unit.plugins.shown import MONITOR, incident, night, pending, quiet, spent, told
from vigil.core.words import Family, Mitigation
from vigil.incidents.types import Replay, Severity
from vigil.metrics.types import Measurement
from vigil.verdicts.types import State


def test_a_row_shows_the_last_four_weeks_oldest_first_and_gaps_are_seen() -> None:
    results = [r for r in quiet(40) if r.night != NIGHT - timedelta(days=2)]
    line = views.row(MONITOR, results, [], last=NIGHT)
    assert [s.night for s in line.squares] == [NIGHT - timedelta(days=n) for n in range(27, -1, -1)]
    assert [s.state for s in line.squares[-4:]] == ["ok", "none", "ok", "ok"]
    assert line.squares[-3].title == "2026-11-19: not judged"
    assert line.last == "newest 2026-11-21: 1 ok"


def test_a_model_that_was_never_judged_says_what_to_do() -> None:
    line = views.row(MONITOR, [], [], last=NIGHT)
    assert {s.state for s in line.squares} == {"none"}
    assert "vigil backfill" in line.last
    assert (line.incident, line.budgets) == (None, ())


def test_a_row_leads_to_the_incident_of_its_own_environment_only() -> None:
    mine, other = incident(), incident(environment="production", id="20261121-credit-scoring-production")
    assert views.row(MONITOR, quiet(1), [other, mine], last=NIGHT).incident == mine.id
    assert views.row(MONITOR, quiet(1), [other], last=NIGHT).incident is None


def test_a_night_is_as_bad_as_its_worst_verdict() -> None:
    fine, bad = air(0.97, 0.9, 1.0, state=State.OK), air(0.61, 0.55, 0.68)
    warned = air(0.81, 0.75, 0.9, state=State.WARN)
    assert views.night_state(night(fine, warned)) == "warn"
    assert views.night_state(night(fine, bad, warned)) == "breach"


def test_labels_that_are_not_due_do_not_colour_a_night_but_overdue_ones_do() -> None:
    fine = air(0.97, 0.9, 1.0, state=State.OK)
    assert views.night_state(night(fine, pending())) == "ok"
    assert views.night_state(night(fine, pending(overdue=True))) == "unknown"
    assert views.night_state(night(pending())) == "unknown"


def test_a_square_says_in_words_what_its_colour_says() -> None:
    square = views.square(NIGHT, night(air(0.61, 0.55, 0.68), psi("limit", 0.6), pending()))
    assert (square.state, square.sign) == ("breach", "✕")
    assert square.title == "2026-11-21: 2 breach, 1 unknown"


def test_every_state_has_its_own_sign() -> None:
    assert len({views.SIGN[s.value] for s in State} | {views.SIGN["none"]}) == 5


@pytest.mark.parametrize(
    ("budget", "words", "state"),
    [
        (spent(1.0, 1.0), "100 % of the budget left: 100 % good, target 99 %, 28 nights", "ok"),
        (spent(0.99999, 0.9999), "99 % of the budget left: 99.99 % good, target 99 %, 28 nights", "ok"),
        (spent(0.993, 0.3), "30 % of the budget left: 99.3 % good, target 99 %, 28 nights", "warn"),
        (spent(0.95, -4.0), "0 % of the budget left: 95 % good, target 99 %, 28 nights", "breach"),
        (spent(None, None), "not counted yet", "unknown"),
    ],
)
def test_a_budget_in_words_never_promises_more_than_there_is(budget: object, words: str, state: str) -> None:
    assert views.budget_words(budget) == ("availability", words, state)  # type: ignore[arg-type]


def test_availability_from_the_models_own_log_says_so() -> None:
    assert views.budget_words(spent(1.0, 1.0, of_logged=True))[1].endswith(", of logged requests")


def test_families_come_in_one_order_and_the_worst_verdict_first() -> None:
    found = views.families(night(air(0.97, 0.9, 1.0, state=State.OK), psi("limit", 0.6), air(0.61, 0.55, 0.68)))
    assert [f.family for f in found] == ["drift", "fairness"]
    assert [v["state"] for v in (*found[1].loud, *found[1].quiet)] == ["breach", "ok"]
    assert views.families(None) == []


def test_a_verdicts_cells_carry_value_interval_rows_and_yardstick() -> None:
    row = views.verdict_row(air(0.61, 0.55, 0.68))
    cells = [row[k] for k in ("sign", "value", "interval", "n", "baseline", "limit")]
    assert cells == ["✕", "0.61", "0.55 to 0.68", "1,204", "0.97", "< 0.8"]


def test_an_interval_says_its_unit_once() -> None:
    found = psi("limit", 0.6).measurement
    assert isinstance(found, Measurement)
    shown = [
        views.interval(found.model_copy(update={"low": low, "high": high, "unit": unit}))
        for low, high, unit in (
            (0.0, 0.0434, "nats"),
            (0.989, 1.0, "share"),
            (900, 12000, "rows"),
            (None, None, "nats"),
        )
    ]
    assert shown == ["0 to 0.0434 nats", "98.9 to 100 %", "900 to 12,000 rows", ""]


def test_a_question_that_could_not_be_measured_has_empty_cells_not_zeros() -> None:
    row = views.verdict_row(pending())
    assert [row[k] for k in ("value", "interval", "n", "baseline")] == ["", "", "", ""]


def test_a_timeline_tells_the_events_in_words() -> None:
    two, whole = finding(Family.DRIFT, psi("age", 0.4), psi("income", 0.4)), assessed(Severity.SEV2)
    replay = Replay(night=NIGHT, versions=(), mitigation=Mitigation.FALLBACK, why="the rules do not breach")
    events = [
        told("opened", "02:07:31", night="2026-11-21", monitor="credit", environment="staging",
             signals=[s.model_dump(mode="json") for s in two.signals], assessment=whole.model_dump(mode="json")),
        told("replayed", "02:08:00", replay=replay.model_dump(mode="json")),
        told("mitigation_done", "02:09:00", mitigation="fallback", **{"from": "3", "to": "1", "by": "vigil"}),
        told("held", "02:10:00", why="evidence first", by="gil"),
        told("good_night", "02:11:00", night="2026-11-22", version="3", rows=2410),
    ]  # fmt: skip
    assert [f"{e['what']}: {e['more']}" for e in timeline(events)] == [
        "Incident opened: night of 2026-11-21: 2 signals",
        "The night was replayed with other versions: the rules do not breach",
        "Mitigated: fallback from version 3 to 1 by vigil",
        "Held: nothing changes automatically: evidence first (gil)",
        "A good night: night of 2026-11-22, version 3, 2,410 rows",
    ]
    assert timeline(events)[0]["at"] == "2026-11-22 02:07:31 UTC"


def test_receipts_of_one_minute_are_one_line_and_those_of_the_next_another() -> None:
    events = [
        told("receipt", "02:09:01", action="a", kind="open_room"),
        told("receipt", "02:09:40", action="b", kind="post"),
        told("receipt", "02:10:01", action="c", kind="mitigate"),
        told("acknowledged", "02:10:20", by="ben"),
        told("receipt", "02:10:30", action="d", kind="update_room"),
    ]
    shown = [e["more"] for e in timeline(events)]
    assert shown == [
        "war room opened, message sent",
        "handed to the rollback DAG",
        "ben",
        "summary in the room updated",
    ]


def test_an_event_of_a_later_release_is_still_told() -> None:
    assert timeline([told("evidence_exported", to=1)])[0]["what"] == "Evidence exported"


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(views).failed == 0
