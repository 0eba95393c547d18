"""What the protocol's conformance suite expects a server to offer, under the names that it asks for."""

from __future__ import annotations

import base64
import sys
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from moothall.capability.content import (
    Audio,
    Binary,
    EmbeddedResource,
    Image,
    Message,
    Text,
    TextContents,
)
from moothall.capability.context import CallContext
from moothall.capability.decorators import CapabilityDecorator, prompt, resource
from moothall.capability.questions import Form, Question, Roots, Sampling
from moothall.errors import InputRequired, ValidationError
from moothall.node import Node

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SILENCE = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=")
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
COLOUR = {"type": "object", "properties": {"color": {"type": "string"}}, "required": ["color"]}
OK = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
CITIES = ("paris", "park", "party", "test-1", "test-2")

tool = CapabilityDecorator(access="public", auth=False)


@tool
def test_simple_text() -> Text:
    """Give a text."""
    return Text(text="This is a simple text response for testing.")


@tool
def test_image_content() -> Image:
    """Give a picture."""
    return Image(data=PIXEL, mime_type="image/png")


@tool
def test_audio_content() -> Audio:
    """Give a sound."""
    return Audio(data=SILENCE, mime_type="audio/wav")


@tool
def test_embedded_resource() -> EmbeddedResource:
    """Give a resource."""
    return EmbeddedResource(
        resource=TextContents(uri="test://embedded-resource", text="This is an embedded resource content.")
    )


@tool
def test_multiple_content_types() -> list[Text | Image | EmbeddedResource]:
    """Give a text, a picture and a resource."""
    held = TextContents(
        uri="test://mixed-content-resource", mime_type="application/json", text='{"test":"data","value":123}'
    )
    return [
        Text(text="Multiple content types test:"),
        Image(data=PIXEL, mime_type="image/png"),
        EmbeddedResource(resource=held),
    ]


@tool
async def test_tool_with_logging(context: CallContext) -> Text:
    """Tell what happens."""
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.log("info", message, "test")
    return Text(text="Tool with logging executed successfully")


@tool
async def test_logging_tool(context: CallContext) -> str:
    """Tell something."""
    await context.log("error", "nobody asked for this")
    return "told"


@tool
async def test_tool_with_progress(context: CallContext) -> Text:
    """Tell how far it is."""
    for done in (0, 50, 100):
        await context.progress(done, 100, f"Completed step {done} of 100")
    return Text(text="done")


@tool
def test_error_handling() -> str:
    """Fail."""
    raise ValidationError("This tool intentionally returns an error for testing")


@tool
def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    """Take an argument that a header repeats."""
    return region


@tool
async def test_sampling(prompt: str, context: CallContext) -> Text:
    """Ask the client's model."""
    return Text(text=f"LLM response: {await sampled(context, 'question', prompt, 100)}")


@tool
async def test_missing_capability(context: CallContext) -> str:
    """Ask the client's model."""
    return await sampled(context, "question", "Are you there?", 10)


@tool
async def test_streaming_elicitation(context: CallContext) -> Text:
    """Ask the person at the client, and tell how far it is."""
    await context.progress(1, 2, "asking")
    return Text(text=str(await asked(context, "user_name", "What is your name?", NAME)))


class Contact(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


@tool
async def test_elicitation(message: str, context: CallContext) -> Text:
    """Ask the person at the client."""
    contact = await context.elicit(message, Contact)
    return Text(text=f"User response: {contact.model_dump_json() if contact else 'none'}")


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


@tool
async def test_elicitation_sep1034_defaults(context: CallContext) -> Text:
    """Ask for what has a default."""
    given = await context.elicit("Please review the defaults", Defaults)
    return Text(text=f"Elicitation completed: {given}")


@tool
async def test_elicitation_sep1330_enums(context: CallContext) -> Text:
    """Ask for choices of every form."""
    titled = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
    names = ["option1", "option2", "option3"]
    properties: dict[str, Any] = {
        "untitledSingle": {"type": "string", "enum": names},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": names}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    answer = await asked(context, "choices", "Please choose", {"type": "object", "properties": properties})
    return Text(text=f"Elicitation completed: {answer}")


@tool
async def test_input_required_result_elicitation(context: CallContext) -> Text:
    """Ask for a name."""
    answer = await asked(context, "user_name", "What is your name?", NAME)
    return Text(text=f"Hello, {answer['content']['name']}!")


@tool
async def test_input_required_result_sampling(context: CallContext) -> Text:
    """Ask for a capital."""
    return Text(text=await sampled(context, "capital_question", "What is the capital of France?", 100))


@tool
async def test_input_required_result_list_roots(context: CallContext) -> Text:
    """Ask for folders."""
    answers = await context.ask({"client_roots": Roots()})
    return Text(text=str(answers["client_roots"]["roots"]))


@tool
async def test_input_required_result_request_state(context: CallContext) -> Text:
    """Ask for a confirmation."""
    answer = await asked(context, "confirm", "Please confirm", OK)
    return Text(text=f"state-ok {answer['action']}")


@tool
async def test_input_required_result_tampered_state(context: CallContext) -> Text:
    """Ask for a confirmation, too."""
    answer = await asked(context, "confirm", "Please confirm", OK)
    return Text(text=str(answer["action"]))


@tool
async def test_input_required_result_multiple_inputs(context: CallContext) -> Text:
    """Ask for everything at once."""
    greet: dict[str, Question] = {
        "user_name": Form("What is your name?", NAME),
        "greeting": Sampling(messages=[said("Generate a greeting")], max_tokens=50),
        "client_roots": Roots(),
    }
    return Text(text=str(await context.ask(greet)))


@tool
async def test_input_required_result_multi_round(context: CallContext) -> Text:
    """Ask for one thing after another."""
    name = await asked(context, "step1", "Step 1: What is your name?", NAME)
    colour = await asked(context, "step2", "Step 2: What is your favorite color?", COLOUR)
    return Text(text=f"{name['content']['name']} likes {colour['content']['color']}")


@tool
async def test_input_required_result_capabilities(context: CallContext) -> Text:
    """Ask the person at the client, or else its model."""
    try:
        answer = await asked(context, "user_name", "What is your name?", NAME)
    except InputRequired as error:
        if error.told is None or error.told.why != "mcp.not_able":
            raise
        return Text(text=await sampled(context, "greeting", "Generate a greeting", 50))
    return Text(text=str(answer))


@resource("test://static-text", "text/plain", access="public", auth=False)
def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


@resource("test://static-binary", "image/png", access="public", auth=False)
def static_binary() -> bytes:
    """A picture."""
    return PIXEL


@resource("test://template/{id}/data", "application/json", access="public", auth=False)
def template_data(id: str) -> dict[str, Any]:  # noqa: A002 - the suite's name
    """Data of an item."""
    return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


@resource("test://watched-resource", access="public", auth=False)
def watched_resource() -> Binary:
    """What changes."""
    return b"watched"


@prompt(access="public", auth=False)
def test_simple_prompt() -> str:
    """A text."""
    return "This is a simple prompt for testing."


@prompt(access="public", auth=False, completions={"arg1": CITIES, "arg2": lambda start: [start + "!"]})
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A text with arguments.

    Args:
        arg1: the first
        arg2: the second
    """
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@prompt(access="public", auth=False)
def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803 - the suite's name
    """A resource and a text."""
    held = TextContents(uri=resourceUri, text="Embedded resource content for testing.")
    return [
        Message(content=EmbeddedResource(resource=held)),
        Message(content=Text(text="Please process the embedded resource above.")),
    ]


@prompt(access="public", auth=False)
def test_prompt_with_image() -> list[Image | Text]:
    """A picture and a text."""
    return [Image(data=PIXEL, mime_type="image/png"), Text(text="Please analyze the image above.")]


@prompt(access="public", auth=False)
async def test_input_required_result_prompt(context: CallContext) -> str:
    """Ask before it says anything."""
    answer = await asked(
        context,
        "user_context",
        "What context should the prompt use?",
        {"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]},
    )
    return f"Use the context {answer['content']['context']}"


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": {"type": "text", "text": text}}


async def asked(context: CallContext, name: str, message: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The answer to a form."""
    return dict((await context.ask({name: Form(message, schema)}))[name])


async def sampled(context: CallContext, name: str, text: str, most: int) -> str:
    """What the client's model says."""
    answers = await context.ask({name: Sampling(messages=[said(text)], max_tokens=most)})
    return str(answers[name]["content"]["text"])


def offer(node: Node) -> None:
    """Give all of it to a node's default agent, with tools that change the lists."""

    def toggle(name: str) -> str:
        registry = node.host.capabilities
        entry = registry.snapshot.entries[name]
        (registry.disable if entry.state == "enabled" else registry.enable)(name)
        return "changed"

    @tool
    def test_trigger_tool_change() -> str:
        """Let a tool come or go."""
        return toggle("node.now_and_then")

    @tool
    def test_trigger_prompt_change() -> str:
        """Let a prompt come or go."""
        return toggle("node.sometimes")

    @tool
    def now_and_then() -> str:
        """Come and go."""
        return "here"

    @prompt(access="public", auth=False)
    def sometimes() -> str:
        """Come and go."""
        return "here"

    changing = (test_trigger_tool_change, test_trigger_prompt_change, now_and_then, sometimes)
    node.include(sys.modules[__name__], *changing)
