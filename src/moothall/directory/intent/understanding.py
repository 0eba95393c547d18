"""What understands the words of a call to an ``ai_enhanced`` capability: a model, and nothing but one (row DEC-21)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from moothall.calls.call import Call
from moothall.capability.spoken import QUERY
from moothall.directory.intent.asking import IntentModel, no_model


class ModelUnderstanding:
    """`Understands` by a model.

    Args:
        model: the model; None: there is none.
        today: the date.
    """

    def __init__(self, model: IntentModel | None, today: Callable[[], date]) -> None:
        self._model = model
        self._today = today

    async def __call__(self, call: Call, sentence: str, given: Mapping[str, Any], /) -> Mapping[str, Any]:
        """The arguments of a call; they are validated like any others afterwards.

        Raises:
            Unavailable: there is no model.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: it gives none.
        """
        if self._model is None:
            raise no_model()
        schema = call.entry.input_schema
        properties = {name: each for name, each in schema["properties"].items() if name != QUERY}
        found = await self._model.fill(sentence, {**schema, "properties": properties}, given, self._today())
        return {**found, **given}
