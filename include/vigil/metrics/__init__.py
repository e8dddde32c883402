"""Stage 2: profiles -> numbers. A metric measures; it never compares with a limit."""
