"""Runs on the connection that `sql_engine.upgrade` hands over; there is no offline mode."""

from alembic import context

from vigil.adapters.sql_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
