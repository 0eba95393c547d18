"""Targets in words, for generated code: what ``auto:…`` means when the code is written, and how it is written (GEN-08).

The manifest names the words; whoever calls the service has them chosen anew, with its own rights. What is found when
the code is written gives the schemas that it is checked with.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from moothall.calls.hub import part_of
from moothall.calls.ports import Gateway
from moothall.codegen.services.exact import exact
from moothall.codegen.task import Callee
from moothall.directory.intent.intents import Intents
from moothall.directory.intent.request import Request
from moothall.identity.principal import OWNER

AUTO: Final = "auto:"
_MOST: Final = 20
_SPOKEN: Final = "unified_caller"

Words = Callable[[str], Awaitable[Callee | None]]
"""What a target in words means; None where it means nothing, or more than one thing."""


async def nothing(_target: str) -> Callee | None:
    """Where no words are understood."""
    return None


def house_of(gateway: Gateway) -> Collection[str]:
    """The ids of the capabilities by which the node itself is run, which no model is offered."""
    intents = part_of(gateway, Intents)
    return () if intents is None else intents.ground.own()


def in_words(gateway: Callable[[], Gateway]) -> Words:
    """What targets in words mean for the owner of a node."""

    async def meant(target: str) -> Callee | None:
        intents = part_of(gateway(), Intents)
        if intents is None:
            return None
        text = target.removeprefix(AUTO)
        matched = await intents.matched(Request(text=text, principal=OWNER), intents.read(text))
        if matched.clear is None:
            return None
        listing = matched.clear.leader
        return Callee(
            target, exact(dict(listing.input_schema)), exact(dict(listing.output_schema)), listing.description
        )

    return meant


async def callees_of(targets: Collection[str], words: Words) -> list[Callee]:
    """Those of the targets that are words and mean something."""
    spoken = [target for target in dict.fromkeys(targets) if target.startswith(AUTO)]
    return [callee for target in spoken[:_MOST] if (callee := await words(target)) is not None]


def as_calls(source: str) -> str:
    """Code with ``await unified_caller("auto:…", symbol=symbol)`` in the form of the sandbox, which has only ``call``.

    Other code, and what is no Python, is returned as it is.
    """
    if _SPOKEN not in source:
        return source
    try:
        spelled = _Spelling().visit(ast.parse(source))
        return f"{ast.unparse(ast.fix_missing_locations(spelled))}\n"
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # of code that is nested too deeply, at any step
        return source


class _Spelling(ast.NodeTransformer):
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        parts = {name: getattr(node, name) for name in ast.FunctionDef._fields if hasattr(node, name)}
        return ast.copy_location(ast.FunctionDef(**parts), node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        inner = node.value
        made = isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "call"
        return inner if made else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id == _SPOKEN and len(node.args) == 1):
            return node
        if isinstance(node.args[0], ast.Starred) or any(keyword.arg is None for keyword in node.keywords):
            return node
        names: list[ast.expr | None] = [ast.Constant(keyword.arg) for keyword in node.keywords]
        given = ast.Dict(names, [keyword.value for keyword in node.keywords])
        return ast.copy_location(ast.Call(ast.Name("call", ast.Load()), [node.args[0], given], []), node)
