"""Stage 5: incident -> intended actions, and their words. Still no I/O."""
