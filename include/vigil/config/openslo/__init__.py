"""Objectives as OpenSLO v1 documents, and back where both can say the same (docs/slo.md lists what they cannot)."""
