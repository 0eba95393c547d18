"""Resources, prompts and completions: what their options mean, and what is refused where they are written."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from moothall import Agent, anp_service, group_message_handler, prompt, resource
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.capability.uri_templates import read_template
from tests.capability.shop import entry_of, run


def test_a_resource_has_its_uri_and_media_type_and_stays_an_ordinary_capability() -> None:
    @resource("notes://{day}", "text/markdown", access="public")
    def note(day: str) -> str:
        """One day's note."""
        return f"# {day}"

    spec = entry_of(note).spec
    assert (spec.kind, spec.uri, spec.mime_type, spec.access) == (
        "resource",
        "notes://{day}",
        "text/markdown",
        "public",
    )
    assert note("monday") == "# monday"
    assert entry_of(note).id == "shop.note"


@pytest.mark.parametrize("written", [prompt, prompt()], ids=["bare", "called"])
def test_a_prompt_is_one_with_and_without_options(written: Any) -> None:
    @written
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Greet {name}."

    assert entry_of(greet).spec.kind == "prompt"


def test_everything_else_is_a_tool() -> None:
    @capability
    def add(a: int, b: int) -> int:
        return a + b

    assert entry_of(add).spec.kind == "tool"


def test_the_context_is_no_variable_of_a_uri() -> None:
    @resource("notes://{day}")
    async def note(context: CallContext, day: str) -> str:
        return f"{context.agent} {day}"

    assert list(entry_of(note).input_schema["properties"]) == ["day"]


@pytest.mark.parametrize(
    "uri",
    ["notes://{day}/{hour}", "notes://today", "notes://{hour}"],
    ids=["one-too-many", "none", "another"],
)
def test_the_variables_of_a_uri_must_be_the_parameters(uri: str) -> None:
    with pytest.raises(OptionError, match="must be the parameters; it takes day"):

        @resource(uri)
        def note(day: str) -> str:
            return day


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"kind": "resource"}, "has a uri"),
        ({"kind": "prompt", "uri": "notes://today"}, "has a uri"),
        ({"mime_type": "text/plain"}, "only a resource"),
        ({"kind": "thing"}, "one of tool, resource, prompt"),
        ({"kind": "resource", "uri": "today"}, "scheme"),
        ({"kind": "resource", "uri": "notes://{+day}"}, "plain variables"),
        ({"kind": "resource", "uri": "notes://{a}{b}"}, "between two variables"),
        ({"kind": "resource", "uri": "notes://{a}/{a}"}, "once"),
        ({"kind": "resource", "uri": "notes://to day"}, "characters of a URI"),
        ({"kind": "resource", "uri": "notes://today", "mime_type": "text"}, "media type"),
        ({"completions": {"colour": ["red"]}}, "completions for colour"),
        ({"completions": ["red"]}, "a table"),
        ({"completions": {"colour": 3}}, "list of texts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_that_make_no_sense_are_refused_where_they_are_written(options: dict[str, Any], why: str) -> None:
    with pytest.raises(OptionError, match=why):

        @capability(**options)
        def nothing() -> str:
            return ""


def test_what_a_capability_is_cannot_be_said_elsewhere() -> None:
    registry = Registry()

    @capability
    def add(a: int, b: int) -> int:
        return a + b

    Agent("shop", add).join(registry)
    with pytest.raises(OptionError, match="where the function is decorated"):
        registry.configure("shop.add", kind="prompt")


@pytest.mark.parametrize(
    ("template", "uri", "found"),
    [
        ("a://b/{x}", "a://b/1", {"x": "1"}),
        ("a://b/{x}", "a://b/%E5%8C%97%2F", {"x": "北/"}),
        ("a://b/{x}/c-{y}", "a://b/1/c-2", {"x": "1", "y": "2"}),
        ("a://b", "a://b", {}),
        ("a://b/{x}", "a://b/", None),
        ("a://b/{x}", "a://b/1/2", None),
        ("a://b/{x}", "a://b/%FF", None),
        ("a://b.c", "a://bxc", None),
    ],
    ids=["plain", "decoded", "two", "none", "empty", "too-deep", "no-text", "a-dot-is-a-dot"],
)
def test_a_uri_is_read_by_its_template(template: str, uri: str, found: dict[str, str] | None) -> None:
    assert read_template(template).match(uri) == found
    if found is not None:
        assert read_template(template).expand(found) == uri


async def test_bytes_of_a_resource_travel_as_base64() -> None:
    @resource("pictures://{name}")
    def picture(name: str) -> bytes:
        return b"\x89\xff" + name.encode()

    entry = entry_of(picture)
    value = await run(entry, {"name": "a"})
    assert value == b"\x89\xffa"
    assert entry.encode(value) == base64.b64encode(b"\x89\xffa").decode()
    assert entry.decode(entry.encode(value)) == value
    assert entry.output_schema is not None
    assert entry.output_schema["contentEncoding"] == "base64"


def test_who_watches_hears_of_an_update_until_it_ends() -> None:
    registry, heard = Registry(), list[str]()
    agent = Agent("shop")
    agent.join(registry)
    end = registry.on_update(heard.append)
    agent.updated("notes://today")
    end()
    end()
    agent.updated("notes://tomorrow")
    assert heard == ["notes://today"]


class Kitchen:
    """Methods are given their instance, which nobody fills."""

    @resource("menu://{day}", access="public", completions={"day": ["friday"]})
    def dishes(self, day: str) -> list[str]:
        """List the dishes of a day."""
        return [day]

    @group_message_handler(group_id="club")
    def hear(self, message: dict[str, object]) -> str:
        """Hear a group."""
        return str(message)

    @anp_service(template="group")
    def listen(self, group_id: str, event_type: str, event_data: dict[str, object]) -> str:
        """Hear every group."""
        return f"{group_id} {event_type} {event_data}"


def test_methods_can_be_resources_and_handlers() -> None:
    registry = Registry()
    Agent("kitchen", Kitchen()).join(registry)
    assert {entry.spec.name for entry in registry.snapshot.of_agent("kitchen")} == {"dishes", "hear", "listen"}
