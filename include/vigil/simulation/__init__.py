"""Nights that never were, of which everything is known: what was normal, and what went wrong since when."""
