"""What a capability may show beside data: texts, pictures, sounds, resources, and messages made of them.

The models have the JSON form of the Model Context Protocol. A capability that returns one of them, or a list of them,
shows them there as they are; every other door has the same JSON.
"""

from __future__ import annotations

import base64
import binascii
import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel


def _decoded(value: object) -> object:
    """Bytes for a text in base64; anything else is left to the check of the type."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


BASE64: Final = {"type": "string", "contentEncoding": "base64"}
"""How the schema of a `Binary` says what it is."""

Binary = Annotated[
    bytes, BeforeValidator(_decoded), PlainSerializer(_encoded, when_used="json"), WithJsonSchema(BASE64)
]
"""Bytes that travel as base64; a text that is given for them must be base64 itself."""


def _absent(value: object) -> bool:
    return value is None


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Text(_Model):
    """A text."""

    type: Literal["text"] = "text"
    text: str


class Image(_Model):
    """A picture."""

    type: Literal["image"] = "image"
    data: Binary
    mime_type: str = "image/png"


class Audio(_Model):
    """A sound."""

    type: Literal["audio"] = "audio"
    data: Binary
    mime_type: str = "audio/wav"


class ResourceLink(_Model):
    """Where something can be read."""

    type: Literal["resource_link"] = "resource_link"
    uri: str
    name: str
    description: str | None = Field(default=None, exclude_if=_absent)
    mime_type: str | None = Field(default=None, exclude_if=_absent)


class TextContents(_Model):
    """A resource that is a text."""

    uri: str
    text: str
    mime_type: str = "text/plain"


class BlobContents(_Model):
    """A resource that is not."""

    uri: str
    blob: Binary
    mime_type: str = "application/octet-stream"


class EmbeddedResource(_Model):
    """A resource, shown in place."""

    type: Literal["resource"] = "resource"
    resource: TextContents | BlobContents


Block = Text | Image | Audio | ResourceLink | EmbeddedResource
"""Anything that can be shown."""


class Message(_Model):
    """A part of a conversation, for the model that a prompt is for."""

    role: Literal["user", "assistant"] = "user"
    content: Block


_BLOCKS: Final = frozenset(get_args(Block))


def shows_blocks(annotation: Any) -> bool:  # noqa: ANN401 - a type
    """Whether a result of this type is something to be shown: a block, one of several kinds, or a list of them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return shows_blocks(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return all(shows_blocks(item) for item in get_args(annotation))
    if origin is list:
        return shows_blocks(get_args(annotation)[0])
    if origin is tuple:
        return all(item is Ellipsis or shows_blocks(item) for item in get_args(annotation))
    return annotation in _BLOCKS
