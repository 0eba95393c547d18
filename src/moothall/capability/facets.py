"""What a capability is beside a tool: a resource, which has a URI, or a prompt; and what completes its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from moothall.capability.content import Binary
from moothall.capability.options import OptionError
from moothall.capability.shape import Shape, context_of, takes_tools
from moothall.capability.spec import CapabilitySpec
from moothall.capability.uri_templates import read_template


def check_facet(spec: CapabilitySpec, names: Collection[str]) -> None:
    """Look whether its options go together.

    Args:
        spec: the description.
        names: the parameters that a caller fills.

    Raises:
        OptionError: they do not.
    """
    if (spec.kind == "resource") != bool(spec.uri):
        raise OptionError(f"{spec.name}: a resource, and nothing else, has a uri")
    if spec.mime_type and spec.kind != "resource":
        raise OptionError(f"{spec.name}: only a resource has a mime_type")
    if spec.kind == "resource":
        variables = read_template(spec.uri).variables
        if set(variables) != set(names):
            takes = ", ".join(sorted(names)) or "nothing"
            raise OptionError(f"{spec.name}: the variables of {spec.uri!r} must be the parameters; it takes {takes}")
    if unknown := sorted(set(spec.completions) - set(names)):
        raise OptionError(f"{spec.name}: completions for {', '.join(unknown)}, which it does not take")


def names_of(function: Callable[..., Any], hints: Mapping[str, Any] | None) -> list[str]:
    """The parameters that a caller fills, as far as that is known where the function is decorated."""
    said = {
        name: (item, (hints or {}).get(name, item.annotation))
        for name, item in inspect.signature(function).parameters.items()
    }
    names = [name for name, (item, hint) in said.items() if not (context_of(hint) or takes_tools(item, hint))]
    return names[1:] if names and _is_method(function) and names[0] in {"self", "cls"} else names


def _is_method(function: Callable[..., Any]) -> bool:
    """Whether it stands in the body of a class, where nothing is bound yet."""
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    return not inspect.ismethod(function) and bool(owner) and not owner.endswith("<locals>")


def formed(shape: Shape, spec: CapabilitySpec) -> Shape:
    """The shape of the capability; bytes that a resource returns travel as base64."""
    return replace(shape, returns=Binary) if spec.kind == "resource" and shape.returns is bytes else shape
