"""An ok rests on as large a share of the rows as usual, or is unknown; what many rows lost is a breach of its own."""

from datetime import timedelta

import pytest
from made_measurements import NIGHT, bound, judged, missing, ratio

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Scope
from vigil.profiles.row_ledger import Lack, Place, Remainder, RowLedger
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.lost_rows import missing_rows, other_environment
from vigil.verdicts.support import rests_on, supported
from vigil.verdicts.types import Cause, NightResult, Rule, Rules, State, Verdict

ROWS = 1000
FAIR = ratio(190, 250, 200, 250)


def without(lack: Lack, rows: int, subject: str = "all", *, of: int = ROWS, before: tuple[int, int] | None = (0, 2000)):
    told = {"reference_rows": before[0], "reference_of": before[1]} if before else {}
    return Remainder(lack=lack, subject=subject, rows=rows, of=of, **told)


def ledger(*remainders: Remainder, environments: dict[str, int] | None = None, **places: int) -> RowLedger:
    own = {Place.JUDGED: ROWS} | {Place(place): rows for place, rows in places.items()}
    return RowLedger(places=own, remainders=remainders, environments=environments or {}, yardstick="holdout")


def night(ago: int, rows: RowLedger | None, *verdicts: Verdict, count: int = ROWS) -> NightResult:
    return NightResult(
        monitor="m", environment="production", night=NIGHT - timedelta(days=ago), partition_digest="p",
        config_digest="c", edges_digest="e", rows=count, verdicts=verdicts, row_ledger=rows,
    )  # fmt: skip


def past(rows: RowLedger, nights: int = 10) -> list[NightResult]:
    return [night(ago, rows) for ago in range(nights, 0, -1)]


def of(metric: str, subject: str = "all", family: Family = Family.PERFORMANCE) -> Verdict:
    return Verdict(metric=metric, subject=subject, family=family, state=State.OK, reason="within", would_see="much")


# support

RESTING = {
    "a group that the denied lost": ("selection_rate_ratio", "sex=f", without(Lack.GROUP, 250, "sex")),
    "a group of an intersection": ("selection_rate_ratio", "sex+age=f+old", without(Lack.GROUP, 250, "age")),
    "a group of the labelled": ("tpr_difference", "sex=f", without(Lack.GROUP_OF_LABELLED, 300, "sex")),
    "a score": ("auc", "all", without(Lack.SCORE, 500)),
    "a score of the labelled": ("brier", "all", without(Lack.SCORE_OF_LABELLED, 400, of=800)),
    "a score of an estimate": ("estimated_auc", "all", without(Lack.SCORE, 500)),
    "an answer": ("accuracy", "all", without(Lack.ANSWER, 500)),
    "a label in another word": ("accuracy", "all", without(Lack.LABEL_WORD, 500)),
    "a weight": ("recall", "all", without(Lack.WEIGHT, 500)),
    "a ranking": ("top_3_accuracy", "all", without(Lack.RANKING, 500)),
    "a stratum": ("stratified_ratio", "sex=f", without(Lack.STRATUM, 500)),
    "a value": ("position_shift", "income", without(Lack.VALUE, 500, "income")),
    "a value of a level": ("level_shift", "city:Bonn", without(Lack.VALUE, 500, "city")),
    "a value within a group": ("group_mean_shift", "income|sex=f", without(Lack.VALUE, 500, "income")),
    "a group of a drift": ("group_mean_shift", "income|sex=f", without(Lack.GROUP, 500, "sex")),
    "a flag": ("pii_rate", "text__pii", without(Lack.FLAG, 500, "text__pii")),
}


@pytest.mark.parametrize(("metric", "subject", "lost"), RESTING.values(), ids=RESTING)
def test_an_ok_whose_rows_lost_what_it_is_made_of_is_unknown_with_the_share(metric, subject, lost):
    told = supported(of(metric, subject), ledger(lost), past(ledger()))
    assert (told.state, told.cause, told.overdue, told.would_see) == (State.UNKNOWN, Cause.ROWS_MISSING, True, "")
    assert f"it rests on {1 - lost.share:.1%} of {lost.of:,} rows" in told.reason
    assert f"{lost.share:.1%}) are without" in told.reason
    assert "0.0% were on the holdout" in told.reason


@pytest.mark.parametrize(
    "lost",
    [
        without(Lack.SCORE, 150),  # less than a fifth
        without(Lack.SCORE, 500, before=(1000, 2000)),  # as on the reference
        without(Lack.SCORE, 1, of=3),  # chance
        without(Lack.LABEL, 900),  # labels that may still come
        without(Lack.VALUE, 900, "income"),  # nothing that it reads
    ],
)
def test_an_ok_stays_where_nothing_that_it_reads_fell_far_beyond_chance(lost):
    assert supported(of("auc"), ledger(lost), past(ledger())) == of("auc")


def test_only_an_ok_is_taken_back():
    bad = of("auc").model_copy(update={"state": State.BREACH})
    assert supported(bad, ledger(without(Lack.SCORE, 900)), []) == bad
    assert supported(of("auc"), None, []) == of("auc")


def test_without_a_reference_the_worst_of_the_past_nights_is_the_yardstick():
    half, more = (without(Lack.LATENCY, rows, before=None) for rows in (500, 800))
    told = [supported(of("latency_p95", family=Family.SERVICE), ledger(r), past(ledger(half))) for r in (half, more)]
    assert [v.state for v in told] == [State.OK, State.UNKNOWN]
    few = past(ledger(), nights=6)
    assert supported(of("latency_p95"), ledger(more), few).state is State.OK


def test_a_night_that_was_not_known_does_not_make_the_next_one_usual():
    gone = ledger(without(Lack.LATENCY, 800, before=None))
    before = past(ledger())
    last = supported(of("latency_p95", family=Family.SERVICE), gone, before)
    again = supported(of("latency_p95", family=Family.SERVICE), gone, [*before, night(0, gone, last)])
    assert (last.state, again.state) == (State.UNKNOWN, State.UNKNOWN)


def test_a_feature_that_is_sparser_in_service_is_usual_once_enough_nights_say_so():
    sparse = ledger(without(Lack.VALUE, 700, "income"))
    young = supported(of("position_shift", "income"), sparse, past(sparse, nights=3))
    assert (young.state, young.overdue) == (State.UNKNOWN, False)
    assert supported(of("position_shift", "income"), sparse, past(sparse)).state is State.OK
    weekend = [night(a, sparse if a % 7 < 2 else ledger()) for a in range(28, 0, -1)]
    assert supported(of("position_shift", "income"), sparse, weekend).state is State.OK


def test_every_metric_about_groups_rests_on_the_group_and_no_metric_on_labels_that_may_come():
    for entry in CATALOG.values():
        subject = "x|sex=f" if entry.family is Family.DRIFT else "sex=f"
        lacks = {lack for lack, _ in rests_on(entry.name, subject)}
        if entry.scope is Scope.GROUP:
            assert (Lack.GROUP, "sex") in set(rests_on(entry.name, subject)), entry.name
        if entry.family is Family.PERFORMANCE and entry.needs_labels:
            assert Lack.ANSWER in lacks, entry.name
        assert Lack.LABEL not in lacks, entry.name


# what rows lost


def test_a_protected_attribute_that_a_quarter_lost_breaches_and_fairness_is_unknown_in_the_judgement():
    rules = Rules(fairness=(Rule(metric="selection_rate_ratio", breach=bound("< 0.5")),))
    facts = Facts(night=NIGHT, as_of=NIGHT, rows=ledger(without(Lack.GROUP, 250, "sex")))
    told = {v.id: v for v in judge([FAIR, missing(250, 1000, subject="sex")], rules, past(ledger()), facts)}
    assert told["missing/sex"].state is State.BREACH
    assert told["missing/sex"].hard
    assert told["missing/sex"].measurement is not None
    assert told["selection_rate_ratio/sex=f"].cause is Cause.ROWS_MISSING


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (without(Lack.SCORE, 150), [("missing_score/all", State.BREACH)]),
        (without(Lack.ANSWER, 150), [("missing_prediction/all", State.BREACH)]),
        (without(Lack.GROUP, 90, "sex"), []),  # less than a tenth
        (without(Lack.GROUP, 400, "sex", before=(800, 2000)), []),  # a third never says
        (without(Lack.VALUE, 900, "income"), []),  # rules and hard failures ask about features
        (without(Lack.STATUS, 200, before=None), [("unknown_status/all", State.WARN)]),
        (without(Lack.ID, 200, before=None), [("empty_id/all", State.WARN)]),
        (without(Lack.ID, 9, before=None), []),
    ],
)
def test_what_many_rows_lost_is_told_by_its_own_question(lost, told):
    assert [(v.id, v.state) for v in missing_rows(ledger(lost), [], [])] == told


def test_a_breach_of_what_is_missing_goes_on_while_it_lasts():
    gone, lost = ledger(without(Lack.GROUP, 700, "sex", before=None)), past(ledger())
    (first,) = missing_rows(gone, lost, [])
    (second,) = missing_rows(gone, [*lost, night(0, gone, first)], [])
    assert (first.state, second.state) == (State.BREACH, State.BREACH)


def test_rows_with_the_id_of_another_row_and_other_content_are_lost_and_told():
    (told,) = missing_rows(ledger(conflicting=400), [], [])
    assert (told.id, told.state) == ("conflicting_ids/all", State.BREACH)
    assert list(missing_rows(ledger(repeated=400), [], [])) == []
    assert list(missing_rows(ledger(conflicting=30), past(ledger(conflicting=30)), [])) == []
    (few,) = missing_rows(ledger(conflicting=60), past(ledger()), [])
    assert few.state is State.WARN


# another environment


def of_prod(own: int, rows: int, word: str = "prod") -> RowLedger:
    return RowLedger(places={Place.JUDGED: own, Place.OTHER_ENVIRONMENT: rows}, environments={word: rows})


def test_rows_of_another_word_for_the_same_environment_breach_and_are_named_also_on_the_first_night():
    told = other_environment("production", of_prod(140, 60), [])
    assert told.state is State.BREACH
    assert "60 rows are of the environment 'prod', and 140 of 'production'" in told.reason
    assert other_environment("production", of_prod(990, 10), []).state is State.WARN
    assert other_environment("production", of_prod(0, 10, "PRODUCTION"), []).state is State.BREACH


def test_a_log_that_staging_shares_is_silent_on_every_night():
    shared = [night(ago, of_prod(1000, 300, "staging")) for ago in range(10, 0, -1)]
    for own, rows in ((1000, 300), (0, 300), (500, 900)):
        assert other_environment("production", of_prod(own, rows, "staging"), shared) is None
    assert other_environment("production", of_prod(1000, 300, "staging"), []) is None
    assert other_environment("production", of_prod(1000, 300, "staging"), past(ledger())) is None


def test_an_environment_that_is_new_while_the_own_rows_shrink_has_them():
    told = other_environment("production", of_prod(500, 500, "eu"), past(ledger()))
    assert (told.state, told.hard) == (State.BREACH, True)
    gone = other_environment("production", of_prod(0, 500, "eu"), [*past(ledger()), night(0, of_prod(500, 500), told)])
    assert gone.state is State.BREACH
    assert other_environment("production", of_prod(950, 50, "eu"), past(ledger())) is None


def test_a_past_that_was_judged_by_an_older_release_says_nothing():
    old = [night(ago, None, judged(FAIR)) for ago in range(10, 0, -1)]
    assert other_environment("production", of_prod(500, 300, "staging"), old) is None
    assert supported(of("auc"), ledger(without(Lack.SCORE, 10)), old).state is State.OK
