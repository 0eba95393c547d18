"""Functions whose work is done elsewhere: empty bodies, fallbacks, several lines over one function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from moothall.capability.bodies import is_empty
from moothall.capability.decorators import capability
from moothall.capability.entry import Provider
from moothall.capability.options import OptionError
from tests.capability.shop import entry_of

MCP = {"source": "mcp", "server": "s"}
A2A = {"source": "a2a", "endpoint": "https://x.example"}


def documented(a: int) -> int:  # type: ignore[empty-body]
    """Something."""


def passing(a: int) -> None:
    pass


def dotted(a: int) -> int: ...  # type: ignore[empty-body]


def commented(a: int) -> None:
    """Something."""
    # done elsewhere


async def later(a: int) -> int:  # type: ignore[empty-body]
    """Something."""


async def stream(a: int) -> AsyncIterator[int]:  # type: ignore[empty-body]
    ...


EMPTY = [documented, passing, dotted, commented, later, stream]


def returns(a: int) -> int:
    return a


def returns_a_constant(a: int) -> int:
    return 1


def raises(a: int) -> int:
    raise ValueError


def calls(a: int) -> None:
    str(a)


async def waits(a: int) -> int:
    return a


async def yields(a: int) -> AsyncIterator[int]:
    yield a


FILLED = [returns, returns_a_constant, raises, calls, waits, yields]


def named(function: Callable[..., Any]) -> str:
    return function.__name__


@pytest.mark.requirement("DEC-50")
@pytest.mark.parametrize("function", EMPTY, ids=named)
def test_docstring_comment_pass_and_dots_are_an_empty_body(function: Callable[..., Any]) -> None:
    assert is_empty(function)
    entry = entry_of(capability(**MCP)(function))
    assert [provider.source for provider in entry.providers] == ["mcp"]


@pytest.mark.requirement("DEC-50")
@pytest.mark.parametrize("function", FILLED, ids=named)
def test_a_filled_body_of_a_proxy_is_refused_unless_it_is_a_declared_fallback(function: Callable[..., Any]) -> None:
    assert not is_empty(function)
    for source in (MCP, A2A, {"source": "did", "did": "did:wba:x.example"}, {"source": "llm"}, {"source": "auto"}):
        with pytest.raises(OptionError, match="fallback=True"):
            capability(**source)(function)
    for option in ("fallback", "enable_fallback"):
        entry = entry_of(capability(**MCP, **{option: True})(function))
        assert [provider.source for provider in entry.providers] == ["mcp", "local"]


@pytest.mark.requirement("DEC-50")
def test_a_body_is_recognised_where_there_is_no_source() -> None:
    space: dict[str, Any] = {}
    exec("def nothing(a: int) -> int: ...\ndef something(a: int) -> int: return a", space)  # noqa: S102
    assert is_empty(space["nothing"])
    assert not is_empty(space["something"])
    assert not is_empty(len)


def test_a_fallback_needs_a_body() -> None:
    with pytest.raises(OptionError, match="needs a body"):
        capability(**MCP, fallback=True)(dotted)


@pytest.mark.requirement("DEC-50")
def test_lines_are_tried_from_the_top_and_a_local_line_makes_the_body_a_fallback() -> None:
    @capability(**MCP)
    @capability(**A2A)
    @capability(source="local")
    def service(a: int) -> int:
        return a

    entry = entry_of(service)
    assert [provider.source for provider in entry.providers] == ["mcp", "a2a", "local"]
    assert entry.providers[1] == Provider("a2a", {"endpoint": "https://x.example", "http_method": "POST"})
    assert (entry.spec.source, entry.spec.remote["server"]) == ("mcp", "s")


@pytest.mark.requirement("DEC-50")
def test_an_empty_body_never_runs_even_below_a_local_line() -> None:
    @capability(**MCP)
    @capability(**A2A)
    @capability(source="local")
    def service(a: int) -> int: ...  # type: ignore[empty-body]

    assert [provider.source for provider in entry_of(service).providers] == ["mcp", "a2a"]


def test_an_empty_function_without_other_lines_is_a_function_that_does_nothing() -> None:
    assert entry_of(capability(passing)).providers == (Provider("local"),)


def test_stacked_lines_share_one_exposure() -> None:
    def one(a: int) -> int:
        return a

    def other(a: int) -> int:
        return a

    with pytest.raises(OptionError, match="expose_to"):
        capability(**MCP, expose_to="net")(capability(source="local", expose_to="local")(one))
    both = capability(**MCP, expose_to=["net", "local"])(capability(source="local")(other))
    assert entry_of(both).spec.exposure == {"local", "net"}


def test_of_stacked_lines_the_upper_one_has_the_last_word() -> None:
    @capability(**MCP, timeout=1)
    @capability(source="local", timeout=2, tags=["x"])
    def service(a: int) -> int:
        return a

    spec = entry_of(service).spec
    assert (spec.timeout, spec.tags) == (1, ("x",))


def test_the_same_function_with_other_lines_is_not_mixed_up() -> None:
    def one(a: int) -> int: ...  # type: ignore[empty-body]

    first, second = capability(**MCP)(one), capability(**A2A)(one)
    assert [provider.source for provider in entry_of(first).providers] == ["mcp"]
    assert [provider.source for provider in entry_of(second).providers] == ["a2a"]
