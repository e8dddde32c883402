"""Charts: what is drawn, what is told to who does not see it, and that names stay names."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from plugins.vigil_pages import charts, trends
from plugins.vigil_pages.drift import MOST, drift
from plugins.vigil_pages.groups import MOST_GROUPS, fairness
from plugins.vigil_pages.trends import Line, Point, Trend
from tests.golden.messages.stories import NIGHT, air
from tests.unit.plugins.shown import HOSTILE, MONITOR, night
from tests.unit.plugins.weeks import MOVED, NOT_JUDGED, judged, measured, weeks
from vigil.core.words import Family
from vigil.verdicts.history import distance
from vigil.verdicts.types import Cause, NightResult, Rule, State, Verdict

WEEKS = weeks()


def points(*values: float | None, state: str = "ok") -> tuple[Point, ...]:
    first = NIGHT - timedelta(days=len(values) - 1)
    return tuple(Point(first + timedelta(days=n), v, state=state) for n, v in enumerate(values))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def paths(svg: str, name: str) -> list[str]:
    return [e.attrib["d"] for e in parsed(svg).iter("path") if name in e.attrib["class"].split()]


def test_hostile_names_stay_text_in_every_part_of_a_chart() -> None:
    line = Line(0.5, "breach", HOSTILE)
    trend = Trend(HOSTILE, HOSTILE, HOSTILE, points(0.1, 0.9), limits=(HOSTILE,), lines=(line,), now=HOSTILE)
    bad = air(0.6, 0.5, 0.7).model_copy(update={"subject": HOSTILE, "reason": HOSTILE})
    measure = fairness(MONITOR, [night(bad)])[0]
    for svg in (charts.curve(trend, key="a"), charts.dot(measure, measure.groups[0], key="b")):
        found = {e.tag for e in parsed(svg).iter()}
        assert found <= {"svg", "title", "desc", "path", "rect", "text"}
        assert "<script" not in svg
        assert HOSTILE in "".join(parsed(svg).itertext())


def test_a_curve_is_told_in_words_to_who_does_not_see_it() -> None:
    trend = next(t for t in drift(MONITOR, WEEKS).shown if t.name == MOVED)
    svg = parsed(charts.curve(trend, key="k"))
    assert svg.attrib["role"] == "img"
    title, desc = svg.find("title"), svg.find("desc")
    assert title is not None
    assert desc is not None
    assert svg.attrib["aria-labelledby"] == f"{title.attrib['id']} {desc.attrib['id']}"
    assert title.text == "repayment_status_sep, mean_shift"
    assert str(desc.text).startswith("39 nights, 2026-10-13 to 2026-11-21; from ")
    assert "breach on 2026-11-19, 2026-11-20, 2026-11-21" in str(desc.text)


@pytest.mark.parametrize("state", ["ok", "warn", "breach"])
def test_a_state_is_a_shape_and_not_only_a_colour(state: str) -> None:
    corners = {"ok": ("a4 4", 2), "warn": ("l5 9h-10z", 1), "breach": ("h8v8h-8z", 1)}
    signs = paths(charts.curve(Trend("x", "m", "sd", points(0.1, 0.2, state=state)), key="k"), state)
    assert {s: signs[-1].count(corner) for s, (corner, _) in corners.items()} == {
        s: times if s == state else 0 for s, (_, times) in corners.items()
    }


def test_a_night_that_nobody_judged_is_a_gap_in_the_curve() -> None:
    whole = charts.curve(Trend("x", "m", "sd", points(0.1, 0.2, 0.3)), key="k")
    null = charts.curve(Trend("x", "m", "sd", points(0.1, None, 0.3)), key="k")
    gone = charts.curve(Trend("x", "m", "sd", (*points(0.1, 0.2, 0.3)[:1], *points(0.1, 0.2, 0.3)[2:])), key="k")
    assert [paths(svg, "curve")[0].count("M") for svg in (whole, null, gone)] == [1, 2, 2]


def test_a_curve_without_one_number_is_not_drawn() -> None:
    assert charts.curve(Trend("x", "m", "sd", points(None, None)), key="k") == ""


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0), (5.0,), (1e-9, 2e-9), (-1e12, 1e12)])
def test_flat_single_tiny_and_huge_series_are_drawn_inside_the_picture(values: tuple[float, ...]) -> None:
    d = paths(charts.curve(Trend("x", "m", "sd", points(*values)), key="k"), "curve")[0]
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", d)]
    assert all(0 <= y <= charts.HEIGHT for y in heights)


def test_the_limit_of_a_question_without_a_usual_range_is_always_in_the_picture() -> None:
    far = Trend("x", "m", "sd", points(0.01, 0.02), lines=(Line(1.0, "breach", "beyond ±1 sd"),))
    assert len(paths(charts.curve(far, key="k"), "limit")) == 1


def test_a_budget_that_is_far_overspent_still_shows_its_way_down() -> None:
    deep = Trend("slo", "budget left", "share", points(1.0, 0.5, -40.0), least=0.0, most=1.0, lowest=-0.5)
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", paths(charts.curve(deep, key="k"), "curve")[0])]
    assert heights[1] - heights[0] > 20
    assert heights[2] <= charts.HEIGHT


def test_the_worst_feature_of_the_newest_night_comes_first() -> None:
    found = drift(MONITOR, WEEKS)
    assert [(t.name, t.state) for t in found.shown[:2]] == [(MOVED, "breach"), ("The answers", "warn")]
    assert {t.state for t in found.shown[2:]} == {"ok"}
    assert len(found.shown) == MOST
    assert found.more == (("ok", 4),)


def test_features_that_are_not_shown_and_not_calm_are_counted_by_state() -> None:
    more = [Verdict(metric="psi", subject=f"f{n}", family=Family.DRIFT, state=state, reason="r",
                    measurement=measured("psi", f"f{n}", 0.3))
            for n, state in enumerate([State.BREACH] * 14 + [State.UNKNOWN] * 2 + [State.OK])]  # fmt: skip
    found = drift(MONITOR, [night(*more)])
    assert {t.state for t in found.shown} == {"breach"}
    assert found.more == (("breach", 2), ("unknown", 2), ("ok", 1))


def test_what_is_usual_is_what_the_judge_calls_usual() -> None:
    calm = next(t for t in drift(MONITOR, WEEKS).shown if t.metric == "mean_shift" and t.state == "ok")
    question = f"mean_shift/{calm.name}"
    series = [m for _, m in trends.collect(WEEKS, {question})[question]]
    found = distance(series[-1], series[:-1], sigma=6, nights=28, floor=0.2)
    assert found is not None
    room = max(6 * found.scale, 0.2)
    assert calm.usual == pytest.approx((found.centre - room, found.centre + room))


def test_a_number_that_is_far_away_does_not_widen_what_is_usual_by_its_own_interval() -> None:
    far = judged(measured("mean_shift", MOVED, 4240.0, spread=400.0), State.BREACH)
    rest = [v for v in WEEKS[-1].verdicts if v.id != far.id]
    trend = drift(MONITOR, [*WEEKS[:-1], night(far, *rest)]).shown[0]
    assert (trend.name, trend.now) == (MOVED, "4,240 sd (3,840 to 4,640 sd)")
    assert trend.usual is not None
    assert all(abs(end or 0.0) < 1 for end in trend.usual)


def test_a_limit_that_was_computed_is_rounded_and_one_that_was_written_is_not() -> None:
    found = measured("auc", "all", 0.98).model_copy(update={"baseline": 0.9776907001})
    rules = [Rule(metric="auc", holdout=-0.08), Rule.model_validate({"metric": "auc", "breach": "< 0.87654321"})]
    assert [line.label for line in trends.limit_lines(rules, found)] == ["below 0.898", "below 0.87654321"]


def test_nights_of_an_incident_do_not_move_what_is_usual() -> None:
    nights = [r.night for r in WEEKS[-5:-1]]
    name = f"mean_shift/{MOVED}"
    told = drift(MONITOR, WEEKS, nights).shown[0], drift(MONITOR, [*WEEKS[:-5], WEEKS[-1]]).shown[0]
    assert told[0].metric in name
    assert told[0].usual == told[1].usual


def test_a_feature_that_was_null_one_night_has_no_value_there() -> None:
    first = next(iter(MONITOR.features))
    series = trends.collect(WEEKS, {f"mean_shift/{first}"})[f"mean_shift/{first}"]
    assert [p.value for p, _ in series].count(None) == 1


def test_a_figure_of_few_labels_is_not_drawn_as_if_it_were_known() -> None:
    auc = trends.performance(MONITOR, WEEKS)[0]
    assert [p.value is None for p in auc.points[-8:]] == [False] + [True] * 7
    assert "cohort of 2026-11-14" in auc.now
    assert "was 0.77 on the holdout of version 3" in auc.limits
    assert "limit below 0.72" in auc.limits


def test_how_many_labels_have_come_is_shown_beside_the_figures() -> None:
    coverage = trends.performance(MONITOR, WEEKS)[-1]
    assert (coverage.name, coverage.points[-1].value) == ("Known labels", 0.0)
    assert coverage.now == "0 % of the newest night; newest night with enough: 2026-11-13"
    assert coverage.limits == ("80 % are enough",)


def test_a_cohort_of_which_nothing_is_known_yet_says_so() -> None:
    auc = trends.performance(MONITOR, WEEKS[-3:])[0]
    assert auc.now == "no cohort has enough labels yet"
    assert charts.curve(auc, key="k") == ""


def test_a_model_without_labels_or_rules_about_them_has_no_performance() -> None:
    assert trends.performance(MONITOR.model_copy(update={"rules": MONITOR.rules.model_copy(
        update={"performance": ()})}), [night(air(0.9, 0.8, 1.0))]) == []  # fmt: skip


def test_budgets_are_those_of_the_newest_night_with_their_burn_in_words() -> None:
    found = {t.name: t for t in trends.budgets(WEEKS)}
    assert list(found) == ["availability", "latency", "fair-nights"]
    assert len(found["latency"].points) == len(WEEKS)
    assert found["fair-nights"].now == "burn level fast: tonight 7 times as fast as the target allows, or more"
    assert trends.budgets([]) == []


def test_every_group_has_its_number_interval_rows_and_bound() -> None:
    ratio = fairness(MONITOR, WEEKS)[0]
    assert (ratio.metric, ratio.says, ratio.limits) == (
        "selection_rate_ratio",
        "adverse impact ratio of a group",
        ("below 0.8",),
    )
    worst = ratio.groups[0]
    assert (worst.name, worst.state) == ("sex=female", "breach")
    assert re.fullmatch(r"0\.6\d* \(0\.5\d* to 0\.\d+\)", worst.words)
    assert worst.detail == "1,204 rows; was 0.97 on the holdout of version 3"
    svg = charts.dot(ratio, worst, key="k")
    assert [e.text for e in parsed(svg).iter("text")] == ["below 0.8", "equal"]


def test_a_fairness_measure_that_waits_for_labels_shows_the_newest_night_that_has_them() -> None:
    gap = fairness(MONITOR, WEEKS)[1]
    assert {g.state for g in gap.groups} == {"ok"}
    assert gap.groups[0].detail.startswith("night of 2026-11-14, the newest with labels; 410 rows")


def test_a_group_without_a_number_says_why_and_is_not_drawn() -> None:
    few = air(0.6, 0.5, 0.7).model_copy(
        update={"measurement": None, "state": State.UNKNOWN, "cause": Cause.TOO_FEW_ROWS, "reason": "3 rows only"}
    )
    measure = fairness(MONITOR, [night(few)])[0]
    assert measure.groups[0].words == "3 rows only"
    assert charts.dot(measure, measure.groups[0], key="k") == ""


def test_many_groups_are_counted_not_all_drawn() -> None:
    many = [air(0.9, 0.85, 0.95, state=State.OK).model_copy(update={"subject": f"zip={n}"}) for n in range(50)]
    measure = fairness(MONITOR, [night(*many)])[0]
    assert (len(measure.groups), measure.more) == (MOST_GROUPS, (("ok", 50 - MOST_GROUPS),))


def test_without_a_night_nothing_is_drawn() -> None:
    nothing: list[NightResult] = []
    assert drift(MONITOR, nothing).shown == ()
    assert fairness(MONITOR, nothing) == []
    assert trends.performance(MONITOR, nothing) == []


def test_the_night_that_was_not_judged_is_no_point_of_any_curve() -> None:
    assert all(NOT_JUDGED not in {p.night for p in t.points} for t in drift(MONITOR, WEEKS).shown)
