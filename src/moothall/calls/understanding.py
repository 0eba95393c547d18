"""Arguments in words, before they are validated: the port to what understands them (row DEC-21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from moothall.calls.call import Call
from moothall.calls.ports import Params
from moothall.capability.spoken import sentence_in
from moothall.errors import Told, Unavailable


class Understands(Protocol):
    """Finds arguments in a sentence."""

    async def __call__(self, call: Call, sentence: str, given: Mapping[str, Any], /) -> Mapping[str, Any]:
        """The arguments of a call, those that are given by name among them.

        Raises:
            Unavailable: there is no model.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gives none.
            ValidationError: the sentence names too little.
        """
        ...


class Understanding:
    """Where words are understood; nowhere, until something that can is put in.

    Attributes:
        by: what understands them.
    """

    def __init__(self) -> None:
        self.by: Understands | None = None

    async def arguments(self, call: Call, params: Params) -> Params:
        """The arguments of a call to a capability that is ``ai_enhanced``.

        Raises:
            as `Understands`.
        """
        entry = call.entry
        found = sentence_in(entry.spec, entry.input_schema, params)
        if found is None:
            return params
        if self.by is None:
            raise Unavailable("nothing here understands words", told=Told("intent.no_model"))
        return await self.by(call, *found)
