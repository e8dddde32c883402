"""The bank's four other models: monitors, suites, and how their nights are played. Off by default."""
