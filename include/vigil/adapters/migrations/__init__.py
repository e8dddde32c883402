"""Alembic migrations of Vigil's own state; run by `sql_engine.upgrade`."""
