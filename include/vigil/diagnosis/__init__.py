"""What changed, where, since when; and what another version would have done."""
