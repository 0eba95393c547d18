"""How pydantic writes our JSON Schemas (2020-12): short, and honest about integers that travel as texts."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticSerializationError, core_schema

from moothall.capability.values import SAFE, narrow, safe_integer

MARK: Final = "x-moothall-int"
DECIMAL: Final = "decimal-string"


class Inputs(GenerateJsonSchema):
    """Schemas of arguments: an integer that may be beyond 2^53 is marked, a decimal string is taken for it."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - declared so by pydantic

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        """A name is no title."""
        return False

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """As pydantic's, marked where the bounds leave room beyond 2^53."""
        made = {key: value for key, value in super().int_schema(schema).items() if not _rounded(value)}
        return made if _bounded(schema) else {**made, MARK: DECIMAL}

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        """As it would travel; one that has no JSON form is left out."""
        try:
            return narrow(super().encode_default(dft))
        except ValueError as error:
            raise PydanticSerializationError(str(error)) from error


class Outputs(Inputs):
    """Schemas of results: there such an integer is an integer or a text."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """An integer, or a text of digits."""
        made = super().int_schema(schema)
        return {**made, "type": ["integer", "string"], "pattern": r"^-?\d+$"} if MARK in made else made


def _rounded(value: object) -> bool:
    return isinstance(value, int) and safe_integer(value) != value


def _bounded(schema: core_schema.IntSchema) -> bool:
    low, above, high, below = (schema.get(key) for key in ("ge", "gt", "le", "lt"))
    lowest = [bound for bound in (low, above) if isinstance(bound, int)]
    highest = [bound for bound in (high, below) if isinstance(bound, int)]
    return bool(lowest and highest) and max(lowest) >= -SAFE - 1 and min(highest) <= SAFE + 1
