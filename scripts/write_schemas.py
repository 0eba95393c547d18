"""Write what is made from the models anew: the shipped JSON schemas and the event documentation.

python scripts/write_schemas.py
"""

from __future__ import annotations

import json
from importlib.resources import files
from inspect import getdoc
from pathlib import Path

from moothall.events.types import EVENT_TYPES, SPEC_EVENT_TYPES
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.negotiation.demand.schemas import schemas

HEAD = """# Events

Every step of a negotiation is an event. `GET /api/v1/events/negotiations/{demand_id}/stream` gives them as server-sent
events: `id:` is the event id, `data:` is one JSON object with `event_id`, `event_type`, `timestamp` (RFC 3339, UTC) and
`payload`. Ids rise; they may skip, because some rows of the log never leave the node.

The order: understood, filter.completed, channel.created, broadcast, offers, aggregation.started, then for each round
distributed, feedback, feedback.evaluated (from round 2 on after round_started), then substitute.invited and
substitute.answered where somebody who offered may fill an open place, then gap.identified and subnet.triggered where
there are gaps, then exactly one of proposal.finalized and negotiation.failed, and nothing after it.

The payloads of a replay, which shows a recorded negotiation again, also say `"demo": true` and `"mark": "DEMO"`.

Types and keys beyond the specification are marked *additional*: a client may ignore them. The full shapes are JSON
schemas in the package: `moothall/data/schemas.json`, under `event.<type>`.
"""


def events_document() -> str:
    """The event documentation, from the payload models."""
    parts = [HEAD]
    for name, model in PAYLOADS.items():
        keys = EVENT_TYPES[name]
        more = [key for key in model.model_fields if key not in keys]
        text = (getdoc(model) or "").replace("``", "`").replace("\n", " ")
        about = text.partition("; ")[2] or ""
        mark = "" if name in SPEC_EVENT_TYPES else " (additional)"
        lines = [f"## `{name}`{mark}", ""]
        if about:
            lines += [about[0].upper() + about[1:] if about[0] != "`" else about, ""]
        lines.append(f"Keys: {', '.join(f'`{key}`' for key in keys)}.")
        if more:
            lines += ["", f"Additional: {', '.join(f'`{key}`' for key in more)}."]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Write both files."""
    shipped = Path(str(files("moothall"))) / "data" / "schemas.json"
    shipped.write_text(json.dumps(schemas(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    document = Path(__file__).parent.parent / "docs" / "events.md"
    document.parent.mkdir(exist_ok=True)
    document.write_text(events_document(), encoding="utf-8")


if __name__ == "__main__":
    main()
