"""The tables of groups: who is in them, what holds in them, which are linked; once for both databases.

Messages stand in the event log, in one run for each group.
"""

from __future__ import annotations

import sqlalchemy as sa

from moothall.storage.schema import Instant, metadata

# `policy` and `secondary` are JSON: the rules inside, and chains, rules and workflows of the secondary authorization.
# `revision` grows with every change of the group or its members; whoever edits names the one that was read.
agent_group = sa.Table(
    "agent_group",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
    sa.Column("secondary", sa.Text, nullable=False, server_default="{}"),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Index("agent_group_owner", "owner"),
    sqlite_with_rowid=False,
)

# Members by their DIDs. `state`: invited, active.
group_member = sa.Table(
    "group_member",
    metadata,
    sa.Column("group_id", sa.Text, primary_key=True),
    sa.Column("member", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False, server_default="member"),
    sa.Column("state", sa.Text, nullable=False, server_default="active"),
    sa.Column("joined_at", Instant, nullable=False),
    sa.Index("group_member_member", "member"),
    sqlite_with_rowid=False,
)

# Links of two groups (`first` < `second` as texts). `direction`: both, forth (first to second), back. Each side's
# consent is the DID or user who gave it; the link is `active` once both are there.
group_link = sa.Table(
    "group_link",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("second", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False, server_default="both"),
    sa.Column("hops", sa.Integer, nullable=False, server_default="3"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("first_consent", sa.Text, nullable=False, server_default=""),
    sa.Column("second_consent", sa.Text, nullable=False, server_default=""),
    sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
    sa.Column("expires_at", Instant),
    sa.Column("closed_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("group_link_first", "first"),
    sa.Index("group_link_second", "second"),
    sqlite_with_rowid=False,
)
