"""Stage 4: verdicts over time -> one incident. A pure fold over ledger events."""
