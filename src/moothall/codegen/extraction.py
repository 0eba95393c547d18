"""Python code out of what a language model wrote: fences, tags, prose and all (rows META-CODE-01 to 06). Pure.

The time it takes grows with the length of the text, whatever is in it.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from typing import Final

from moothall.codegen.module import LONGEST_SOURCE
from moothall.telemetry import logger

LONGEST: Final = 1024 * 1024
"""Bytes of a text that is looked at."""

_WORK: Final = 8
"""How often every character may be read: a text made of nothing but beginnings is not read from each to its end."""

_PARSED: Final = 2 * LONGEST_SOURCE
"""Characters that are read as Python, of all blocks together. The interpreter does nothing else while it reads them: a
megabyte would take it ten seconds, and no module may be longer than the half of this."""

_OPENING: Final = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$", re.MULTILINE)
_PYTHON: Final = re.compile(r"(?:python|py)3?", re.IGNORECASE)
_SIGN: Final = re.compile(r'\\[\s\S]|"""|\'\'\'|["\'#\n]')
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_log = logger("codegen")


def extract_code_from_llm_output(content: object) -> str | None:
    """The first fenced Python block that parses and defines something; a block that is the only one need not define.

    A text without any fence is taken whole if it parses and defines something. What is longer than a module may be is
    none. None leaves one record of level ERROR.
    """
    if not isinstance(content, str):
        _log.error("no code: what the model gave is no text")
        return None
    if len(content) > LONGEST or len(content.encode("utf-8", "surrogatepass")) > LONGEST:
        _log.error("no code: the model's answer is longer than %d bytes", LONGEST)
        return None
    search = _Search(content.removeprefix("\ufeff").replace("\r\n", "\n"))
    code = search.code()
    if code is None:
        _log.error("no code in the %d characters that the model gave", len(content), exc_info=search.error)
    return code


class _Search:
    """One search; ``error`` says why what was looked at last is no Python."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = _WORK * len(text)
        self._readable = _PARSED
        self.error: Exception | None = None

    def code(self) -> str | None:
        """What is looked for."""
        opening = _OPENING.search(self._text)
        if opening is None:
            return self._text.strip() if self._defines(self._text) else None
        blocks, lone = 0, None
        while opening is not None and self._left > 0:
            if _is_python(opening["info"]):
                source, defines, position = self._block(opening)
                if defines:
                    return source
                blocks, lone = blocks + 1, source
            else:
                position = self._closing(opening, strings=False)[1]
            opening = _OPENING.search(self._text, position)
        return lone if blocks == 1 else None

    def _block(self, opening: re.Match[str]) -> tuple[str | None, bool, int]:
        """The block's text if it parses, whether it defines something, and where to go on."""
        after = 0
        for strings in (True, False):  # strings that never end are no strings: then the first fence is the end
            end, after = self._closing(opening, strings=strings)
            source = self._text[opening.end() + 1 : end].strip("\n")
            if opening["indent"]:
                source = textwrap.dedent(source)
            defines = self._defines(source)
            if defines is not None:
                return source, defines, after
        return None, False, after

    def _closing(self, opening: re.Match[str], *, strings: bool) -> tuple[int, int]:
        """Where a block ends, and what follows it; ``strings``: a fence inside of a string does not end it.

        A fence of as many signs or more ends it; a block without one ends with the text.
        """
        start, fence = opening.end() + 1, opening["fence"]
        closing = re.compile(rf"[ \t]*{fence[0]}{{{len(fence)},}}[ \t]*(?:\n|\Z)")
        end = after = len(self._text)
        for line in _lines(self._text, start, strings):
            found = closing.match(self._text, line)
            if found is not None:
                end, after = found.span()
                break
        self._left -= after - start
        return end, after

    def _defines(self, source: str) -> bool | None:
        """Whether a text defines a function or a class; None: it is no Python, or nobody has the time to look."""
        if len(source) > min(LONGEST_SOURCE, self._readable) or self._left <= 0 or not source.strip():
            return None
        self._left -= len(source)
        self._readable -= len(source)
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, SyntaxError):
                error.text = None  # a log has no use for what a model wrote
            self.error = error
            return None
        return _definition_in(tree.body)


def _definition_in(statements: list[ast.stmt]) -> bool:
    """Whether one of them defines something, or holds a statement that does, such as an ``if`` around a function."""
    waiting = list(statements)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, _DEFINITIONS):
            return True
        for block in ("body", "orelse", "finalbody"):
            waiting += getattr(statement, block, ())
    return False


def _is_python(info: str) -> bool:
    words = info.split(maxsplit=1)
    return not words or _PYTHON.fullmatch(words[0]) is not None


def _lines(text: str, start: int, strings: bool) -> Iterator[int]:  # noqa: FBT001 - private
    """Where each line begins; with ``strings`` only those that begin outside of a string."""
    yield start
    inside = ""
    for found in _SIGN.finditer(text, start) if strings else re.compile("\n").finditer(text, start):
        sign = found[0]
        if sign[-1] == "\n" and (sign == "\n" or inside == "#"):
            inside = inside if len(inside) > 1 else ""  # only strings in three signs go on in the next line
            if not inside:
                yield found.end()
        elif not inside:
            inside = "" if sign[0] == "\\" else sign
        elif sign == inside or (len(sign) > 1 and sign[0] == inside):
            inside = ""  # three signs end a string in one of them, and hold an empty one
