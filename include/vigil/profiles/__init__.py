"""Stage 1: rows -> a small summary that adds up. Nothing row-level leaves this stage."""
