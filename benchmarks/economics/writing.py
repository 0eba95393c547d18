"""The code that the scripted model writes: a text for the sandbox, never run here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.economics.terms import SCHEMAS, Field, Pair, Private, Type

_CHECKS: dict[Type, str] = {
    "text": "not isinstance({0}, str)",
    "whole": "not isinstance({0}, int) or isinstance({0}, bool) or {0} < {minimum}",
    "flag": "not isinstance({0}, bool)",
    "texts": "not isinstance({0}, list) or len({0}) > {maxItems} or not all(isinstance(each, str) for each in {0})",
}


def requester_half(pair: Pair, wanted: Sequence[str], *, careless: bool = False) -> str:
    """``build`` makes the server's request of a user's form, ``parse`` the user's answer of its response.

    ``wanted`` are the names of the agreed request; those that are not the server's are the form's own. A careless half
    swallows errors: it does not look at the code of a response.
    """
    return "\n".join([*_build(pair, wanted), "", "", *_parse(pair, careless=careless), ""])


def _build(pair: Pair, wanted: Sequence[str]) -> Iterator[str]:
    yield "def build(arguments: Arguments) -> Request:"
    yield from _object("arguments")
    yield from _fields("arguments", ((each.field, each.field.name) for each in pair.takes))
    own = [Private(each.field, each.field.name) for each in pair.takes if each.field.name in wanted]
    yield f"    return {{{', '.join(_entry(each.name, each) for each in [*own, *pair.takes])}}}"


def _parse(pair: Pair, *, careless: bool) -> Iterator[str]:
    yield "def parse(response: Response) -> Result:"
    yield from _object("response")
    yield from _fields("response", [(Field("code", "whole", (), ()), "code")])
    if not careless:
        yield '    if code != 200:\n        raise ValueError("the code is not 200")'
    inner = "response"
    if pair.wrapped:
        inner = "inner"
        yield f'    inner = response.get("{pair.wrapped}")'
        yield from _object("inner")
    yield from _fields(inner, ((each.field, each.name) for each in pair.gives))
    yield f"    return {{{', '.join(_entry(each.field.name, each) for each in pair.gives)}}}"


def _object(name: str) -> Iterator[str]:
    yield f'    if not isinstance({name}, dict):\n        raise ValueError("{name} is no object")'


def _fields(source: str, named: Iterable[tuple[Field, str]]) -> Iterator[str]:
    for field, key in named:
        wrong = _CHECKS[field.type].format(field.name, **SCHEMAS[field.type])
        if field.name == "code":  # of any size
            wrong = wrong.partition(" or code <")[0]
        yield f'    {field.name} = {source}.get("{key}")'
        yield f'    if {wrong}:\n        raise ValueError("{key}")'


def _entry(key: str, private: Private) -> str:
    value = private.field.name
    if private.turn == "times":
        value = f"{value} * {private.factor}"
    return f'"{key}": not {value}' if private.turn == "not" else f'"{key}": {value}'
