"""Questions of a task elsewhere: forms are passed on to whoever called us, and nothing else is.

A form asks a person, who sees who asks. What a model shall write, and which folders there are, is no business of an
agent that our caller has not chosen itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from moothall.calls.ports import Outgoing
from moothall.capability.questions import Form
from moothall.capability.spec import JsonObject

MOST_ROUNDS: Final = 16
"""How often one task may ask."""

_MOST: Final = 32
_LONGEST: Final = 4000
_SHOWN: Final = 64


def forms_in(message: object) -> dict[str, Form]:
    """The forms that the status of a task asks to fill in; none where it asks anything else, too."""
    parts = message.get("parts") if isinstance(message, dict) else None
    for part in parts if isinstance(parts, list) else []:
        data = part.get("data") if isinstance(part, dict) else None
        asked = data.get("questions") if isinstance(data, dict) else None
        if not isinstance(asked, dict) or len(asked) > _MOST:
            continue
        found = {name: form for name, row in asked.items() if (form := _form(row)) is not None}
        if len(found) == len(asked):
            return found
    return {}


async def answers(outgoing: Outgoing, forms: Mapping[str, Form], place: int) -> JsonObject | None:
    """What the partner of a call answers, as the part of a message; None where there is nobody to ask.

    Args:
        outgoing: the call.
        forms: what the task asks.
        place: how often it has asked before.

    Raises:
        InputRequired: the answers come with another request.
        MoothallError: as `Partner.ask`.
    """
    if outgoing.partner is None or not forms:
        return None
    names = {_named(outgoing, place, key, form): key for key, form in forms.items()}
    given = await outgoing.partner.ask({name: forms[key] for name, key in names.items()})
    found = {key: given[name] for name, key in names.items()}
    return {"data": {"answers": found}, "mediaType": "application/json"}


def _form(row: Any) -> Form | None:  # noqa: ANN401 - JSON of any shape
    if not isinstance(row, dict) or row.get("type") != "form":
        return None
    said, schema = row.get("message"), row.get("schema")
    if not isinstance(said, str) or len(said) > _LONGEST or not isinstance(schema, dict):
        return None
    return Form(said, schema)


def _named(outgoing: Outgoing, place: int, key: str, form: Form) -> str:
    """The name of a question, which no other has: a caller that comes again has its answers found by their names.

    What is called, with which arguments, which question of that call it is, and what it says: all of that is agreed to
    by an answer, and nothing else is.
    """
    said = json.dumps([outgoing.params, place, key, form.message, form.schema], sort_keys=True)
    return f"{outgoing.target}:{key[:_SHOWN]}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"
