"""How values of capabilities look as tools, resources and prompts."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from mcp_types import GetPromptResult, ReadResourceResult

from moothall import prompt, resource
from moothall.capability.content import (
    Audio,
    BlobContents,
    Block,
    EmbeddedResource,
    Image,
    Message,
    ResourceLink,
    Text,
    TextContents,
)
from moothall.capability.decorators import capability
from moothall.protocols.mcp.content import as_text, blocks, contents, messages
from tests.capability.shop import entry_of

PNG = base64.b64encode(b"\x89PNG").decode()


def test_blocks_are_content_and_data_is_not() -> None:
    @capability
    def show() -> list[Text | Image]:
        return [Text(text="a"), Image(data=b"b")]

    @capability
    def count() -> int:
        return 1

    assert entry_of(show).blocks
    assert not entry_of(count).blocks
    assert blocks(entry_of(show).encode(show()))[0] == {"type": "text", "text": "a"}
    assert blocks({"type": "text", "text": "a"}) == [{"type": "text", "text": "a"}]


READ: list[tuple[type, Any, str, dict[str, Any]]] = [
    (str, "a", "", {"mimeType": "text/plain", "text": "a"}),
    (str, "a", "text/markdown", {"mimeType": "text/markdown", "text": "a"}),
    (bytes, b"\x89PNG", "image/png", {"mimeType": "image/png", "blob": PNG}),
    (bytes, b"\x89PNG", "", {"mimeType": "application/octet-stream", "blob": PNG}),
    (dict[str, int], {"a": 1}, "", {"mimeType": "application/json", "text": '{"a":1}'}),
    (Text, Text(text="a"), "", {"mimeType": "text/plain", "text": "a"}),
    (Image, Image(data=b"\x89PNG"), "", {"mimeType": "image/png", "blob": PNG}),
    (Audio, Audio(data=b"\x89PNG"), "", {"mimeType": "audio/wav", "blob": PNG}),
    (ResourceLink, ResourceLink(uri="b://c", name="c"), "", {"mimeType": "text/uri-list", "text": "b://c"}),
    (
        EmbeddedResource,
        EmbeddedResource(resource=TextContents(uri="a://b", text="c")),
        "",
        {"mimeType": "text/plain", "text": "c"},
    ),
    (
        EmbeddedResource,
        EmbeddedResource(resource=BlobContents(uri="a://b", blob=b"\x89PNG")),
        "",
        {"mimeType": "application/octet-stream", "blob": PNG},
    ),
]


@pytest.mark.parametrize(
    ("kind", "value", "mime", "read"), READ, ids=[f"{row[0].__name__}-{place}" for place, row in enumerate(READ)]
)
def test_a_resource_is_read_as_text_or_bytes(kind: type, value: Any, mime: str, read: dict[str, Any]) -> None:
    def thing() -> Any:
        return value

    thing.__annotations__["return"] = kind
    entry = entry_of(resource("a://b", mime)(thing))
    found = contents(entry, "a://b", entry.encode(value))
    assert found == [{"uri": "a://b", **read}]
    ReadResourceResult.model_validate({"contents": found})


SAID: list[tuple[Any, Any, list[dict[str, Any]]]] = [
    (str, "hi", [{"role": "user", "content": {"type": "text", "text": "hi"}}]),
    (list[str], ["a", "b"], [{"role": "user", "content": {"type": "text", "text": text}} for text in "ab"]),
    (Block, Text(text="hi"), [{"role": "user", "content": {"type": "text", "text": "hi"}}]),
    (
        list[Message],
        [Message(role="assistant", content=Text(text="hi"))],
        [{"role": "assistant", "content": {"type": "text", "text": "hi"}}],
    ),
    (dict[str, int], {"a": 1}, [{"role": "user", "content": {"type": "text", "text": '{"a":1}'}}]),
]


@pytest.mark.parametrize(("kind", "value", "said"), SAID, ids=["text", "texts", "block", "messages", "data"])
def test_a_prompt_is_put_to_a_model_as_messages(kind: Any, value: Any, said: list[dict[str, Any]]) -> None:
    def thing() -> Any:
        return value

    thing.__annotations__["return"] = kind
    entry = entry_of(prompt(thing))
    assert messages(entry, entry.encode(value)) == said
    GetPromptResult.model_validate({"messages": said})


def test_a_text_stays_as_it_is() -> None:
    assert as_text('"a"') == '"a"'
    assert as_text(["北"]) == '["北"]'
