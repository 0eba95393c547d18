"""`capability`, the one decorator, and the other names under which the specification knows it.

::

    from moothall.capability.decorators import anp_service, api_service, capability, local_method

    @capability
    def add(a: int, b: int) -> int: ...

    @capability(access="authenticated", rate_limit="100/hour")
    async def forecast(city: str) -> Forecast: ...

    @capability(source="did", did="did:wba:…")
    async def translate(text: str) -> str: ...   # done there; the body stays empty

The decorated function stays what it was; a description is attached to it, and nothing is registered anywhere until an
`Agent` or a `Node` includes it. A proxy, whose source is not ``local``, is called through the node that included it.
Every decorator takes the same options (`Options`); unknown ones are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, Unpack, overload

from moothall.capability.declaration import ATTRIBUTE, check_lines, declare, declared, source_of
from moothall.capability.options import OptionError, Options, ServiceOptions, settle
from moothall.capability.proxies import proxy, route_of

F = TypeVar("F", bound=Callable[..., Any])


@overload
def capability(function: F, /) -> F: ...


@overload
def capability(**options: Unpack[Options]) -> Callable[[F], F]: ...


def capability(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """Describe a function as something that others may call.

    Raises:
        OptionError: an option is unknown or makes no sense, or the function cannot be a capability.
    """
    if function is not None:
        return attach(function, options)
    return CapabilityDecorator(**options)


def attach(function: F, options: Mapping[str, Any], what: str = "capability()") -> F:
    """Write a declaration on a function. Raises as `capability`."""
    if isinstance(function, staticmethod | classmethod):
        return type(function)(attach(function.__func__, options, what))
    declaration = declare(function, options, what)
    elsewhere = source_of(declaration.lines[0]) != "local" and route_of(function) is None
    called = proxy(function) if elsewhere else function
    try:
        setattr(called, ATTRIBUTE, declaration)
    except AttributeError:
        raise OptionError(f"{what} decorates functions; a bound method is included as it is") from None
    return called  # type: ignore[return-value]


class CapabilityDecorator:
    """What ``capability(...)`` returns; it can decorate any number of functions."""

    what = "capability()"

    def __init__(self, **options: Unpack[Options]) -> None:
        self.options = dict(options)

    def __call__(self, function: F) -> F:
        """Decorate a function. Raises as `capability`."""
        return attach(function, self.options, self.what)


class ANPServiceDecorator(CapabilityDecorator):
    """The full decorator of the specification; the same options, ``scope`` in place of ``expose_to`` (row DEC-05)."""

    what = "anp_service()"


anp_service = ANPServiceDecorator


class A2AServiceDecorator(CapabilityDecorator):
    """What ``a2a_service(...)`` returns."""

    what = "a2a_service()"


def a2a_service(endpoint: str, method: str = "POST", **options: Any) -> Callable[[F], F]:  # noqa: ANN401
    """`capability` whose work an A2A agent or a plain JSON service does, for callers on the network (row DEC-44).

    ``method`` is the HTTP verb; the operation of the far side is ``remote_method``.

    Raises:
        OptionError: the verb is unknown, or another option makes no sense here.
    """
    fixed = sorted({"source", "template", "scope", "expose_to", "http_method"} & options.keys())
    if fixed:
        raise OptionError(f"a2a_service() has no option {fixed[0]!r}: that is fixed")
    return A2AServiceDecorator(endpoint=endpoint, http_method=method, source="a2a", scope="anp", **options)


class MCPServiceDecorator(CapabilityDecorator):
    """What ``mcp_service(...)`` returns."""

    what = "mcp_service()"


def mcp_service(server_name: str, method: str = "", **options: Any) -> Callable[[F], F]:  # noqa: ANN401
    """`capability` whose work a tool of an MCP server does, for callers on the network (row DEC-43).

    ``server_name`` is one of the operator's file; without ``method`` the tool is called as the function is.

    Raises:
        OptionError: an option makes no sense here.
    """
    fixed = sorted({"source", "template", "scope", "expose_to", "server"} & options.keys())
    if fixed:
        raise OptionError(f"mcp_service() has no option {fixed[0]!r}: that is fixed")
    if method:
        options["method"] = method
    return MCPServiceDecorator(server=server_name, source="mcp", scope="anp", **options)


class LLMGeneratedDecorator(CapabilityDecorator):
    """What ``llm_generated(...)`` returns."""

    what = "llm_generated()"

    def __call__(self, function: F) -> F:
        """Decorate a function. Raises as `capability`."""
        known = declared(function)
        if known is None:
            return attach(function, {"source": "llm", **self.options}, self.what)
        top, *rest = known.lines
        lines = ({**top, **settle(self.options, self.what)}, *rest)
        check_lines(function, lines, self.what, known.hints)
        if source_of(lines[0]) != "llm":
            raise OptionError(f"{self.what} stands over @capability(source='llm')")
        setattr(function, ATTRIBUTE, replace(known, lines=lines))
        return function


def llm_generated(prompt: str, *, auto_publish: bool = False) -> Callable[[F], F]:
    """A function whose body a language model writes, once, from ``prompt`` (row GEN-02).

    It stands over ``@capability(source="llm", …)``, or alone. Its signature, its docstring and its options are those
    that stand there; what was written is kept by the node under its hash and runs in the sandbox. The network sees it
    when it has been published: with ``auto_publish`` that is asked for as soon as it passed its gate, and somebody has
    to approve it either way.

    Raises:
        OptionError: an option makes no sense, or the function is no capability of source ``llm``.
    """
    return LLMGeneratedDecorator(prompt=prompt, auto_publish=auto_publish)


@overload
def group_message_handler(function: F, /) -> F: ...


@overload
def group_message_handler(**options: Unpack[ServiceOptions]) -> Callable[[F], F]: ...


def group_message_handler(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """`capability` for the messages of a group, or of every group that its agent is in (row DEC-45).

    It takes one ``message`` with ``group_id``, ``event_type`` and ``event_data``, or these three; what it returns
    reaches the sender.
    """
    what = "group_message_handler()"
    if "template" in options:
        raise OptionError(f"{what} has no option 'template': that is fixed")
    given = {"template": "group", "group_events": ("message",), **options}
    if given.get("group_id") == "":
        del given["group_id"]
    return attach(function, given, what) if function is not None else CapabilityDecorator(**given)


def local_method(**options: Unpack[Options]) -> Callable[[F], F]:
    """`capability` for callers in this process only (row DEC-02)."""
    if "scope" not in options:
        options.setdefault("expose_to", "local")
    return CapabilityDecorator(**options)


def resource(uri: str, mime_type: str = "", **options: Unpack[ServiceOptions]) -> Callable[[F], F]:
    """`capability` whose result can be read at a URI; variables of a template, ``{name}``, are its parameters."""
    return CapabilityDecorator(kind="resource", uri=uri, mime_type=mime_type, **options)


@overload
def prompt(function: F, /) -> F: ...


@overload
def prompt(**options: Unpack[ServiceOptions]) -> Callable[[F], F]: ...


def prompt(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """`capability` whose result is put to a language model: a text, blocks, or messages (`content`)."""
    decorator = CapabilityDecorator(kind="prompt", **options)
    return decorator if function is None else decorator(function)


def api_service(path: str, methods: Iterable[str] = ("POST",), **options: Unpack[ServiceOptions]) -> Callable[[F], F]:
    """`capability` with an HTTP address of its own (row DEC-46)."""
    return CapabilityDecorator(path=path, methods=methods, **options)
