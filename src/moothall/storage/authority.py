"""The tables of who may do what: people, units, delegations, quotas, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa

from moothall.storage.schema import Instant
from moothall.storage.schema import metadata as metadata  # noqa: PLC0414 - handed on: with this module every table is in it

# Numbers that grow with every change of what decisions are made of: ``people``, ``grants``.
revision = sa.Table(
    "revision",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# People. `trust`: 1 to 10, given by this node. `preferences`, `policy`: JSON; `policy` holds `allow_cross_agent_calls`.
person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False, server_default=""),
    sa.Column("email", sa.Text, nullable=False, server_default=""),
    sa.Column("phone", sa.Text, nullable=False, server_default=""),
    sa.Column("preferences", sa.Text, nullable=False, server_default="{}"),
    sa.Column("trust", sa.Integer, nullable=False, server_default="5"),
    sa.Column("verification", sa.Text, nullable=False, server_default="unverified"),
    sa.Column("policy", sa.Text, nullable=False, server_default="{}"),
    sa.Column("origin", sa.Text, nullable=False, server_default="api"),  # api, file
    sa.Column("created_at", Instant, nullable=False),
)

# The agents of people, one person each. `environment`: what its person said; empty: the host name of its DID tells.
person_agent = sa.Table(
    "person_agent",
    metadata,
    sa.Column("did", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False, server_default=""),
    sa.Column("clearance", sa.Integer, nullable=False, server_default="0"),
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    sa.Column("origin", sa.Text, nullable=False, server_default="api"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("person_agent_person", "person", "created_at", "did"),
    sqlite_with_rowid=False,
)

# How far a person trusts somebody, 1 to 10, and whom the person lets read what is personal; `subject`: a DID or user.
person_relation = sa.Table(
    "person_relation",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # trust, consent, block
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("person_relation_subject", "subject", "kind"),
    sqlite_with_rowid=False,
)

# Organisations, their departments (which nest) and teams.
unit = sa.Table(
    "unit",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # organisation, department, team
    sa.Column("parent", sa.Text),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("config", sa.Text, nullable=False, server_default="{}"),
    sa.Column("origin", sa.Text, nullable=False, server_default="api"),  # api, file
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("unit_parent", "parent"),
    sqlite_with_rowid=False,
)

# Who belongs to a unit; `member`: a DID or ``user:NAME``; `role`: ``owner``, ``member``, ``invited`` (counts only once
# the member has joined), or in an organisation a duty such as ``hr``.
membership = sa.Table(
    "membership",
    metadata,
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("member", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False, server_default="api"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("membership_member", "member"),
    sqlite_with_rowid=False,
)

# What members of one team may do at another, once both agreed. `expires`: Unix seconds; NULL: until taken back.
collaboration = sa.Table(
    "collaboration",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("guest", sa.Text, nullable=False),
    sa.Column("actions", sa.Text, nullable=False),
    sa.Column("capabilities", sa.Text, nullable=False, server_default="[]"),
    sa.Column("project", sa.Text, nullable=False, server_default=""),
    sa.Column("expires", sa.BigInteger),
    sa.Column("host_agreed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("guest_agreed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("collaboration_host", "host"),
    sa.Index("collaboration_guest", "guest"),
    sqlite_with_rowid=False,
)

# Delegations, as their delegators signed them. `token`: the JWS; the other columns repeat its claims for look-ups.
delegation = sa.Table(
    "delegation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text),
    sa.Column("delegator", sa.Text, nullable=False),
    sa.Column("delegate", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False, server_default="jws"),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Index("delegation_delegate", "delegate", "expires"),
    sa.Index("delegation_delegator", "delegator", "expires"),
    sa.Index("delegation_parent", "parent"),
    sqlite_with_rowid=False,
)

# Calls that a caller made of a capability in a period, which begins at `since` (Unix seconds).
quota = sa.Table(
    "quota",
    metadata,
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("capability", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Index("quota_expires", "expires"),
    sqlite_with_rowid=False,
)

# The audit trail: one chain for each node that writes. `body`: canonical JSON; `hash`: over the one before and it.
audit_record = sa.Table(
    "audit_record",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("audit_record_at", "at"),
    sa.Index("audit_record_actor", "actor", "at"),
    sqlite_with_rowid=False,
)

# Signed statements that a chain had this hash at this place.
audit_anchor = sa.Table(
    "audit_anchor",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("token", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
