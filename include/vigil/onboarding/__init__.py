"""From an unknown log to a monitor: the meaning of its columns, a draft of the YAML, a matching suite."""
