"""Handlers of messages: capabilities that nobody has to know by name, since messages are brought to them (DEC-07).

``template="group"`` takes events of groups, ``template="message"`` what is said to its agent alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from moothall.capability.options import OptionError
from moothall.capability.spec import CapabilitySpec

GROUP: Final = "group"
MESSAGE: Final = "message"

_SHAPES: Final = {GROUP: (1, 3), MESSAGE: (1, 2)}
_TAKES: Final = {
    GROUP: "(group_id, event_type, event_data) or one message with these three",
    MESSAGE: "(message) or (sender, message)",
}


def check_handler(spec: CapabilitySpec, names: Collection[str]) -> None:
    """Look whether a handler can be given what it is for (row TPL-32).

    Args:
        spec: the description.
        names: the parameters that a caller fills.

    Raises:
        OptionError: it takes something else, or an option for handlers stands at something that is none.
    """
    shapes = _SHAPES.get(spec.template)
    if spec.template != GROUP and (spec.group_id or spec.group_events or spec.broadcast_result):
        raise OptionError(f"{spec.name}: group_id, group_events and broadcast_result are for template='group'")
    if shapes is None:
        return
    if len(names) not in shapes:
        raise OptionError(f"{spec.name}: a handler of template={spec.template!r} takes {_TAKES[spec.template]}")
    if spec.source != "local" or spec.kind != "tool":
        raise OptionError(f"{spec.name}: a handler of messages is a function of this node")
