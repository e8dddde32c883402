"""What every Outbox does: the last thing that was written about an effect is what a retry finds."""

from datetime import UTC, datetime

from vigil.ports import OutboxEntry

AT = datetime(2026, 11, 21, 2, tzinfo=UTC)
KEY = "open_room/credit-1/create"


def test_an_effect_that_was_never_tried_has_no_entry(state):
    assert state.outbox.get(KEY) is None


def test_an_entry_comes_back_as_it_was_put(state):
    entry = OutboxEntry(key=KEY, state="in_flight", attempts=2, in_flight_at=AT, reference={"ts": "17.1", "é": "<b>"})
    state.outbox.put(entry)
    assert state.outbox.get(KEY) == entry


def test_the_last_put_of_a_key_wins_and_leaves_other_keys_alone(state):
    other = OutboxEntry(key="other", state="pending")
    state.outbox.put(other)
    for name, attempts in (("pending", 0), ("in_flight", 1), ("done", 1)):
        state.outbox.put(OutboxEntry(key=KEY, state=name, attempts=attempts))
    assert state.outbox.get(KEY) == OutboxEntry(key=KEY, state="done", attempts=1)
    assert state.outbox.get("other") == other
