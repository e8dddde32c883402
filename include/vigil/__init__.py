"""Vigil: every bad model night becomes one well-explained incident; every good night stays silent.

Reading order, which is also the order in which the packages may know each other:

core        words everyone shares: errors, windows, ids, the frozen spec base
profiles    rows -> a small, mergeable summary of one night
metrics     profiles -> measurements: a number with its interval, rows, unit and direction
verdicts    the only place where a number meets a limit
incidents   verdicts over time -> one incident, a pure fold over ledger events
diagnosis   what changed, where, since when; what would another version have done
responses   incident -> planned actions, and their words; no I/O
config      monitors/*.yaml -> frozen, typed monitors
ports       the small Protocols that use cases need
usecases    nightly, respond, rollback, promote, backfill: ports in, values out
adapters    every third-party client, one file each
serving     the prediction gateway
emulators   local doubles of outside services; nothing imports them
wiring      settings + monitor -> ports; the only file that imports adapters
"""
