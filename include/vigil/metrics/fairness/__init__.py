"""Whom it hurts."""
