"""A chain holds, or says where it does not: laws over any tampering."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.ids import canonical
from vigil.incidents.chain import GENESIS, Checkpoint, event_hash, verify_chain, verify_checkpoints
from vigil.incidents.types import Event

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)


def chain(length, stream="s"):
    events, previous = [], GENESIS
    for n in range(1, length + 1):
        facts = {"stream": stream, "sequence": n, "key": f"k{n}", "type": "noted", "at": AT + timedelta(hours=n),
                 "payload": {"n": n}, "previous": previous}  # fmt: skip
        events.append(Event(**facts, hash=event_hash(**facts)))
        previous = events[-1].hash
    return events


def stored(**streams):
    return {name: {e.sequence: e.hash for e in events} for name, events in streams.items()}


def point(at=AT, system=(1, "h"), **heads):
    return Checkpoint(at=at, heads=heads, system=system)


def head(events):
    return (events[-1].sequence, events[-1].hash)


def test_the_hash_is_sha256_of_the_canonical_facts_in_a_fixed_order():
    event = chain(1)[0]
    text = canonical(["s", 1, "k1", "noted", "2026-11-21T03:00:00+00:00", {"n": 1}, "0" * 64])
    assert event.hash == sha256(text.encode()).hexdigest()


@given(length=st.integers(0, 8))
def test_an_untouched_chain_holds(length):
    assert verify_chain("s", chain(length)) == ()


CHANGES = st.sampled_from(
    [
        {"key": "other"},
        {"type": "other"},
        {"at": AT},
        {"payload": {"n": "x"}},
        {"hash": "f" * 64},
        {"previous": "e" * 64},
    ]
)


@given(length=st.integers(1, 8), place=st.data(), change=CHANGES)
def test_any_change_of_any_event_is_named_at_that_event(length, place, change):
    events = chain(length)
    n = place.draw(st.integers(0, length - 1))
    events[n] = events[n].model_copy(update=change)
    found = verify_chain("s", events)
    assert found
    assert f"s event {n + 1} (" in found[0]


@given(length=st.integers(2, 8), place=st.data())
def test_an_event_taken_from_before_the_end_is_a_gap_that_is_named(length, place):
    events = chain(length)
    n = place.draw(st.integers(0, length - 2))
    del events[n]
    assert verify_chain("s", events) == (f"s: event {n + 1} is missing; the next one found is event {n + 2}",)


@given(length=st.integers(2, 8), place=st.data())
def test_two_events_that_changed_places_show(length, place):
    events = chain(length)
    n = place.draw(st.integers(0, length - 2))
    events[n], events[n + 1] = events[n + 1], events[n]
    assert verify_chain("s", events)


def test_a_whole_chain_moved_to_another_stream_shows():
    assert verify_chain("t", chain(1)) == ("t event 1 (noted): it was written to the stream 's'",)


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_chain_cut_at_its_end_still_holds_and_only_a_checkpoint_shows_it(left):
    events = chain(3)
    system = chain(1, "system")
    assert verify_chain("s", events[:left]) == ()
    seen = [point(s=head(events), system=head(system))]
    (sentence,) = verify_checkpoints(stored(s=events[:left], system=system), [], seen)
    want = "s: it ends at event" if left else "s: the whole stream is gone"
    assert sentence.startswith(want)


def test_only_the_furthest_checkpoint_of_a_cut_stream_is_told():
    events, system = chain(5), chain(2, "system")
    seen = [point(AT, head(system[:1]), s=head(events[:3])), point(AT + timedelta(1), head(system), s=head(events))]
    assert verify_checkpoints(stored(s=events[:1], system=system), [], seen) == (
        "s: it ends at event 1, but event 5 was there at 2026-11-22 02:00:00 UTC",
    )


def test_events_after_the_last_checkpoint_are_no_problem():
    events, system = chain(5), chain(1, "system")
    assert (
        verify_checkpoints(stored(s=events, system=system), [], [point(s=head(events[:3]), system=head(system))]) == ()
    )


def test_a_checkpoint_event_without_heads_is_left_to_the_chain():
    broken = chain(1, "system")
    assert verify_checkpoints(stored(system=broken), broken, None) == ()
