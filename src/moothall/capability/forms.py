"""Forms made from models: what a person is asked, and what becomes of the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from pydantic import ValidationError as Refusal

from moothall.canonical import canonical
from moothall.capability.questions import Form
from moothall.capability.refusals import refused
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError

M = TypeVar("M", bound=BaseModel)

_FIELDS: Final = frozenset({"string", "number", "integer", "boolean"})


def form_of(message: str, model: type[BaseModel]) -> tuple[str, Form]:
    """A form for the fields of a model, and a name that is the same whenever the same is asked.

    Raises:
        InternalError: a field is no text, number, switch or choice.
    """
    whole = model.model_json_schema()
    defined: Mapping[str, JsonObject] = whole.get("$defs", {})
    fields = {name: _field(model, name, schema, defined) for name, schema in whole.get("properties", {}).items()}
    schema: JsonObject = {"type": "object", "properties": fields}
    if required := whole.get("required"):
        schema["required"] = required
    digest = hashlib.sha256(canonical([message, schema])).hexdigest()[:12]
    return f"{model.__name__}-{digest}", Form(message, schema)


def filled(model: type[M], answer: Mapping[str, Any]) -> M | None:
    """The model that a person filled in; None when they would not.

    Raises:
        ValidationError: what they filled in does not fit.
    """
    if answer.get("action") != "accept":
        return None
    try:
        return model.model_validate(answer.get("content") or {})
    except Refusal as refusal:
        raise refused(refusal, tuple(model.model_fields)) from None


def _field(model: type[BaseModel], name: str, schema: JsonObject, defined: Mapping[str, JsonObject]) -> JsonObject:
    flat = _resolved(schema, defined)
    if "items" in flat:
        flat["items"] = _resolved(flat["items"], defined)
    if flat.get("type") in _FIELDS or (flat.get("type") == "array" and "enum" in flat.get("items", {})):
        return flat
    raise InternalError(f"{model.__name__}.{name} fits no form: a form asks for texts, numbers, switches and choices")


def _resolved(schema: JsonObject, defined: Mapping[str, JsonObject]) -> JsonObject:
    """A field with the choices that pydantic writes down apart."""
    said = {key: item for key, item in schema.items() if key != "$ref"}
    if "$ref" in schema:
        said = {**defined[schema["$ref"].rpartition("/")[2]], **said}
    return said
