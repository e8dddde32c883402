"""From a stranger's log to a monitor: what its columns are, a draft of the YAML, a suite that fits."""
