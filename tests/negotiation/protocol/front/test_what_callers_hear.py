"""What callers of an agreed protocol hear of code that gives no response: never what it said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from moothall.codegen.module import Function, Manifest, Module, Provenance
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.errors import SandboxFault
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol import serving
from moothall.negotiation.protocol.running import Half

TEXT = documents.write(
    requirements="Tell how old something is",
    request={"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    response={
        "type": "object",
        "properties": {"code": {"type": "integer"}, "age": {"type": "integer"}},
        "required": ["code", "age"],
    },
)


async def heard(line: str) -> Any:
    document = documents.read(TEXT)
    function = Function(
        name="handle",
        parameters={"type": "object", "properties": {"request": document.request}, "required": ["request"]},
        returns=document.returns,
    )
    manifest = Manifest(kind="provider", name="x", functions=(function,), provenance=Provenance(writer="llm"))
    module = Module(manifest=manifest, source=f"def handle(request: Request) -> Response:\n    {line}\n")

    async def call(*_: object) -> None: ...

    async with MontySandbox(workers=1) as sandbox:
        half = Half(document=document, module=module, sandbox=sandbox)
        speak = serving._speaker(half, lambda: None)
        return await speak(SimpleNamespace(call=call), {"name": "a"})


async def test_code_that_refuses_a_request_says_so_by_a_code_alone() -> None:
    assert await heard("raise ValueError('the password is 1234')") == {"code": 400}


async def test_of_code_that_fails_nothing_is_repeated_but_how_it_ended() -> None:
    with pytest.raises(SandboxFault) as ended:
        await heard("raise KeyError('the password is 1234')")
    assert ended.value.details == {"kind": "raised"}
    assert "1234" not in f"{ended.value!r} {ended.value.__cause__!r} {ended.value.told}"
