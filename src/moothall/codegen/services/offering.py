"""Services as capabilities: the registry of a node says of each what the store says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from moothall.capability.agents import Agent
from moothall.capability.compiling import Member
from moothall.capability.decorators import capability
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.capability.spec import Made, Provenance
from moothall.codegen.module import Function, Module
from moothall.codegen.services.annotations import type_of
from moothall.codegen.services.records import ServiceRecord

FORGE: Final = "forge"
"""The agent whose capabilities are the services that nobody declared in Python."""

_ABOUT: Final = "Services that a language model wrote and a person approved"


class Offering:
    """Keeps the registry in step.

    Args:
        registry: of the node.
        admit: hosts an agent, so that it has an identity; asked once, when the first service of `FORGE` is there.
    """

    def __init__(self, registry: Registry, admit: Callable[[Agent], None]) -> None:
        self._registry = registry
        self._admit = admit
        self._hosted = False

    def check(self, name: str, version: str, module: Module) -> None:
        """Look whether a version could be offered, before it is kept for ever.

        Raises:
            OptionError: its name or its number is none that a capability can have.
        """
        agent, _, own = name.partition(".")
        if agent == FORGE:
            member_of(own, version, module)

    def show(self, record: ServiceRecord, module: Module) -> None:
        """Say what stands in the store; ``module`` is the code that answers.

        Raises:
            OptionError, Conflict: its name or its signature is none that can be called.
        """
        agent, _, name = record.name.partition(".")
        if agent == FORGE:
            self._replace(record, name, module)
        elif record.name not in self._registry.snapshot.entries:
            return  # nobody declares it any more
        provenance = module.manifest.provenance
        self._registry.made(
            record.name,
            Made(
                Provenance(prompt_hash=provenance.prompt_hash, model=provenance.model, version=record.live),
                published=record.published,
            ),
        )
        if record.state == "disabled":
            self.withdraw(record.name)
        else:
            self._registry.enable(record.name)

    def withdraw(self, name: str) -> None:
        """Let nobody call a service; callers read that it is out of service."""
        if name in self._registry.snapshot.entries:
            self._registry.disable(name)

    def _replace(self, record: ServiceRecord, name: str, module: Module) -> None:
        """Exchange the capability of a service, whose signature another version may have changed."""
        if not self._hosted and FORGE not in self._registry.snapshot.agents:
            self._admit(Agent(FORGE, description=_ABOUT))
        self._hosted = True
        members = member_of(name, record.live, module)
        known = self._registry.snapshot.entries.get(record.name)
        if known is not None and known.spec.version == record.live:
            return
        if known is not None:
            self._registry.remove(record.name)
        self._registry.add(FORGE, members)


def member_of(name: str, version: str, module: Module) -> tuple[Member, ...]:
    """A service as a function that can be included; its work is done by source ``llm``."""
    manifest = module.manifest
    options: dict[str, Any] = {
        "name": name,
        "version": version,
        "source": "llm",
        "prompt": manifest.provenance.prompt_hash or module.hash,
        "expose_to": ["net", "llm", "local"],
        "access": "authenticated",
        "description": str(manifest.functions[0].parameters.get("description") or f"The service {name}"),
    }
    return members_of(capability(**options)(_stand_in(manifest.functions[0])))


def _stand_in(function: Function) -> Callable[..., Any]:
    """A function without a body that has the signature of one in the sandbox."""

    async def service() -> None: ...

    parameters = [_parameter(name, schema) for name, schema in _properties(function).items()]
    needed = set(function.parameters.get("required", ()))
    kinds = inspect.Parameter
    signature = inspect.Signature(
        [
            kinds(
                name,
                kinds.KEYWORD_ONLY,
                annotation=annotation,
                default=kinds.empty if name in needed else schema.get("default"),
            )
            for name, annotation, schema in parameters
        ],
        return_annotation=type_of(function.returns),
    )
    service.__name__ = service.__qualname__ = function.name
    service.__annotations__ = {name: annotation for name, annotation, _ in parameters}
    service.__annotations__["return"] = signature.return_annotation
    service.__signature__ = signature  # type: ignore[attr-defined]
    return service


def _properties(function: Function) -> Mapping[str, dict[str, Any]]:
    properties = function.parameters.get("properties", {})
    return properties if isinstance(properties, dict) else {}


def _parameter(name: str, schema: dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    kind = type_of({key: value for key, value in schema.items() if key not in {"description", "default"}})
    described = schema.get("description")
    return name, (Annotated[kind, Field(description=described)] if described else kind), schema
