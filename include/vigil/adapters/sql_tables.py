"""The tables of Vigil's own state, for SQLite and PostgreSQL. `migrations/` creates them; a test compares the two."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vigil.adapters.sql_engine import UtcDateTime

metadata = MetaData()
NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by INTEGER PRIMARY KEY only

events = Table(
    "events",
    metadata,
    Column("stream", String(200), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("key", String(300), nullable=False),
    Column("type", String(60), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("payload", Text, nullable=False),  # canonical JSON: the very text that was hashed
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("stream", "key", name="uq_events_key"),
)

night_results = Table(
    "night_results",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("monitor", String(100), nullable=False),
    Column("environment", String(100), nullable=False),
    Column("night", Date, nullable=False),
    Column("digest_key", String(200), nullable=False),
    Column("evaluated_at", UtcDateTime, nullable=False),
    Column("labels_through", UtcDateTime),
    Column("result", Text, nullable=False),
    Index("ix_night_results_night", "monitor", "environment", "night", "id"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("result_id", NUMBER, ForeignKey("night_results.id"), nullable=False, index=True),
    Column("monitor", String(100), nullable=False),
    Column("environment", String(100), nullable=False),
    Column("night", Date, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("family", String(30), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
    Column("n", BigInteger),
    Column("state", String(20), nullable=False),
    Column("cause", String(40)),
    Column("reason", Text, nullable=False),
    Column("config_digest", String(64), nullable=False),
    Column("edges_digest", String(64), nullable=False),
    Column("partition_digest", String(64), nullable=False),
    Column("evaluated_at", UtcDateTime, nullable=False),
    Column("labels_through", UtcDateTime),
    Index("ix_verdicts_question", "monitor", "environment", "metric", "subject", "night"),
)

stage_measurements = Table(
    "stage_measurements",
    metadata,
    Column("monitor", String(100), primary_key=True),
    Column("environment", String(100), primary_key=True),
    Column("night", Date, primary_key=True),
    Column("source", String(40), primary_key=True),
    Column("partition_digest", String(64), primary_key=True),
    Column("measurements", Text, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("monitor", String(100), nullable=False),
    Column("environment", String(100), nullable=False),
    Column("night", Date, nullable=False),
    Column("version", String(100), nullable=False),
    Column("role", String(30), nullable=False),
    Column("partition_digest", String(64), nullable=False),
    Column("edges_digest", String(64), nullable=False),
    Column("profile", LargeBinary, nullable=False),
    Index("ix_profiles_night", "monitor", "environment", "night", "id"),
)

edges = Table(
    "edges",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("monitor", String(100), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("edges", Text, nullable=False),
)

baselines = Table(
    "baselines",
    metadata,
    Column("monitor", String(100), primary_key=True),
    Column("version", String(100), primary_key=True),
    Column("profile", LargeBinary, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("holder", String(300), nullable=False),  # empty: released
    Column("token", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("in_flight_at", UtcDateTime),
    Column("reference", JSON, nullable=False),
    Column("error", Text, nullable=False),
)
