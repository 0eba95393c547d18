"""The linter: ruff, as a program, with rules of our own choice and none of the code's.

It reads the code from its standard input, without files, cache, configuration or environment.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any, Final

from ruff import find_ruff_bin  # type: ignore[import-untyped]

from moothall.codegen.report import Problem
from moothall.codegen.sandbox.port import fault
from moothall.codegen.subset import CALL

SELECTED: Final = "E9,F,B,S,PLE"

IGNORED: Final = (
    "B904",  # an error in place of another: its cause interests nobody outside
    "F401",  # an import too many does no harm
    "S101",  # assert is one way to fail
    "S105", "S106", "S107",  # the values of keys such as "token" are no passwords
    "S324",  # old hash functions are part of old formats
)  # fmt: skip

LONGEST: Final = 10.0
"""Seconds."""

_MOST: Final = 50


async def lint(source: str, stubs: str = "") -> list[Problem]:
    """What the linter finds; names that ``stubs`` declare are known to it.

    Raises:
        SandboxFault: the linter gave no answer (``time``, ``crashed``).
    """
    names = json.dumps(sorted({CALL, *_declared(stubs)}))
    process = await asyncio.create_subprocess_exec(
        find_ruff_bin(),
        "check", "--isolated", "--no-cache", "--quiet", "--ignore-noqa", "--target-version=py311",
        "--select", SELECTED, "--ignore", ",".join(IGNORED), "--config", f"builtins={names}",
        "--output-format=json", "--stdin-filename=module.py", "-",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(source.encode(errors="replace")), LONGEST)
    except TimeoutError:
        raise fault("time") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode not in {0, 1}:
        raise fault("crashed")
    return [_problem(each) for each in json.loads(output)[:_MOST]]


def _problem(found: dict[str, Any]) -> Problem:
    return Problem(
        stage="lint",
        code=str(found["code"] or "syntax"),
        message=str(found["message"])[:500],
        line=found["location"]["row"],
    )


def _declared(stubs: str) -> Iterator[str]:
    """The names at the top of stubs, which we wrote."""
    for node in ast.parse(stubs).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
