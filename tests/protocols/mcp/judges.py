"""The programs that judge the MCP doors: the protocol's conformance suite and its inspector, run by Node."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.required import absence

SUITE = Path(__file__).parent / "suite"
PACKAGES = SUITE / "node_modules"
CONFORMANCE = PACKAGES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
INSPECTOR = PACKAGES / ".bin" / "mcp-inspector"
NODE = Path(sys.executable).parent / "node"

_LINE = re.compile(r"^(✓|✗) ([\w./-]+): (\d+) passed, (\d+) failed", re.MULTILINE)


@dataclass
class Verdict:
    """How a program ended, what it wrote, and what it complained of."""

    code: int
    out: str
    complaints: str


def check_installed(program: Path) -> None:
    """Skip the test where a program of the suite is missing, or fail where it may not be."""
    if not program.exists() or not NODE.exists():
        raise absence("suite", "the programs that judge MCP are not installed (make suite)")


async def judge(program: Path, *arguments: str, timeout: float = 90) -> Verdict:  # noqa: ASYNC109 - for the program
    """Run a program of the suite; skipped where it is not installed."""
    check_installed(program)
    process = await asyncio.create_subprocess_exec(
        NODE,
        program,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=SUITE,
    )
    try:
        async with asyncio.timeout(timeout):
            out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Verdict(process.returncode or 0, out.decode(), complaints.decode())


def required(revision: str, role: str) -> list[str]:
    """The scenarios that a revision of the protocol requires of a role, as the suite lists them."""
    text = (CONFORMANCE.parent.parent / "requirements" / f"{revision}.yaml").read_text(encoding="utf-8")
    section = re.search(rf"^{role}:\n((?:  - .*\n|\s*#.*\n|\n)*)", text, re.MULTILINE)
    assert section is not None
    return re.findall(r"^  - (\S+)", section[1], re.MULTILINE)


def passed(out: str) -> set[str]:
    """The scenarios without a failed check."""
    return {found[2] for found in _LINE.finditer(out) if found[1] == "✓"}
