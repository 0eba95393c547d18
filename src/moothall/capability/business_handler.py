"""`wrap_business_handler`: a function that takes a whole request and finds its arguments there (row DEC-03)."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from moothall.capability import schema, shape
from moothall.capability.context import CallContext
from moothall.capability.entry import Arguments
from moothall.capability.located import locator
from moothall.capability.shape import Shape
from moothall.capability.tools import tools_of
from moothall.errors import InternalError


def wrap_business_handler(function: Callable[..., Any]) -> Callable[..., Any]:
    """A handler that takes a JSON object; arguments are looked for in its ``params``, its ``body`` and at its top.

    The handler is called as ``handler(request)``, with the context behind it where the function takes one. It is
    asynchronous if the function is. In a class body it wraps a method: ``self`` stays what it is.

    Raises:
        OptionError: the function cannot be a capability.

    The handler raises ValidationError where an argument is missing or does not fit.
    """
    method = not inspect.ismethod(function) and next(iter(inspect.signature(function).parameters), "") == "self"
    form = shape.read(function, shape.evaluate_here(function))
    if method:
        form = replace(form, parameters=form.parameters[1:])
    find, bind = locator(form, tolerant=True), schema.bind(form)

    def run(given: tuple[Any, ...]) -> Any:  # noqa: ANN401
        owner, rest = (given[:1], given[1:]) if method else ((), given)
        request: Mapping[str, Any] = rest[0]
        arguments = bind(find(request))
        return _call(function, form, owner, arguments, rest[1] if len(rest) > 1 else None)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*given: Any) -> Any:  # noqa: ANN401
            return await run(given)

        return _as_handler(later)

    @functools.wraps(function)
    def handler(*given: Any) -> Any:  # noqa: ANN401
        return run(given)

    return _as_handler(handler)


def _call(
    function: Callable[..., Any], form: Shape, owner: tuple[Any, ...], arguments: Arguments, context: CallContext | None
) -> Any:  # noqa: ANN401
    named = {**arguments.named, form.context: context} if form.context else arguments.named
    if form.tools:
        if context is None:
            raise InternalError(f"{function.__name__} takes tools, which only a call of a node has")
        named = {**named, form.tools: tools_of(context)}
    return function(*owner, *arguments.positional, **named)


def _as_handler(handler: Callable[..., Any]) -> Callable[..., Any]:
    vars(handler).pop("__wrapped__")  # its signature is its own: one request
    return handler
