"""``moot people``: who is behind which agent, and whom people trust, block, or consented to."""

from __future__ import annotations

from typing import get_args

import click

from moothall.cli.at_node import asked, asked_each, pages
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import did_of, party_of
from moothall.cli.telling import tell, tell_removed, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.people.facts import AgentStatus
from moothall.people.profile import Verification
from moothall.people.relations import Kind
from moothall.people.roles import DEFAULT

_NAMES = (
    "show",
    "set",
    "agents",
    "register",
    "change",
    "unregister",
    "prove",
    "relations",
    "relate",
    "unrelate",
    "remove",
)
_RELATIONS = ("subject", "kind", "level", "created_at")
_KINDS = click.Choice(get_args(Kind))
_AGENTS = ("did", "role", "environment", "status", "clearance")

people = Commands(
    "people",
    table={name: f"moothall.cli.people:{name}_person" for name in _NAMES},
    about="people",
    help="people.about",
    no_args_is_help=True,
)


@click.command("show", cls=Worded, help="people_about.show")
@click.argument("person")
@standard
def show_person(call: Invocation, person: str) -> int:
    """Show a person."""
    return tell(call, asked(call, "people.profile", person=person))


@click.command("set", cls=Worded, help="people_about.set")
@click.argument("person")
@click.option("--name", "display_name", cls=Option, help="option.person_name")
@click.option("--email", cls=Option, help="option.person_email")
@click.option("--phone", cls=Option, help="option.person_phone")
@click.option("--trust", type=click.IntRange(1, 10), cls=Option, help="option.person_trust")
@click.option(
    "--verification",
    type=click.Choice(get_args(Verification)),
    cls=Option,
    help="option.person_verified",
)
@click.option("--cross-agent-calls/--no-cross-agent-calls", default=None, cls=Option, help="option.person_cross")
@standard
def set_person(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    person: str,
    display_name: str | None,
    email: str | None,
    phone: str | None,
    trust: int | None,
    verification: str | None,
    cross_agent_calls: bool | None,  # noqa: FBT001 - click's way
) -> int:
    """Make a person, or change what is kept of one."""
    stated = {"display_name": display_name, "email": email, "phone": phone}
    steps: list[tuple[str, JsonObject]] = [("people.update", stated)]
    if cross_agent_calls is not None:
        steps.append(("people.policy", {"allow_cross_agent_calls": cross_agent_calls}))
    if trust is not None:
        steps.append(("people.rate", {"trust": trust}))
    if verification is not None:
        steps.append(("people.verify", {"status": verification}))
    done = asked_each(call, [(name, {"person": person, **given}) for name, given in steps])
    return tell(call, next(one for one in reversed(done) if "user_id" in one))


@click.command("agents", cls=Worded, help="people_about.agents")
@click.argument("person")
@standard
def agents_person(call: Invocation, person: str) -> int:
    """List the agents of a person."""
    return tell_rows(call, asked(call, "people.agents", person=person), _AGENTS)


@click.command("register", cls=Worded, help="people_about.register")
@click.argument("person")
@click.argument("agent")
@click.option("--role", default=DEFAULT, cls=Option, help="option.agent_role")
@click.option("--environment", default="", cls=Option, help="option.agent_environment")
@click.option("--proof", default="", cls=Option, help="option.agent_proof")
@standard
def register_person(call: Invocation, person: str, agent: str, role: str, environment: str, proof: str) -> int:
    """Let an agent act for a person."""
    row = asked(
        call,
        "people.register",
        person=person,
        agent_did=did_of(call, agent),
        agent_role=role,
        environment=environment,
        proof=proof,
    )
    return tell(call, row)


@click.command("prove", cls=Worded, help="people_about.prove")
@click.argument("agent")
@click.argument("person")
@click.argument("audience", metavar="URL")
@standard
def prove_person(call: Invocation, agent: str, person: str, audience: str) -> int:
    """Make the proof by which another node registers an agent of this one."""
    proof = asked(call, "people.prove", agent=agent, person=person, audience=audience)
    return tell(call, {"proof": proof}, str(proof))


@click.command("change", cls=Worded, help="people_about.change")
@click.argument("agent")
@click.option("--role", cls=Option, help="option.agent_role")
@click.option("--environment", cls=Option, help="option.agent_environment")
@click.option("--status", type=click.Choice(get_args(AgentStatus)), cls=Option, help="option.agent_status")
@click.option("--clearance", type=click.IntRange(0, 3), cls=Option, help="option.agent_clearance")
@standard
def change_person(
    call: Invocation, agent: str, role: str | None, environment: str | None, status: str | None, clearance: int | None
) -> int:
    """Change an agent of a person."""
    row = asked(
        call,
        "people.change_agent",
        agent_did=did_of(call, agent),
        role=role,
        environment=environment,
        status=status,
        clearance=clearance,
    )
    return tell(call, row)


@click.command("unregister", cls=Worded, help="people_about.unregister")
@click.argument("agent")
@standard
def unregister_person(call: Invocation, agent: str) -> int:
    """Let an agent act for nobody any more."""
    return tell_removed(call, asked(call, "people.unregister", agent_did=party_of(call, agent)))


@click.command("relations", cls=Worded, help="people_about.relations")
@click.argument("person")
@click.argument("kind", type=_KINDS)
@standard
def relations_person(call: Invocation, person: str, kind: str) -> int:
    """List whom a person trusts, blocks, or consented to."""
    found = pages(call, "people.relations", _further, person=person, kind=kind)
    return tell_rows(call, [row for page in found for row in page], _RELATIONS)


def _further(page: list[JsonObject]) -> dict[str, object] | None:
    return {"after": page[-1]["subject"]} if page else None


@click.command("relate", cls=Worded, help="people_about.relate", epilog="people_example.relate")
@click.argument("person")
@click.argument("kind", type=_KINDS)
@click.argument("subject")
@click.option("--level", type=click.IntRange(1, 10), cls=Option, help="option.relation_level")
@standard
def relate_person(call: Invocation, person: str, kind: str, subject: str, level: int | None) -> int:
    """Trust somebody, consent to it, or block it."""
    who = party_of(call, subject)
    return tell(call, asked(call, "people.relate", person=person, kind=kind, subject=who, level=level))


@click.command("unrelate", cls=Worded, help="people_about.unrelate")
@click.argument("person")
@click.argument("kind", type=_KINDS)
@click.argument("subject")
@standard
def unrelate_person(call: Invocation, person: str, kind: str, subject: str) -> int:
    """Take that back."""
    who = party_of(call, subject)
    return tell_removed(call, asked(call, "people.unrelate", person=person, kind=kind, subject=who))


@click.command("remove", cls=Worded, help="people_about.remove")
@click.argument("person")
@standard
def remove_person(call: Invocation, person: str) -> int:
    """Forget a person."""
    return tell_removed(call, asked(call, "people.remove", person=person))
