"""An application that knows the older names of the specification, and no others (row NFR-04)."""

from moothall import ANPUser, local_method, register_local_methods_to_agent, wrap_business_handler

agent = ANPUser("old")


@agent.expose_api("/old/add", methods=["POST"])
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@agent.register_message_handler
def on_message(message: dict) -> dict:
    """Answer a message."""
    return {"heard": message["content"]}


@agent.register_group_event_handler
def on_group(group_id: str, event_type: str, event_data: dict) -> dict:
    """Answer an event of a group."""
    return {"group": group_id, "event": event_type, "heard": event_data.get("content")}


@local_method()
def double(value: int) -> int:
    """Twice as much."""
    return 2 * value


def business(city: str, days: int = 1) -> str:
    """Say something about a city."""
    return f"{city} {days}"


handler = wrap_business_handler(business)
registered = register_local_methods_to_agent(agent, {"double": double})
