"""A function that every agent may call: `moot serve examples/add.py`."""

from moothall import Node, capability


@capability(access="public")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


node = Node()
node.include(add)
