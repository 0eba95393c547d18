"""Two pairs of eyes stay two: who lends its right to somebody cannot approve what is done with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall import Agent, ApprovalPending, Node, Principal, Settings, capability
from moothall.errors import Forbidden, ServiceNotFoundError

PEOPLE = """
[[person]]
id = "zhang"
agent = [{ agent = "bank", role = "finance" }, { agent = "zhangs", role = "admin" }]

[[person]]
id = "li"
agent = [{ agent = "li" }]
"""

POLICY = """
[[approvals.rule]]
name = "all payments"
capability = "*.pay"
workflow = "two-eyes"

[[approvals.workflow.two-eyes.step]]
approvers = [%s]
"""


class Bank:
    """Pays."""

    @capability(access="personal")
    async def pay(self, amount: int) -> int:
        return amount


def user(name: str) -> Principal:
    return Principal(id=f"user:{name}", kind="user", binding="token")


def furnished(folder: Path, approvers: str) -> Node:
    policy = folder / "policy"
    policy.mkdir()
    (policy / "people.toml").write_text(PEOPLE, encoding="utf-8")
    (policy / "policy.toml").write_text(POLICY % approvers, encoding="utf-8")
    node = Node(Settings(data=folder, demo_agents=False))
    node.add(Agent("bank", Bank()), Agent("house", Bank()), Agent("zhangs"), Agent("li"))
    return node


async def lent(node: Node, lender: str = "zhangs", what: str = "bank.pay") -> Principal:
    """The agent of li, to which another agent has lent the right to pay."""
    delegator, li = (str(node.host.office.did(agent)) for agent in (lender, "li"))
    await node.call("local:grants.create", delegator=delegator, delegate=li, actions=["write"], capabilities=[what])
    return Principal(id=li, kind="did", binding="request")


@pytest.mark.requirement("SEC-07", "DEL-03")
async def test_the_person_whose_right_was_lent_cannot_approve_the_call(tmp_path: Path) -> None:
    async with furnished(tmp_path, '"user:zhang", "user:wu"') as node:
        as_li = await lent(node)
        with pytest.raises(ApprovalPending) as pending:
            await node.caller("li", principal=as_li).call("local:bank.pay", amount=5_000)
        given = {"approval_id": pending.value.approval_id, "decision": "approved"}
        shown = await node.call("local:approvals.show", approval_id=pending.value.approval_id)
        assert [step.approvers for step in shown.steps] == [["user:wu"]]
        assert shown.on_behalf_of == str(node.host.office.did("zhangs"))
        with pytest.raises(ServiceNotFoundError):
            await node.caller(principal=user("zhang")).call("local:approvals.decide", given)
        await node.caller(principal=user("wu")).call("local:approvals.decide", given)
        approval = pending.value.approval_id
        assert (
            await node.caller("li", principal=as_li).call("local:bank.pay", {"amount": 5_000}, approval=approval)
            == 5_000
        )


async def test_where_nobody_else_could_approve_it_the_call_is_refused(tmp_path: Path) -> None:
    async with furnished(tmp_path, '"user:zhang", "user:li"') as node:
        as_li = await lent(node)
        with pytest.raises(Forbidden, match="nobody is left"):
            await node.caller("li", principal=as_li).call("local:bank.pay", amount=5_000)


async def test_the_operator_approves_what_an_agent_of_the_node_that_is_nobodys_has_lent(tmp_path: Path) -> None:
    async with furnished(tmp_path, '"owner"') as node:
        as_li = await lent(node, "house", "house.pay")
        with pytest.raises(ApprovalPending) as pending:
            await node.caller("li", principal=as_li).call("local:house.pay", amount=5_000)
        given = {"approval_id": pending.value.approval_id, "decision": "approved"}
        assert (await node.call("local:approvals.decide", given)).status == "approved"
