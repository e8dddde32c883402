"""The kinds of thresholds that a rule may have, one file each."""
