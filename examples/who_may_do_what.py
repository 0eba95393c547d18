"""Who may do what: a call is denied and the node says why; a team, a delegation and an approval open what was closed;
a field stays private; and everything is on record.

python examples/who_may_do_what.py
"""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from moothall import Agent, ApprovalPending, Node, PermissionDeniedError, Principal, Settings, UnifiedCaller, capability

# Two people, each with an agent of this node. Files of the folder `policy` count within a second of a change.
PEOPLE = """
[[person]]
id = "zhang"
[[person.agent]]
agent = "diary"
role = "personal"

[[person]]
id = "li"
[[person.agent]]
agent = "li"
"""


@dataclass
class Day:
    """What is on, and where."""

    what: str
    place: str


class Diary:
    """Of zhang: members of a common team may read it, but do not see where zhang is."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    @capability(access="team", read_only=True, private=["place"])
    def today(self) -> Day:
        """What is on today."""
        return Day("dentist at 9", "Clinic 3")

    @capability(access="personal")
    def note(self, text: str) -> str:
        """Write something down; for zhang's own agents."""
        self._notes.append(text)
        return f"{len(self._notes)} noted"


@capability(access="authenticated", approval=True)
def pay(to: str, amount: int) -> str:
    """Pay somebody, once the owner of the node has approved it."""
    return f"paid {amount} to {to}"


async def attempt(caller: UnifiedCaller, target: str, /, **arguments: object) -> None:
    """Call, and say what came of it."""
    try:
        print(f"{target}: {await caller.call(target, arguments)}")
    except PermissionDeniedError:
        print(f"{target}: denied")


async def work(node: Node) -> None:
    """What one agent may do with another one's functions."""
    diary, li = (node.host.office.did(agent) for agent in ("diary", "li"))
    # Over the network a signature proves who calls; here the process says it.
    as_li = node.caller("li", principal=Principal(id=str(li), kind="did", binding="request"))

    await attempt(as_li, "local:diary.today")
    why = await node.call("local:policy.explain", who=li, resource="diary.today")
    print("why:", why["reason"])

    await node.call("local:teams.create", team="search", members=["user:zhang", "user:li"])
    await attempt(as_li, "local:diary.today")  # a member of the team, who does not see the place

    await attempt(as_li, "local:diary.note", text="bring the papers")
    lent = await node.call(
        "local:grants.create", delegator=diary, delegate=li, actions=["write"], capabilities=["diary.note"]
    )
    await attempt(as_li, "local:diary.note", text="bring the papers")
    await node.call("local:grants.revoke", grant_id=lent.id)
    await attempt(as_li, "local:diary.note", text="and a pen")

    payment = {"to": "the dentist", "amount": 80}
    try:
        await as_li.call("local:pay", payment)
    except ApprovalPending as pending:
        print("pay: waits for an approval")
        asked = pending.approval_id
    await node.call("local:approvals.decide", approval_id=asked, decision="approved")
    print("pay:", await as_li.call("local:pay", payment, approval=asked))


async def in_a_node(folder: Path) -> None:
    """Open a node on a folder and do it there."""
    node = Node(Settings(data=folder, demo_agents=False))
    node.include(pay)
    node.add(Agent("diary", Diary()))
    node.add(Agent("li"))
    async with node:
        await work(node)


with TemporaryDirectory() as data:
    policy = Path(data, "policy")
    policy.mkdir()
    (policy / "people.toml").write_text(PEOPLE, encoding="utf-8")
    asyncio.run(in_a_node(Path(data)))
    subprocess.run([Path(sys.executable).with_name("moot"), "audit", "verify", "--data", data], check=True)
