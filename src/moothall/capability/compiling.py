"""From a decorated function to an `Entry`: everything that a call needs is made here, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from moothall.capability import running, schema, shape
from moothall.capability.adapters import AdapterLayer, ErrorHandler
from moothall.capability.content import shows_blocks
from moothall.capability.declaration import Declaration, Layers, providers_of, spec_of
from moothall.capability.entry import Entry
from moothall.capability.facets import check_facet, formed
from moothall.capability.handlers import check_handler
from moothall.capability.located import locator
from moothall.capability.private_fields import optional
from moothall.capability.proxies import body_of
from moothall.capability.shape import Shape
from moothall.capability.spec import NOT_MADE, CapabilitySpec, JsonObject, Made
from moothall.capability.spoken import spoken_schema
from moothall.capability.threads import Threads
from moothall.capability.unstructured import Unstructured
from moothall.errors import InternalError, UpstreamInvalid
from moothall.telemetry import logger

_LOG = logger("capability")


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A function of an agent with what was declared of it.

    Attributes:
        function: what is called; a method is bound to its object.
        declaration: its decorators.
        defaults: the settled ``capability_defaults`` of its class.
        made: what is known of its body, where that is generated.
    """

    function: Callable[..., Any]
    declaration: Declaration
    defaults: Mapping[str, Any]
    made: Made = NOT_MADE

    @property
    def name(self) -> str:
        """What it is called as a capability."""
        given = next((line["name"] for line in self.declaration.lines if "name" in line), "")
        return str(given or getattr(self.function, "__name__", ""))

    def with_options(self, settled: Mapping[str, Any]) -> Member:
        """The same with other options on its top line."""
        top, *rest = self.declaration.lines
        return replace(self, declaration=replace(self.declaration, lines=({**top, **settled}, *rest)))


def compile_entry(member: Member, agent: str, layers: Layers, threads: Threads, adapters: AdapterLayer) -> Entry:
    """Make the entry of a function.

    Raises:
        OptionError: its options or its signature make no sense.
    """
    function, lines = body_of(member.function), member.declaration.lines
    spec = spec_of(function, lines, layers)
    form = formed(shape.read(function, _hints(member)), spec)
    names = [parameter.name for parameter in form.parameters]
    check_facet(spec, names)
    check_handler(spec, names)
    called = f"{agent}.{spec.name}"

    explain = _explain(adapters.errors, called)
    return Entry(
        spec=spec,
        agent=agent,
        streams=form.streams,
        blocks=shows_blocks(form.returns),
        contextual=bool(form.context or form.tools),
        input_schema=spoken_schema(schema.input_schema(form), spec),
        output_schema=_told(form, spec),
        providers=providers_of(function, lines, layers),
        bind=adapters.validation.arguments(form),
        invoke=running.invoker(function, form, threads, explain),
        iterate=running.iterator(function, form, threads, explain),
        wire=_wire(form, adapters, called),
        check=_checked(form, adapters, called),
        encode=_encoded(form, adapters, called),
        decode=_decoded(form, adapters),
        locate=locator(form, tolerant=spec.ai_optimized),
        document=adapters.documents.page,
    )


def _told(form: Shape, spec: CapabilitySpec) -> JsonObject | None:
    told = schema.output_schema(form)
    return None if told is None else optional(told, spec.private)


def _explain(handler: ErrorHandler, called: str) -> running.Explain | None:
    return None if type(handler) is ErrorHandler else partial(handler.handle, called)


def _hints(member: Member) -> dict[str, Any] | None:
    return dict(member.declaration.hints) if member.declaration.hints is not None else None


def _wire(form: Shape, adapters: AdapterLayer, called: str) -> Callable[..., Any]:
    write = adapters.converter.arguments(form)

    def wire(arguments: Any) -> Any:  # noqa: ANN401
        try:
            return write(arguments)
        except schema.Misfit as misfit:
            raise InternalError(f"an argument of {called} has no JSON form") from misfit

    return wire


def _checked(form: Shape, adapters: AdapterLayer, called: str) -> Callable[[Any], Any]:
    check = adapters.validation.result(form)

    def checked(value: Any) -> Any:  # noqa: ANN401
        try:
            return check(value)
        except schema.Misfit as misfit:
            raise _misfit(called, misfit) from None

    return checked


def _encoded(form: Shape, adapters: AdapterLayer, called: str) -> Callable[[Any], Any]:
    check = adapters.validation.result(form)
    write = adapters.converter.result(form)

    def encoded(value: Any) -> Any:  # noqa: ANN401
        try:
            return write(check(value))
        except schema.Misfit as misfit:
            raise _misfit(called, misfit) from None

    return encoded


def _misfit(called: str, misfit: schema.Misfit) -> InternalError:
    _LOG.error("the result of %s does not fit its annotation: %s", called, misfit.where)
    return InternalError(f"the capability {called} gave a result that does not fit its declaration")


def _decoded(form: Shape, adapters: AdapterLayer) -> Callable[[Any], Any]:
    prepare = adapters.converter.received(form)
    check = adapters.validation.received(form)

    def decoded(value: Any) -> Any:  # noqa: ANN401
        try:
            return check(prepare(value))
        except schema.Misfit as misfit:
            if isinstance(value, Unstructured) and (parsed := value.parsed()) is not None:
                return decoded(parsed)
            raise UpstreamInvalid(
                "the answer from elsewhere does not fit the declared type", why=misfit.where
            ) from None

    return decoded
