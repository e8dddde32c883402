"""Reads existing logs: maps their columns, and converts their rows to Vigil's format."""
