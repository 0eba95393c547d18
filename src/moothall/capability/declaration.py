"""What a decorator writes on a function, and what becomes of it: a description and an ordered list of providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from moothall.capability import plugins, shape
from moothall.capability.bodies import is_empty
from moothall.capability.entry import Provider
from moothall.capability.facets import check_facet, names_of
from moothall.capability.handlers import check_handler
from moothall.capability.options import EFFECTS, REMOTE, OptionError, Settled, settle
from moothall.capability.proxies import body_of
from moothall.capability.spec import NOT_MADE, Annotations, CapabilitySpec, Exposure, Made

ATTRIBUTE: Final = "__capability__"
DEFAULTS: Final = "capability_defaults"

_BOTH: Final = frozenset({"local", "net"})
_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OTHER_VERBS: Final = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})
_PER_LINE: Final = REMOTE | {"source"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """The decorators of one function.

    Attributes:
        lines: the options of each, checked; the top line first.
        hints: the annotations as types, where they could be evaluated when the function was decorated.
    """

    lines: tuple[Mapping[str, Any], ...]
    hints: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Layers:
    """The options that are given elsewhere, settled: on the class, in the file, at run time; and a generated body."""

    defaults: Mapping[str, Any]
    file: Mapping[str, Any]
    run_time: Mapping[str, Any]
    made: Made = NOT_MADE


NO_LAYERS: Final = Layers({}, {}, {})


def declare(function: Callable[..., Any], options: Mapping[str, Any], what: str = "capability()") -> Declaration:
    """Add a line to the declaration of a function.

    Raises:
        OptionError: an option is wrong, the lines contradict each other, the signature has no schema, or a proxy has
            a body that nobody would run.
    """
    if isinstance(function, type) or not callable(function):
        raise OptionError(f"{what} decorates functions and methods; of a class, include an instance")
    before = declared(function)
    line = settle(options, what)
    lines = (line, *(before.lines if before else ()))
    hints = before.hints if before else shape.evaluate_here(function)
    declaration = Declaration(lines, hints)
    shape.check_named(function)
    check_lines(function, lines, what, hints)
    return declaration


def declared(function: object) -> Declaration | None:
    """The declaration that decorators wrote on a function, if any."""
    found = getattr(function, ATTRIBUTE, None)
    return found if isinstance(found, Declaration) else None


def check_lines(
    function: Callable[..., Any],
    lines: tuple[Mapping[str, Any], ...],
    what: str,
    hints: Mapping[str, Any] | None = None,
) -> None:
    """Refuse what cannot work, while the place in the source is still known.

    Raises:
        OptionError: as `declare`.
    """
    spec, names = spec_of(function, lines, NO_LAYERS), names_of(body_of(function), hints)
    check_facet(spec, names)
    check_handler(spec, names)
    if len({line.get("exposure", _BOTH) for line in lines}) > 1:
        raise OptionError(f"{what}: stacked lines must agree in expose_to")
    for line in lines:
        source = plugins.SOURCES.find(source_of(line))
        missing = [option for option in (source.required if source else ()) if option not in line]
        if missing:
            raise OptionError(f"{what}: source={source_of(line)!r} needs {' and '.join(missing)}")
        if source_of(line) == "a2a" and line.get("method") in _OTHER_VERBS:
            raise OptionError(f"{what}: method={line['method']!r} is no verb that is sent; those are {sorted(_VERBS)}")
    local = any(source_of(line) == "local" for line in lines)
    remote = any(source_of(line) != "local" for line in lines)
    fallback = any(line.get("fallback") for line in lines)
    if remote and not local and fallback == is_empty(body_of(function)):
        wrong = "has a body that never runs; empty it, say fallback=True, or put a source='local' line below"
        raise OptionError(f"{what}: {'fallback=True needs a body to fall back on' if fallback else f'a proxy {wrong}'}")


def source_of(line: Mapping[str, Any]) -> str:
    """Where the work of a line is done; a template may imply it."""
    template = plugins.TEMPLATES.find(line.get("template", "api"))
    source: str = line.get("source") or (template.source if template else "local")
    return source


def spec_of(function: Callable[..., Any], lines: tuple[Mapping[str, Any], ...], layers: Layers) -> CapabilitySpec:
    """The description of a capability: class attribute < decorator < file < run time (row DEC-51).

    Raises:
        OptionError: it has no name, or its options contradict each other about who may call.
    """
    merged: Settled = {}
    written = [{option: value for option, value in line.items() if option not in _PER_LINE} for line in reversed(lines)]
    for layer in (layers.defaults, *written, layers.file, layers.run_time):
        merged = _over(merged, layer)
    own = str(getattr(function, "__name__", ""))
    if "name" not in merged and not own.isidentifier():
        raise OptionError("a function without a name of its own needs the option name")
    name = str(merged.pop("name", own))
    effects = Annotations(**{effect: merged.pop(effect) for effect in EFFECTS if effect in merged})
    providers = providers_of(function, lines, layers)
    described = merged.pop("description", "") or shape.summary(function) or f"{name} service"
    fields = {option: value for option, value in merged.items() if option not in _PER_LINE}
    spec = CapabilitySpec(
        name=name,
        description=described,
        source=providers[0].source,
        remote=providers[0].remote,
        annotations=effects,
        **fields,
    )
    if spec.auto_publish and spec.source != "llm":
        raise OptionError(f"{name}: auto_publish is for bodies that a model writes; say source='llm', too")
    if spec.generated:
        spec = replace(spec, provenance=layers.made.provenance, exposure=_shown(spec, layers.made))
    if spec.public and spec.permissions:
        raise OptionError(f"{name}: permissions protect nothing where everybody is let in (public, or auth=False)")
    return spec


def _shown(spec: CapabilitySpec, made: Made) -> frozenset[Exposure]:
    """The doors of a generated body: none but this process before it was published (row GEN-07)."""
    return spec.exposure if made.published else frozenset({"local"})


def _over(below: Mapping[str, Any], layer: Mapping[str, Any]) -> Settled:
    """A layer of options over those below; who may call is one decision, so `access` and `auth` go together.

    Raises:
        OptionError: the layer itself says that nobody need prove an identity, and that not everybody may call.
    """
    made = {**below, **layer}
    if layer.get("auth") is False and layer.get("access", "public") != "public":
        raise OptionError(f"auth=False lets everybody in, and access={layer['access']!r} does not; say one of them")
    if "access" in layer and "auth" not in layer:
        made.pop("auth", None)
    elif "auth" in layer and "access" not in layer:
        made.pop("access", None)
    return made


def providers_of(
    function: Callable[..., Any], lines: tuple[Mapping[str, Any], ...], layers: Layers
) -> tuple[Provider, ...]:
    """Who does the work, in the order in which they are tried: the lines from the top, then a declared fallback."""
    elsewhere = {**layers.file, **layers.run_time}
    found: list[Provider] = []
    for line in lines:
        given = {**layers.defaults, **line, **elsewhere}
        source = source_of(line)
        found.append(Provider(source, _remote(function, source, given) if source != "local" else {}))
    if any(line.get("fallback") for line in lines) or elsewhere.get("fallback"):
        found.append(Provider("local"))
    remote = [provider for provider in found if provider.source != "local"]
    if remote and is_empty(body_of(function)):
        return tuple(remote)
    first_local = next((place for place, provider in enumerate(found) if provider.source == "local"), len(found))
    return tuple(provider for place, provider in enumerate(found) if provider.source != "local" or place == first_local)


def _remote(function: Callable[..., Any], source: str, given: Mapping[str, Any]) -> Mapping[str, str]:
    remote = {option: str(given[option]) for option in sorted(REMOTE) if option in given}
    if source in {"a2a", "http"}:
        if remote.get("method", "") in _VERBS:
            remote.setdefault("http_method", remote.pop("method"))
        remote.setdefault("http_method", "POST")
    elif source in {"mcp", "did"}:
        remote.setdefault("method", str(getattr(function, "__name__", "")))
    return remote
