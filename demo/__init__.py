"""The first nights, played on this machine. A shell: it starts real servers and drives them from the outside."""
