"""A restaurant as an MCP server: a tool that asks a person, a resource, a template of resources, and a prompt.

moot serve examples/mcp_tools.py                 # http://127.0.0.1:8420/mcp for any MCP client
moot mcp examples/mcp_tools.py                   # or on standard input and output, started by the client

On other doors the same functions are ordinary capabilities:

moot call local:dishes day=friday
"""

from pydantic import BaseModel, Field

from moothall import CallContext, Node, capability, prompt, resource

DISHES = {"friday": ["noodles", "fish"], "saturday": ["dumplings"]}
DAYS = tuple(DISHES)


class Table(BaseModel):
    """What a person is asked before a table is booked."""

    people: int = Field(2, ge=1, le=8)
    outside: bool = False


@capability(access="public")
async def book(ctx: CallContext, name: str, day: str) -> str:
    """Book a table; the guest is asked how large it should be."""
    table = await ctx.elicit(f"A table for {name} on {day}: how large?", Table)
    if table is None:
        return "no table was booked"
    return f"{name}, {day}: {table.people} people, {'outside' if table.outside else 'inside'}"


@resource("menu://days", mime_type="application/json", access="public")
def days() -> list[str]:
    """List the days on which there is something to eat."""
    return list(DAYS)


@resource("menu://{day}", mime_type="application/json", access="public", completions={"day": DAYS})
def dishes(day: str) -> list[str]:
    """List the dishes of a day."""
    return DISHES.get(day, [])


@prompt(access="public", completions={"day": DAYS})
def recommend(day: str) -> str:
    """Ask a model for a recommendation."""
    return f"Read the resource menu://{day} and recommend one dish in a single sentence."


node = Node()
node.include(book, days, dishes, recommend)
