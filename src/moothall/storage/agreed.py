"""The tables of what was agreed and generated: protocols, tested code, services; once for both databases."""

from __future__ import annotations

import sqlalchemy as sa

from moothall.storage.schema import Instant, metadata

# Protocols that this node agreed on or fetched, by the hash of their documents.
protocol = sa.Table(
    "protocol",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("artifact", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# Which protocol answers a need (the digest of it) with a peer (its DID); `role` is this node's.
agreement = sa.Table(
    "agreement",
    metadata,
    sa.Column("need", sa.Text, primary_key=True),
    sa.Column("peer", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("protocol", sa.Text, nullable=False),
    sa.Column("transcript", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("agreement_protocol", "protocol"),
    sqlite_with_rowid=False,
)

# Tested code by its content hash. `tested_at`: when it passed the gate here; NULL: it was fetched and not run yet.
routine = sa.Table(
    "routine",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("protocol", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bundle", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Column("tested_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("routine_protocol", "protocol", "kind"),
    sqlite_with_rowid=False,
)

# Generated services: which version answers. `state`: waiting, live, disabled. `revision` grows with every change.
service = sa.Table(
    "service",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("live", sa.Text, nullable=False, server_default=""),
    sa.Column("canary", sa.Text, nullable=False, server_default=""),
    sa.Column("share", sa.Float, nullable=False, server_default="0"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("updated_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# Versions of a generated service; rows are never changed but for `approval`.
service_version = sa.Table(
    "service_version",
    metadata,
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("requirement", sa.Text, nullable=False, server_default=""),
    sa.Column("approval", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
