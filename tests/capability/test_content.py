"""Content blocks: their JSON is that of the protocol, and their types say that they are some."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from mcp_types import ContentBlock, PromptMessage
from pydantic import BaseModel, Field, TypeAdapter
from pydantic import ValidationError as Refusal

from moothall.capability.content import (
    Audio,
    Binary,
    BlobContents,
    Block,
    EmbeddedResource,
    Image,
    Message,
    ResourceLink,
    Text,
    TextContents,
    shows_blocks,
)
from moothall.capability.decorators import capability
from tests.capability.shop import entry_of, run

BLOCKS: dict[str, Block] = {
    "text": Text(text="hello"),
    "image": Image(data=b"\x89PNG"),
    "audio": Audio(data=b"RIFF", mime_type="audio/ogg"),
    "link": ResourceLink(uri="notes://today", name="today", mime_type="text/plain"),
    "bare-link": ResourceLink(uri="notes://today", name="today"),
    "text-resource": EmbeddedResource(resource=TextContents(uri="notes://today", text="hello")),
    "blob-resource": EmbeddedResource(resource=BlobContents(uri="notes://today", blob=b"\xff")),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
async def test_a_block_has_the_json_of_the_protocol_at_every_door(block: Block) -> None:
    @capability
    def show() -> Block:
        """Show something."""
        return block

    entry = entry_of(show)
    written = entry.encode(await run(entry, {}))
    read = TypeAdapter[Any](ContentBlock).validate_python(written)
    assert read.model_dump(by_alias=True, mode="json", exclude_none=True) == written
    assert entry.decode(written) == block
    assert entry.blocks


def test_a_message_has_the_json_of_the_protocol() -> None:
    written = Message(role="assistant", content=Text(text="hello")).model_dump(by_alias=True, mode="json")
    assert PromptMessage.model_validate(written).model_dump(by_alias=True, mode="json", exclude_none=True) == written


class Thing(BaseModel):
    text: str


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (Text, True),
        (Text | Image, True),
        (list[Text | Image], True),
        (tuple[Text, Image], True),
        (tuple[Text, ...], True),
        (Annotated[Text, Field(description="said")], True),
        (Block, True),
        (Message, False),
        (str, False),
        (Thing, False),
        (Text | str, False),
        (dict[str, Text], False),
        (Any, False),
    ],
    ids=str,
)
def test_a_type_says_whether_its_values_are_blocks(annotation: Any, shown: bool) -> None:
    assert shows_blocks(annotation) is shown


def test_a_text_given_for_bytes_must_be_base64() -> None:
    read = TypeAdapter(Binary)
    assert read.validate_python("aGk=") == b"hi"
    assert read.validate_python(b"hi") == b"hi"
    with pytest.raises(Refusal, match="base64"):
        read.validate_python("hi!")
