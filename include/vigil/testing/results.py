"""The contract of the port Results."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.ports import Results
from vigil.testing.shape import unlike
from vigil.verdicts.types import Cause, NightResult, State, Verdict

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
NIGHT = date(2026, 11, 20)
WHERE = ("credit", "staging")


def measurement(value: float | None = 0.61, **changes: Any) -> Measurement:
    """A number of the night."""
    facts: dict[str, Any] = {
        "metric": "selection_rate_ratio", "subject": "sex=female", "family": Family.FAIRNESS, "kind": Kind.RATIO,
        "value": value, "low": 0.55, "high": 0.68, "n": 1204, "unit": "ratio", "worse": Worse.LOWER,
    }  # fmt: skip
    return Measurement(**{**facts, **changes})


def result(
    night: date = NIGHT, digest: str = "p1", monitor: str = "credit", environment: str = "staging", **changes: Any
) -> NightResult:
    """A judged night with a breach and an unknown."""
    breach = Verdict(metric="selection_rate_ratio", subject="sex=female", family=Family.FAIRNESS, state=State.BREACH,
                     reason="0.61 < 0.80", measurement=measurement())  # fmt: skip
    unknown = Verdict(metric="auc", subject="all", family=Family.PERFORMANCE, state=State.UNKNOWN,
                      cause=Cause.LABELS_PENDING, reason="no labels yet")  # fmt: skip
    facts = {"monitor": monitor, "environment": environment, "night": night, "partition_digest": digest,
             "config_digest": "c1", "edges_digest": "e1", "versions": {"2": 900, "1": 304}, "rows": 1204,
             "verdicts": (breach, unknown)}  # fmt: skip
    return NightResult(**{**facts, **changes})


def put(store: Results, *results: NightResult, start: datetime = AT) -> list[bool]:
    """Stores judgements, one an hour; whether each was news."""
    return [store.append(r, evaluated_at=start + timedelta(hours=n), labels_through=start)
            for n, r in enumerate(results)]  # fmt: skip


def known(result: NightResult | None) -> NightResult:
    """A judgement that must be there."""
    assert result is not None
    return result


def _digests(found: Sequence[NightResult]) -> list[tuple[date, str]]:
    return [(r.night, r.partition_digest) for r in found]


class ResultsContract:
    """Every store of results passes this: subclass it in a test file, with a fixture `results`: an empty store."""

    @pytest.fixture
    def results(self) -> Results:
        """An empty store; override it."""
        raise NotImplementedError("give the subclass of ResultsContract a fixture `results` that opens an empty store")

    def test_it_has_every_method_of_the_port(self, results: Results) -> None:
        assert unlike(results, Results) == ()

    def test_a_night_that_was_not_judged_has_no_result(self, results: Results) -> None:
        assert results.latest(*WHERE, NIGHT) is None
        assert results.history(*WHERE, NIGHT, 28) == ()
        assert results.versions_of_truth(*WHERE, NIGHT) == ()
        assert results.newest(*WHERE) is None

    def test_a_judgement_comes_back_whole(self, results: Results) -> None:
        made = result(measurements=(measurement(math.inf, low=None), measurement(None, why_not="no rows")))
        assert put(results, made) == [True]
        assert results.latest(*WHERE, NIGHT) == made

    def test_the_same_judgement_of_the_same_facts_is_stored_once(self, results: Results) -> None:
        assert put(results, result(), result(rows=7)) == [True, False]
        assert len(results.versions_of_truth(*WHERE, NIGHT)) == 1
        assert known(results.latest(*WHERE, NIGHT)).rows == 1204

    @pytest.mark.parametrize("change", ["partition_digest", "config_digest"])
    def test_other_facts_or_another_config_supersede_and_keep_what_was_known(
        self, results: Results, change: str
    ) -> None:
        first = result()
        second = first.model_copy(update={change: "other"})
        assert put(results, first, second) == [True, True]
        assert results.latest(*WHERE, NIGHT) == second
        assert results.versions_of_truth(*WHERE, NIGHT) == ((AT, first), (AT + timedelta(hours=1), second))

    def test_facts_that_come_back_are_a_third_judgement(self, results: Results) -> None:
        assert put(results, result(), result(digest="p2"), result()) == [True, True, True]
        assert results.latest(*WHERE, NIGHT) == result()

    def test_what_was_known_at_a_moment_is_the_latest_judgement_until_then(self, results: Results) -> None:
        first, second = result(), result(digest="p2")
        put(results, first, second)
        told = [results.latest(*WHERE, NIGHT, known_at=AT + timedelta(minutes=m)) for m in (-1, 0, 59, 60)]
        assert told == [None, first, first, second]

    def test_history_is_the_latest_of_each_night_before_oldest_first_and_gaps_stay_out(self, results: Results) -> None:
        nights = [NIGHT - timedelta(days=back) for back in (1, 2, 4, 5)]
        put(results, *(result(night) for night in nights), result(nights[1], digest="p2"), result(NIGHT))
        found = results.history(*WHERE, NIGHT, 4)
        assert _digests(found) == [
            (nights[2], "p1"),
            (nights[1], "p2"),
            (nights[0], "p1"),
        ]

    def test_other_monitors_and_environments_are_other_histories(self, results: Results) -> None:
        put(results, result(), result(monitor="iris"), result(environment="production"))
        assert len(results.history(*WHERE, NIGHT + timedelta(days=1), 5)) == 1
        assert results.latest("iris", "production", NIGHT) is None

    def test_the_newest_night_is_told_with_its_last_evaluation(self, results: Results) -> None:
        before = NIGHT - timedelta(days=1)
        put(results, result(), result(digest="p2"), result(before))
        assert results.newest(*WHERE) == (NIGHT, AT + timedelta(hours=1))

    def test_nights_between_two_days_include_both_and_the_oldest_is_known(self, results: Results) -> None:
        assert results.oldest(*WHERE) is None
        nights = [NIGHT - timedelta(days=back) for back in (4, 3, 1, 0)]
        put(results, *(result(night) for night in nights), result(nights[1], digest="p2"), result(monitor="iris"))
        found = results.between(*WHERE, nights[1], nights[2])
        assert _digests(found) == [(nights[1], "p2"), (nights[2], "p1")]
        assert results.oldest(*WHERE) == nights[0]

    def test_the_first_nights_with_rows_are_found_however_far_they_lie_apart(self, results: Results) -> None:
        nights = [NIGHT - timedelta(days=back) for back in (300, 299, 200, 100, 3, 2, 1)]
        put(results, *(result(night) for night in nights), result(nights[2], digest="p2"), result(NIGHT))
        put(results, result(nights[3], digest="p3", rows=0), result(nights[0], monitor="iris"))
        found = results.first(*WHERE, since=nights[1], before=NIGHT, nights=3)
        assert _digests(found) == [
            (nights[1], "p1"),
            (nights[2], "p2"),
            (nights[4], "p1"),
        ]
        assert [r.night for r in results.first(*WHERE, since=nights[1], before=NIGHT, nights=9)] == [
            nights[n] for n in (1, 2, 4, 5, 6)
        ]
        assert results.first(*WHERE, since=NIGHT, before=NIGHT, nights=3) == ()
        assert results.first("nobody", "staging", since=nights[0], before=NIGHT, nights=3) == ()
