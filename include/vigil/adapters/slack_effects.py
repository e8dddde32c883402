"""One effect, once: the outbox entry first, then the request, then the proof. Slack has no idempotency key.

pending -> in_flight -> done | ambiguous | failed. Whatever was tried before is looked for before it is sent again.
"""

from collections.abc import Callable, Mapping

from vigil.adapters.slack_client import NotSent, RateLimited
from vigil.core.errors import Ambiguous, Refused
from vigil.ports import Clock, Outbox, OutboxEntry

TRIES = 3
PAUSE = 2.0  # seconds between a lost answer and the look for what it did
PENDING, IN_FLIGHT, DONE, AMBIGUOUS, FAILED = "pending", "in_flight", "done", "ambiguous", "failed"

Reference = dict[str, str]


class Effects:
    """Runs effects under their outbox keys."""

    def __init__(self, outbox: Outbox, clock: Clock, *, sleep: Callable[[float], None]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sleep = sleep

    def done(self, key: str) -> Reference | None:
        """What an effect left, if it is done."""
        entry = self._outbox.get(key)
        return dict(entry.reference) if entry is not None and entry.state == DONE else None

    def finish(self, key: str, reference: Reference) -> None:
        """Keeps a result that needed no request of its own."""
        self._put(OutboxEntry(key=key, state=PENDING), DONE, reference=reference)

    def forget(self, key: str) -> None:
        """A kept id turned out to be stale: the effect is to be done again."""
        self._put(OutboxEntry(key=key, state=PENDING), PENDING)

    def once(
        self,
        key: str,
        send: Callable[[Mapping[str, str]], Reference],
        *,
        find: Callable[[Mapping[str, str]], Reference | None] | None = None,
        intent: Reference | None = None,
    ) -> Reference:
        """The effect's reference, now or from before.

        send: does it; gets the intent that was stored at the first attempt, so that a retry wants the same.
        find: looks for what an earlier attempt did. Without it the request may simply be repeated.
        Raises Refused, or Ambiguous when nobody could be asked.
        """
        entry = self._outbox.get(key) or OutboxEntry(key=key, state=PENDING, reference=intent or {})
        if entry.state == DONE:
            return dict(entry.reference)
        for _ in range(TRIES):
            if entry.attempts and find is not None and (found := find(entry.reference)) is not None:
                return self._finish(entry, found)
            entry = self._start(entry)
            try:
                return self._finish(entry, send(entry.reference))
            except (RateLimited, NotSent) as no:
                self._put(entry, AMBIGUOUS if entry.attempts > 1 else PENDING, error=str(no))
                raise
            except Refused as no:
                self._put(entry, FAILED, error=str(no))
                raise
            except Ambiguous as lost:
                entry = self._put(entry, AMBIGUOUS, error=str(lost))
                self._sleep(PAUSE)
        if find is not None and (found := find(entry.reference)) is not None:
            return self._finish(entry, found)
        raise Ambiguous(f"{entry.error} Next step: run again; it is looked for before it is sent again ({key})")

    def _start(self, entry: OutboxEntry) -> OutboxEntry:
        started = entry.model_copy(update={"attempts": entry.attempts + 1, "in_flight_at": self._clock.now()})
        return self._put(started, IN_FLIGHT)

    def _finish(self, entry: OutboxEntry, reference: Reference) -> Reference:
        self._put(entry, DONE, reference=reference)
        return dict(reference)

    def _put(
        self, entry: OutboxEntry, state: str, *, reference: Reference | None = None, error: str = ""
    ) -> OutboxEntry:
        kept = entry.reference if reference is None else reference
        changed = entry.model_copy(update={"state": state, "reference": dict(kept), "error": error})
        self._outbox.put(changed)
        return changed
