"""A point-in-time view of a store answers as the store itself would have answered at that time."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.test_profiles_contract import EDGES, key, profile
from tests.unit.adapters.log_stage import NINE, monitor, outcome, rows, table
from vigil.adapters.as_known import LedgerAsKnown, LogAsKnown, Partitions, ProfilesAsKnown
from vigil.adapters.as_stored import LedgerThen, LogThen, ProfilesThen, ResultsThen
from vigil.adapters.memory import FrozenClock, MemoryLedger, MemoryProfiles, MemoryResults
from vigil.core.window import night_window
from vigil.profiles.edges import edges_digest
from vigil.testing import methods_of
from vigil.testing.results import result
from vigil.wiring import open_log

WHERE = ("credit", "staging")
FIRST = date(2026, 11, 15)
NIGHTS = [FIRST + timedelta(days=n) for n in range(6)]
START = datetime(2026, 11, 21, tzinfo=UTC)
OUTSIDE = [FIRST - timedelta(days=1), *NIGHTS, NIGHTS[-1] + timedelta(days=1)]

judgements = st.lists(st.tuples(st.sampled_from(NIGHTS), st.sampled_from("pqr"), st.booleans()), max_size=12)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def judged(told, *, until: int | None = None) -> MemoryResults:
    """A store of judgements, one an hour."""
    kept = MemoryResults()
    for hour, (night, digest, empty) in enumerate(told[:until]):
        made = result(night, digest=digest, rows=0 if empty else 9)
        kept.append(made, evaluated_at=at(hour), labels_through=None)
    return kept


def answers(kept) -> dict:
    """What a store of results says to every question of the port's read half."""
    return {
        "latest": [kept.latest(*WHERE, n) for n in OUTSIDE],
        "known": [kept.latest(*WHERE, n, known_at=at(h)) for n in NIGHTS for h in (0, 3, 40)],
        "history": [kept.history(*WHERE, n, 3) for n in OUTSIDE],
        "between": kept.between(*WHERE, OUTSIDE[0], OUTSIDE[-1]),
        "first": [kept.first(*WHERE, since=OUTSIDE[0], before=OUTSIDE[-1], nights=n) for n in (1, 2, 9)],
        "oldest": kept.oldest(*WHERE),
        "versions": [kept.versions_of_truth(*WHERE, n) for n in OUTSIDE],
        "newest": kept.newest(*WHERE),
    }


@given(told=judgements, hours=st.integers(-1, 12))
def test_results_are_those_of_the_store_cut_at_that_time(told, hours):
    assert answers(ResultsThen(judged(told), at(hours))) == answers(judged(told, until=hours + 1))


def ledger(told, *, until: int | None = None, models_only: bool = False) -> MemoryLedger:
    kept, numbers = MemoryLedger(), {}
    for hour, (stream, type_) in enumerate(told[:until]):
        if models_only and (not stream.startswith("model/") or type_ == "night_judged"):
            continue
        number = numbers.setdefault(stream, count())
        kept.append(stream, expected=next(number), key=f"k{hour}", type=type_, at=at(hour), payload={"hour": hour})
    return kept


STREAMS = ("model/credit", "model/iris", "incident/inc-1")
happenings = st.lists(st.tuples(st.sampled_from(STREAMS), st.sampled_from(["promoted", "night_judged"])), max_size=10)


def told_of(events) -> list:
    return [(e.key, e.type, e.at, e.payload) for e in events]


@given(told=happenings, hours=st.integers(-1, 10))
def test_a_ledger_is_that_of_the_store_cut_at_that_time(told, hours):
    view, cut = LedgerThen(ledger(told), at(hours)), ledger(told, until=hours + 1)
    assert [view.read(s) for s in STREAMS] == [cut.read(s) for s in STREAMS]
    assert [view.streams(p) for p in ("", "model/", "incident/")] == [
        cut.streams(p) for p in ("", "model/", "incident/")
    ]


@given(told=happenings, hours=st.integers(-1, 10))
def test_a_backtest_reads_of_the_ledger_what_happened_to_models_by_then(told, hours):
    """Judgements and incidents are the backtest's own; events keep the numbers that they have in the store."""
    clock = FrozenClock(at(hours))
    view = LedgerAsKnown(ledger(told), MemoryLedger(), clock)
    cut = ledger(told, until=hours + 1, models_only=True)
    assert [told_of(view.read(s)) for s in STREAMS] == [told_of(cut.read(s)) for s in STREAMS]
    assert view.streams() == cut.streams()
    clock.advance(timedelta(days=9))
    assert told_of(view.read("model/credit")) == told_of(ledger(told, models_only=True).read("model/credit"))


OTHER = EDGES.model_copy(update={"numeric": {"age": (30.0,)}})
scans = st.lists(st.tuples(st.sampled_from(NIGHTS[:3]), st.sampled_from("pqr"), st.booleans()), min_size=1, max_size=8)


def scanned(told, *, until: int | None = None) -> tuple[MemoryProfiles, MemoryResults, list]:
    """Nights that were profiled and then judged, one an hour, partly on other edges than those before."""
    profiles, results, made = MemoryProfiles(), MemoryResults(), []
    profiles.put_edges("credit", EDGES, reason="")
    for hour, (night, digest, moved) in enumerate(told[:until]):
        edges = OTHER if moved else EDGES
        profiles.put_edges("credit", edges, reason="a test")
        of = profile(rows=10 + hour, edges_digest=f"{digest}{hour}")
        profiles.put(key(night=night), of, partition_digest=f"{digest}{hour}")
        one = result(night, digest=f"{digest}{hour}", edges_digest=edges_digest(edges))
        results.append(one, evaluated_at=at(hour), labels_through=None)
        made.append(one)
    return profiles, results, made


@given(told=scans, data=st.data())
def test_profiles_are_those_of_the_store_when_the_night_was_judged(told, data):
    hour = data.draw(st.integers(0, len(told) - 1))
    now, results, made = scanned(told)
    cut, _, _ = scanned(told, until=hour + 1)
    view = ProfilesThen(now, ResultsThen(results, at(hour)), made[hour].edges_digest)
    for night in OUTSIDE:
        assert view.night(*WHERE, night) == cut.night(*WHERE, night)
        assert view.partition_digest(*WHERE, night) == cut.partition_digest(*WHERE, night)
    assert view.edges("credit") == cut.edges("credit")
    assert view.edges("credit", digest=edges_digest(EDGES)) == EDGES


steps = st.lists(
    st.tuples(st.sampled_from(["put", "put_night", "edges", "baseline"]), st.integers(0, 2), st.booleans()), max_size=8
)


def play(store, told) -> None:
    for place, (step, number, other) in enumerate(told):
        if step == "put":
            store.put(key(str(number)), profile(rows=10 + place), partition_digest=f"p{place // 3}")
        elif step == "put_night":
            store.put_night({key(str(number)): profile(rows=10 + place)}, partition_digest=f"n{place}")
        elif step == "edges":
            store.put_edges("credit", OTHER if other else EDGES, reason="a test")
        else:
            store.put_baseline("credit", str(number), profile(rows=10 + place))


def kept_of(store) -> dict:
    return {
        "digest": store.partition_digest(*WHERE, key().night),
        "night": dict(store.night(*WHERE, key().night)),
        "edges": store.edges("credit"),
        "baselines": [store.baseline("credit", str(n)) for n in range(3)],
    }


@given(before=steps, then=steps)
def test_profiles_in_memory_over_stored_ones_answer_as_one_store(before, then):
    """Nights are the backtest's own; edges and baselines are the stored ones until others are put."""
    stored, alone = MemoryProfiles(), MemoryProfiles()
    for store in (stored, alone):
        play(store, [s for s in before if s[0] in ("edges", "baseline")])
    view, untouched = ProfilesAsKnown(stored), kept_of(stored)
    play(view, then)
    play(alone, then)
    assert kept_of(view) == kept_of(alone)
    assert kept_of(stored) == untouched


class Stop(Exception):
    pass


@given(before=steps, then=steps)
def test_what_is_replaced_in_memory_is_as_before_where_the_block_raises(before, then):
    stored = MemoryProfiles()
    play(stored, [s for s in before if s[0] in ("edges", "baseline")])
    view = ProfilesAsKnown(stored)
    was = (view.edges("credit"), view.baseline("credit", "1"))
    try:
        with view.replacing("credit", "1"):
            play(view, [s for s in then if s[0] == "edges" or s[1] == 1])
            raise Stop
    except Stop:
        pass
    assert (view.edges("credit"), view.baseline("credit", "1")) == was


labels = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("01"), st.integers(0, 6)), max_size=6)
SERVED = monitor()
WINDOW = night_window(NINE.date(), SERVED.timezone)


def logged(folder, told, *, until: int | None = None):
    log = open_log(folder)
    log.write_predictions("credit", table(rows(5)), batch_id="b")
    log.write_reference("credit", pa.table({"income": [1.0], "label": ["1"]}))
    for place, (number, label, day) in enumerate(told):
        if until is None or day <= until:
            seen = NINE + timedelta(days=day)
            log.write_outcomes("credit", table([outcome(f"p{number}", label, seen)]), batch_id=f"o{place}")
    return log


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=labels, until=st.integers(0, 6), earlier=st.integers(0, 6))
def test_a_log_is_that_of_the_store_without_later_labels(tmp_path_factory, told, until, earlier):
    whole, cut = (logged(tmp_path_factory.mktemp("log"), told, until=u) for u in (None, until))
    moment = NINE + timedelta(days=until)
    known = cut.partition(SERVED, WINDOW)
    night = result(NINE.date(), digest=known.digest)
    for view in (LogAsKnown(whole, Partitions(whole), FrozenClock(moment)), LogThen(whole, night, moment)):
        seen = view.partition(SERVED, WINDOW)
        assert seen.digest == known.digest
        assert view.sample(SERVED, seen, rows=9).to_pylist() == cut.sample(SERVED, known, rows=9).to_pylist()
        assert view.reference("credit") == cut.reference("credit")
        then = NINE + timedelta(days=min(earlier, until))
        again = view.partition(SERVED, night_window(NINE.date() - timedelta(days=1), "UTC"), labels_through=then)
        assert again.files == ()


def test_the_laws_ask_every_question_of_the_read_halves():
    from vigil.ports import ReadLedger, ReadLog, ReadProfiles, ReadResults

    asked = {
        ReadResults: {"latest", "history", "between", "first", "oldest", "versions_of_truth", "newest"},
        ReadLedger: {"read", "streams"},
        ReadProfiles: {"night", "partition_digest", "edges", "baseline"},
        ReadLog: {"partition", "sample", "reference"},
    }
    assert {port: set(methods_of(port)) for port in asked} == asked
