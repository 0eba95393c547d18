"""The examples run, and the README's Python lines do what they say."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOOT = Path(sys.executable).with_name("moot")


async def test_a_node_from_a_file_lets_its_own_code_speak_for_an_agent(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = await asyncio.create_subprocess_exec(
        MOOT, "serve", ROOT / "examples" / "remote_participant.py", "--port", "0", "--data", data,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        await server.stdout.readline()
        client = await asyncio.create_subprocess_exec(
            MOOT, "demand", "在北京办一场30人的AI聚会，需要场地", "--data", data, "--json", "--watch",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await client.communicate()
    finally:
        server.terminate()
        await server.wait()
    events = [json.loads(line) for line in out.decode().splitlines()]
    assert events, out
    offers = {item["payload"]["agent_id"]: item["payload"] for item in events if "offer" in item["event_type"]}
    assert offers["user_agent_qingshe_space"]["contribution"] == "可提供60人活动空间"


async def test_the_lines_of_the_readme(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## In Python\n\n")[2].partition("\n\nAn agent need not")[0]
    lines = [line.removeprefix("    ") for line in block.splitlines()]
    body = "\n".join(f"    {line}" for line in lines)
    script = tmp_path / "lines.py"
    script.write_text(f"import asyncio\n\nasync def main():\n{body}\n\nasyncio.run(main())\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert "towow.proposal.finalized" in out.decode()
