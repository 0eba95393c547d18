"""`moot services overview`: one view of what a node offers, and of how it goes (row SOA-08)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Served, ran, serving

CODE = '''
from moothall import Agent, Conflict, Node, capability


@capability(name="priced", version="1.0.0")
def old() -> int:
    """Tell a price."""
    return 1


@capability(name="priced", version="2.0.0")
def new() -> int:
    """Tell a price."""
    raise Conflict("sold out")


@capability(source="http", endpoint="http://localhost:9/none", retry=0)
async def gone() -> int:
    """Ask where nobody is."""


node = Node()
node.add(Agent("shop", old, new, gone))
'''
HEADS = {
    "en": ("Id", "Health", "Calls", "Errors", "Versions", "Owner"),
    "zh": ("编号", "状态", "调用", "错误", "版本", "所有者"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Served]]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(CODE, encoding="utf-8")
    with serving("shop.py", cwd=folder, data="data", MOOTHALL_EGRESS_ALLOW="http://localhost") as node:
        for target in ("shop.priced@1.0.0", "shop.priced", *["shop.gone"] * 6):
            ran("call", f"local:{target}", "--data", "data", cwd=folder)
        yield folder, node


@pytest.mark.requirement("SOA-08")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_people_see_services_versions_owners_health_calls_and_errors(lang: str, shop: tuple[Path, Served]) -> None:
    folder, node = shop
    shown = ran("services", "overview", "--data", "data", "--lang", lang, cwd=folder)
    assert shown.returncode == 0, shown.stderr
    services, _, endpoints = shown.stdout.partition("\n\n")
    head, *rows = services.splitlines()
    assert [word for word in HEADS[lang] if word not in head] == []
    (at,) = (place for place, row in enumerate(rows) if row.startswith("shop.priced "))
    assert rows[at].split()[:4] == ["shop.priced", "ok", "2", "1"]
    assert "1.0.0" in rows[at]
    assert "2.0.0" in services
    assert node.did("shop").removeprefix("did:")[:12] in services
    (gone,) = (row for row in rows if row.startswith("shop.gone "))
    assert gone.split()[1:4] == ["left_alone", "6", "6"]
    assert "localhost:9" in endpoints


@pytest.mark.requirement("SOA-08")
def test_programs_see_the_same(shop: tuple[Path, Served]) -> None:
    folder, node = shop
    (view,) = map(json.loads, ran("services", "overview", "--data", "data", "--json", cwd=folder).stdout.splitlines())
    rows = {row["id"]: row for row in view["services"]}
    priced, gone = rows["shop.priced"], rows["shop.gone"]
    assert (priced["version"], priced["versions"], priced["owner"]) == ("2.0.0", ["1.0.0", "2.0.0"], node.did("shop"))
    assert (priced["health"], priced["calls"], priced["errors"]) == ("ok", 2, 1)
    assert (gone["health"], gone["errors"]) == ("left_alone", 6)
