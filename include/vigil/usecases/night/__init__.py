"""One night: its sequence of stages, and what they leave for each other."""
