"""The policies and the schema that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from moothall.policy.sources import LAYERS, PolicySource

_FOLDER = files("moothall") / "data" / "policies"


@cache
def schema() -> str:
    """What policies can speak of, in Cedar's schema language."""
    return (_FOLDER / "schema.cedarschema").read_text(encoding="utf-8")


@cache
def sources() -> Sequence[PolicySource]:
    """The built-in policies, layer by layer; of a layer without a file there are none."""
    found = [(layer, _FOLDER / f"{layer}.cedar") for layer in LAYERS]
    return tuple(
        PolicySource(layer, f"built-in {layer}.cedar", file.read_text(encoding="utf-8"))
        for layer, file in found
        if file.is_file()
    )
