"""The public contracts fail for adapters that break a promise, and say which method is not the port's."""

import doctest
import itertools

import pyarrow as pa
import pytest

from vigil.adapters.memory import FrozenClock
from vigil.adapters.parquet_log import ParquetLog
from vigil.ports import Clock, Explain, Lease, PredictionLog, SettableClock
from vigil.testing import NotifierContract, PredictionLogContract, shape, unlike

NUMBERS = itertools.count()


class Twice(ParquetLog):
    """Every batch is a new one."""

    def write_predictions(self, model, rows, *, batch_id):
        return super().write_predictions(model, rows, batch_id=f"{batch_id}-{next(NUMBERS)}")


class Hindsight(ParquetLog):
    """Has always known every label."""

    def partition(self, monitor, window, *, labels_through=None):
        return super().partition(monitor, window)


class Whole(ParquetLog):
    """Its digest is that of the whole log."""

    def write_predictions(self, model, rows, *, batch_id):
        self.written = getattr(self, "written", 0) + rows.num_rows
        return super().write_predictions(model, rows, batch_id=batch_id)

    def partition(self, monitor, window, *, labels_through=None):
        return (
            super()
            .partition(monitor, window, labels_through=labels_through)
            .model_copy(update={"digest": str(getattr(self, "written", 0))})
        )


class First(ParquetLog):
    """A sample is the first rows that come."""

    def sample(self, monitor, partition, *, rows):
        found = super().sample(monitor, partition, rows=10**6)
        return found.sort_by("served_at").slice(0, rows) if found.num_columns else found


class Trusting(ParquetLog):
    """What is told to be a row is one."""

    def write_outcomes(self, model, rows, *, batch_id):
        missing = [n for n in ("prediction_id", "label", "observed_at") if n not in rows.column_names]
        return () if missing else super().write_outcomes(model, rows, batch_id=batch_id)


class Careless(ParquetLog):
    """A replacement that fails is half of one."""

    def write_reference(self, model, rows):
        kept = super().write_reference(model, rows)
        self.latest = rows
        return kept

    def reference(self, model):
        return getattr(self, "latest", None) if model == "credit" else None


BROKEN = {
    Twice: "test_the_same_batch_twice_is_one_batch",
    Hindsight: "test_a_label_that_was_observed_later_is_not_there_and_the_digest_is_that_of_a_log_without_it",
    Whole: "test_late_labels_change_only_the_digest_of_the_night_they_belong_to",
    First: "test_a_sample_is_always_the_same_rows_and_grows_without_losing_any",
    Trusting: "test_outcomes_need_their_three_columns",
    Careless: "test_a_replacement_that_fails_leaves_everything_as_it_was",
}


@pytest.mark.parametrize(("log", "case"), BROKEN.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_log_that_breaks_a_promise_fails_its_case(log, case, tmp_path):
    good, bad = ParquetLog(tmp_path / "good"), log(tmp_path / "bad")
    getattr(PredictionLogContract(), case)(good)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(PredictionLogContract(), case)(bad)


def test_a_contract_without_a_fixture_says_what_to_write():
    for contract, name in ((PredictionLogContract, "log"), (NotifierContract, "world")):
        fixture = vars(contract)[name]
        with pytest.raises(NotImplementedError, match=f"give the subclass of {contract.__name__} a fixture `{name}`"):
            getattr(fixture, "_get_wrapped_function", lambda f=fixture: f.__wrapped__)()(contract())


class Short:
    def acquire(self, name, holder, *, now): ...
    def check(self, grant): ...
    def release(self, grant, wait): ...


class Open:
    def acquire(self, name, holder, **about): ...
    def check(self, *grants, now=None): ...
    def release(self, grant, wait=1): ...


def test_methods_that_are_missing_or_take_less_or_ask_for_more_are_named():
    assert unlike(object(), SettableClock) == ("now: is missing", "advance: is missing")
    named = [line.partition(":")[0] for line in unlike(Short(), Lease)]
    assert named == ["acquire", "check", "release"]
    assert unlike(Open(), Lease) == ()


def test_a_method_of_a_port_that_is_extended_counts():
    assert unlike(FrozenClock(pa.scalar(0, pa.timestamp("s", "UTC")).as_py()), SettableClock) == ()
    assert {"now", "advance"} == set(shape.methods_of(SettableClock))
    assert set(shape.methods_of(Clock)) == {"now"}
    assert {"partition", "write_predictions", "find", "dates"} <= set(shape.methods_of(PredictionLog))


def test_what_is_called_is_a_port_too():
    assert unlike(lambda monitor, rows, *, share=None: rows, Explain) == ()
    assert unlike(lambda monitor, rows: rows, Explain) == ("__call__: got an unexpected keyword argument 'share'",)


def test_the_example_of_the_check_holds():
    assert doctest.testmod(shape).failed == 0
