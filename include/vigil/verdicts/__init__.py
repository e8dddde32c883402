"""Stage 3: the only place where a number meets a limit."""
