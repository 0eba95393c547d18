"""The tables of what was found elsewhere: places that were read, what they list, who registered; for both databases."""

from __future__ import annotations

import sqlalchemy as sa

from moothall.storage.schema import Instant, metadata

# Places that are read again and again. `etag`, `modified`: what they said, for conditional requests. `why`: the code of
# the error that the last reading ended with; empty: it went well. `parent`: the place that led to it; empty: it was
# added by hand, and is the one that is read when its time has come.
source = sa.Table(
    "source",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False, server_default=""),
    sa.Column("etag", sa.Text, nullable=False, server_default=""),
    sa.Column("modified", sa.Text, nullable=False, server_default=""),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("checked_at", Instant),
    sa.Column("next_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("source_next", "next_at"),
    sa.Index("source_parent", "parent"),
    sqlite_with_rowid=False,
)

# What was found, by the target that calls it. `digest` is of the description as it was read last, `pinned` of the one
# that may be used: where they differ, somebody has to look at it again. `seq` grows with every change of any row.
listing = sa.Table(
    "listing",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("pinned", sa.Text, nullable=False, server_default=""),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("trust", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("listing_source", "source"),
    sa.Index("listing_seq", "seq"),
    sa.Index("listing_expires", "expires_at"),
    sqlite_with_rowid=False,
)

# Concepts that were added to the vocabulary of the package, or changed in it.
concept = sa.Table(
    "concept",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Column("updated_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# Agents of other nodes that take part in negotiations here, by their ids in the table `agent`. `target` is what was
# added; `offer`, `review`, `profile` are what is called. `digest` is of the profile as it was read.
participant = sa.Table(
    "participant",
    metadata,
    sa.Column("agent_id", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("offer", sa.Text, nullable=False),
    sa.Column("review", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False, server_default=""),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

# Services that agents registered with the node's master agent, with proof of their DIDs.
registered_service = sa.Table(
    "registered_service",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("registered_service_agent", "agent"),
    sqlite_with_rowid=False,
)
