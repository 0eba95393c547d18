"""The names of the specifications: each is where the table says (row NFR-06)."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import reduce
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "names.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([^`|]+)` \| [a-z ]+ \| `([\w.]+):([\w.]+)` \|$", TEXT, re.MULTILINE)
MODULES = re.findall(r"^\| `([\w./]+)` \| `([\w./]+)` \| ((?:`[\w.]+` ?)+)\|$", TEXT, re.MULTILINE)
OF_THE_SPECIFICATIONS = {
    "negotiation_alice.py",
    "negotiation_bob.py",
    "llm_output_processer.py",
    "protocol_negotiator.py",
    "meta_protocol.py",
    "anp_open_sdk_framework/decorators/unified_decorators.py",
    "anp_open_sdk_framework/master_control/master_agent.py",
    "anp_open_sdk_framework/templates/service_templates.py",
    "anp_open_sdk_framework/mcp_server.py",
    "anp_open_sdk_framework/local_methods/unified_tools.py",
    "anp_open_sdk_framework.unified_caller",
    "anp_open_sdk.anp_sdk",
}


def loaded(place: str) -> ModuleType:
    """A module of the package, or an example."""
    if not place.endswith(".py"):
        return import_module(place)
    path = ROOT / place
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.requirement("NFR-06")
def test_every_module_of_the_specifications_has_a_place_with_its_names() -> None:
    assert {module for module, _, _ in MODULES} == OF_THE_SPECIFICATIONS
    assert len(MODULES) == 12
    for _, place, names in MODULES:
        module = loaded(place)
        for name in re.findall(r"`([\w.]+)`", names):
            assert reduce(getattr, name.split("."), module) is not None, (place, name)


@pytest.mark.requirement("NFR-06")
def test_every_name_of_the_table_is_where_it_says() -> None:
    assert len(ROWS) > 250
    lost = []
    for name, place, attribute in ROWS:
        try:
            reduce(getattr, attribute.split("."), import_module(place))
        except (ImportError, AttributeError):
            lost.append((name, place, attribute))
    assert lost == []
