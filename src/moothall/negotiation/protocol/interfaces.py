"""Code around a protocol: what calls the requester's end, and what answers behind the provider's.

Both run in the sandbox only (rows META-ALICE-08, 10, META-BOB-08).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from moothall.canonical import sha256, strict_json
from moothall.codegen.model_writer import ModelWriter
from moothall.codegen.module import Case, Function, Provenance, ScriptedCall
from moothall.codegen.report import Report
from moothall.codegen.sandbox.port import Departure, Refusal
from moothall.codegen.task import Callee, CodingTask, Draft, Writer
from moothall.errors import InvalidInput, MoothallError, StorageError, UpstreamInvalid
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.bases import GOOD, REQUEST_TIMEOUT, RequesterBase, good_code
from moothall.negotiation.protocol.module_files import AROUND, META_DATA, read_module
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.workshop import Workshop, lent

REQUESTER: Final = "requester"
"""The target by which generated code reaches the requester's end: ``call("requester", {"request": …})``."""

_ANY: Final[JsonObject] = {}
"""Where nothing is known: a type of objects with no members of their own could not be written to or read from."""

_INTERFACE: Final = (
    "Write `interface()`, which makes one request by call('requester', {'request': {...}}) and returns the response. "
    "What to ask for is described in the material."
)
_CALLBACK: Final = (
    "Write `callback(request)`, which answers one request and returns the response, an object with an integer `code` "
    "(200: good). What it has to do is described in the material. It calls nothing."
)


async def generate_code_for_protocol_requester_interface(
    llm: BaseLLM | None,
    interface_description: str,
    code_path: str | Path,
    *,
    protocol: str = "",
    workshop: Workshop | None = None,
) -> str:
    """Code that makes a request over an agreed protocol, checked and stored.

    Args:
        llm: writes it; None: the description is the JSON object of the request.
        interface_description: what to ask for, and in which form.
        code_path: the directory where the code is stored; of a module, whose protocol it has to keep to.
        protocol: the agreed text, where the directory is another; empty: any JSON.
        workshop: checks it; None: one for this call.

    Raises:
        InvalidInput, IntegrityError: the protocol cannot be read, or its module was changed.
        CodeRefused: no code that passes, within the repairs.
        ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent, StorageError: there is none.
    """
    place, protocol = await asyncio.to_thread(_place, Path(code_path), protocol)
    request, response = _schemas(protocol)
    callee = Callee(REQUESTER, _object("request", request), response, "sends the request to the provider")
    task = CodingTask(
        kind="requester",
        name="interface",
        functions=(Function(name="interface", parameters=_object(), returns=response),),
        instruction=_INTERFACE,
        material=_material(interface_description, protocol),
        callees=(callee,),
    )
    writer: Writer = _RequestWriter(interface_description) if llm is None else ModelWriter(llm)
    return await _generated(task, writer, place / "requester_interface.py", workshop)


async def generate_code_for_protocol_provider_callback(
    llm: BaseLLM,
    callback_description: str,
    code_path: str | Path,
    *,
    protocol: str = "",
    workshop: Workshop | None = None,
) -> str:
    """Code that answers the requests of an agreed protocol, checked and stored.

    Args:
        llm: writes it.
        callback_description: what it has to do, and in which form.
        code_path: the directory where the code is stored; of a module, whose protocol it has to keep to.
        protocol: the agreed text, where the directory is another; empty: any JSON.
        workshop: checks it; None: one for this call.

    Raises:
        as `generate_code_for_protocol_requester_interface`.
    """
    place, protocol = await asyncio.to_thread(_place, Path(code_path), protocol)
    request, response = _schemas(protocol)
    task = CodingTask(
        kind="provider",
        name="callback",
        functions=(Function(name="callback", parameters=_object("request", request), returns=response),),
        instruction=_CALLBACK,
        material=_material(callback_description, protocol),
    )
    return await _generated(task, ModelWriter(llm), place / "provider_callback.py", workshop)


async def call_interface(requester_instance: RequesterBase, code: str, workshop: Workshop) -> JsonObject:
    """Run the code of a requester's interface; the response that it gives.

    Raises:
        SandboxFault: it gave none.
        UpstreamInvalid: what it gave is no response.
        as `RequesterBase.send_request`.
    """

    async def call(target: str, parameters: Mapping[str, Any]) -> JsonObject:
        request = parameters.get("request")
        if target != REQUESTER or not isinstance(request, dict):
            refused = "there is no such target"
            raise Refusal(refused)
        try:
            return await requester_instance.send_request(request)
        except MoothallError as error:
            raise Departure(error) from error

    image = await workshop.sandbox.load(code, workshop.limits)
    ran = await workshop.sandbox.run(
        image, "interface", {}, call=call, limits=workshop.limits, patience=2 * REQUEST_TIMEOUT
    )
    if not good_code(ran.value):
        raise UpstreamInvalid("the interface gave no response")
    requester_instance.check_response(ran.value)
    found: JsonObject = ran.value
    return found


class _RequestWriter:
    """Writes the interface that asks for one request, which is given as JSON."""

    def __init__(self, description: str) -> None:
        self._description = description

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """The code, once; None where the description is no JSON object."""
        try:
            request = strict_json(self._description.encode())
        except InvalidInput:
            request = None
        if previous or report is not None or not isinstance(request, dict):
            return None
        source = f'def interface() -> InterfaceResult:\n    return call("{REQUESTER}", {{"request": {request!r}}})\n'
        reply = {"code": GOOD}
        called = ScriptedCall(target=REQUESTER, parameters={"request": request}, reply=reply)
        case = Case(name="the request", function="interface", arguments={}, expected=reply, calls=(called,))
        provenance = Provenance(writer="template", prompt_hash=sha256(task.material.encode()))
        return Draft(source, provenance, (case,))


async def _generated(task: CodingTask, writer: Writer, path: Path, workshop: Workshop | None) -> str:
    async with lent(workshop) as bench:
        generated = await bench.written(task, [writer])
    await asyncio.to_thread(_store, path, generated.module.source)
    return generated.module.source


def _store(path: Path, source: str) -> None:
    """Put a whole file in its place. Blocking."""
    made = path.with_name(f".{path.name}.making")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(source, encoding="utf-8")
        made.replace(path)
    except OSError as error:
        raise StorageError("the generated code could not be written") from error


def _place(path: Path, protocol: str) -> tuple[Path, str]:
    """Where the code is stored, and the agreed text. Blocking."""
    if (path / META_DATA).is_file():
        return path / AROUND, protocol or read_module(path).document
    return path, protocol


def _schemas(protocol: str) -> tuple[JsonObject, JsonObject]:
    """What requests and responses look like, as far as that is known."""
    if not protocol:
        return _ANY, _ANY
    document = documents.read(protocol)
    return document.request, document.returns


def _material(description: str, protocol: str) -> str:
    return f"{description}\n\n---\nThe agreed protocol:\n{protocol}" if protocol else description


def _object(name: str = "", schema: JsonObject | None = None) -> JsonObject:
    properties = {name: schema} if name else {}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
