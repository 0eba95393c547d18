"""The examples of spec B as they are printed: `tests/spec_examples` has every code block of §2, §3, §8 and §10."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "spec_examples"


def printed(section: str) -> str:
    """The text of an example, character by character."""
    return (FOLDER / f"{section}.txt").read_text(encoding="utf-8")


def part(text: str, mark: str) -> str:
    """What of an example comes after a comment, with all further parts."""
    _, found, rest = text.partition(mark)
    assert found, mark
    return rest


async def carried_out(code: str, **names: Any) -> dict[str, Any]:
    """Run code that may wait at its top level, as at a prompt; its names afterwards."""
    compiled = compile(code, "<spec B>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    scope = {"__name__": "printed", **names}
    made = eval(compiled, scope)  # noqa: S307 - the code of a file of this repository
    if inspect.isawaitable(made):
        await made
    return scope


async def lines_of(code: str, **names: Any) -> list[Any]:
    """What each statement of an example gives, one after the other."""
    values, scope = [], dict(names)
    for statement in ast.parse(code).body:
        last = ast.unparse(statement.value if isinstance(statement, ast.Assign) else statement)
        scope = await carried_out(f"_ = {last}", **scope)
        if isinstance(statement, ast.Assign):
            scope[ast.unparse(statement.targets[0])] = scope["_"]
        values.append(scope["_"])
    return values
