"""What `moot search` and `moot crawl` print for people: a few lines for each, whatever others write about themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from moothall.messages import LANGS, Lang
from tests.support.program import ran, serving

HITS = 4
MANY = """
from moothall import Agent, Node, capability


def numbered(n):
    @capability(name=f"count_{n}", access="public", read_only=True)
    def count() -> int:
        \"\"\"Count.\"\"\"
        return n

    return count


node = Node()
node.add(Agent("many", *map(numbered, range(9))), Agent("few", *map(numbered, range(3))))
"""


@pytest.mark.parametrize("lang", LANGS)
def test_a_hit_has_two_lines_of_its_description_and_json_has_all_of_it(lang: Lang, tmp_path: Path) -> None:
    words = ("search", "场地", "--limit", str(HITS), "--lang", lang)
    shown = ran(*words, cwd=tmp_path, MOOTHALL_DEMO_AGENTS="true")
    assert shown.returncode == 0, shown.stderr
    whole = ran(*words, "--json", cwd=tmp_path, MOOTHALL_DEMO_AGENTS="true")
    hits = [json.loads(line) for line in whole.stdout.splitlines()]
    assert len(hits) == HITS
    assert all(hit["target"].startswith("profile:") for hit in hits)
    assert "profile:" not in shown.stdout  # they are shown, and never called
    head, *lines = shown.stdout.splitlines()
    assert len(lines) == 2 * HITS
    at = cell_len(head[: head.index("说明" if lang == "zh" else "What it does")])
    for place, hit in enumerate(hits):
        told = [from_cell(line, at) for line in lines[2 * place : 2 * place + 2]]
        assert len(hit["description"]) > 200
        assert told[1].endswith("…"), told
        assert " ".join(hit["description"].split()).startswith("".join(told).removesuffix("…"))


def from_cell(line: str, at: int) -> str:
    """What of a line stands at a column of the terminal and after it."""
    start = next(place for place in range(len(line) + 1) if cell_len(line[:place]) >= at)
    return line[start:].strip()


@pytest.mark.parametrize(("lang", "told"), [("en", "with 9 operations"), ("zh", "共 9 项")])
def test_of_an_agent_with_many_operations_they_are_counted(lang: str, told: str, town: tuple[Path, str]) -> None:
    folder, url = town
    reach = {"MOOTHALL_EGRESS_ALLOW": "http://localhost"}
    shown = ran("crawl", url, "--data", f"here_{lang}", "--lang", lang, cwd=folder, **reach)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert len([line for line in lines if ":agents:many:" in line and told in line]) == 1
    assert not any(":agents:many:" in line and "#" in line for line in lines)
    assert len([line for line in lines if ":agents:few:" in line and "#count_" in line]) == 3
    whole = ran("crawl", url, "--data", f"here_{lang}", "--json", cwd=folder, **reach)
    listed = json.loads(whole.stdout)["listed"]
    assert len([target for target in listed if ":agents:many:" in target and "#count_" in target]) == 9


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("town")
    (folder / "many.py").write_text(MANY, encoding="utf-8")
    with serving("many.py", cwd=folder, data="there", MOOTHALL_EGRESS_ALLOW="http://localhost") as node:
        yield folder, node.url.replace("127.0.0.1", "localhost")
