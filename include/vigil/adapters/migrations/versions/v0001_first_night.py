"""The first night: every table, and triggers that keep the append-only ones append-only.

Frozen: this is what the tables were on that day. A change is a new file, never an edit of this one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows by INTEGER PRIMARY KEY only
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _events()
    _results()
    _profiles()
    _coordination()
    for table, same in (("events", "stream = NEW.stream AND sequence = NEW.sequence"),
                        ("night_results", "id = NEW.id"), ("verdicts", "id = NEW.id")):  # fmt: skip
        _append_only(table, same)


def _night() -> list[sa.Column[Any]]:
    return [
        sa.Column("monitor", sa.String(100), nullable=False),
        sa.Column("environment", sa.String(100), nullable=False),
        sa.Column("night", sa.Date, nullable=False),
    ]


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("stream", sa.String(200), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("stream", "key", name="uq_events_key"),
    )


def _results() -> None:
    op.create_table(
        "night_results",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *_night(),
        sa.Column("digest_key", sa.String(200), nullable=False),
        sa.Column("evaluated_at", INSTANT, nullable=False),
        sa.Column("labels_through", INSTANT),
        sa.Column("result", sa.Text, nullable=False),
    )
    op.create_index("ix_night_results_night", "night_results", ["monitor", "environment", "night", "id"])
    op.create_table(
        "verdicts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("result_id", NUMBER, sa.ForeignKey("night_results.id"), nullable=False),
        *_night(),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("family", sa.String(30), nullable=False),
        sa.Column("metric", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("n", sa.BigInteger),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(40)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("config_digest", sa.String(64), nullable=False),
        sa.Column("edges_digest", sa.String(64), nullable=False),
        sa.Column("partition_digest", sa.String(64), nullable=False),
        sa.Column("evaluated_at", INSTANT, nullable=False),
        sa.Column("labels_through", INSTANT),
    )
    op.create_index("ix_verdicts_result_id", "verdicts", ["result_id"])
    op.create_index("ix_verdicts_question", "verdicts", ["monitor", "environment", "metric", "subject", "night"])
    op.create_table(
        "stage_measurements",
        sa.Column("monitor", sa.String(100), primary_key=True),
        sa.Column("environment", sa.String(100), primary_key=True),
        sa.Column("night", sa.Date, primary_key=True),
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("partition_digest", sa.String(64), primary_key=True),
        sa.Column("measurements", sa.Text, nullable=False),
    )


def _profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *_night(),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("partition_digest", sa.String(64), nullable=False),
        sa.Column("edges_digest", sa.String(64), nullable=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_profiles_night", "profiles", ["monitor", "environment", "night", "id"])
    op.create_table(
        "edges",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("monitor", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("edges", sa.Text, nullable=False),
    )
    op.create_index("ix_edges_monitor", "edges", ["monitor"])
    op.create_table(
        "baselines",
        sa.Column("monitor", sa.String(100), primary_key=True),
        sa.Column("version", sa.String(100), primary_key=True),
        sa.Column("profile", sa.LargeBinary, nullable=False),
    )


def _coordination() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("holder", sa.String(300), nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("in_flight_at", INSTANT),
        sa.Column("reference", sa.JSON, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )


def _append_only(table: str, same: str) -> None:
    """Refuses what changes or removes a stored row. `same` finds the row that a REPLACE would take away."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION vigil_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION vigil_append_only()"
        )
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}")
    taken = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 our own two names
    # INSERT OR REPLACE deletes without asking the trigger above
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")
