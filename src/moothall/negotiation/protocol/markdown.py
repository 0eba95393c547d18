"""The parts of a markdown text: its headings with what stands below them, and its fenced blocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from moothall.errors import InvalidInput, Told

_INDENT: Final = 3
"""Blanks that may stand before a heading or a fence."""
_DEEPEST: Final = 6
_SHORTEST_FENCE: Final = 3
_LINE: Final = re.compile("\r\n|\r|\n")
"""What ends a line for every reader of markdown; `str.splitlines` knows more, and cuts strings of JSON in two."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its tag in lower case, and what stands in it."""

    tag: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it, up to the next heading of any level.

    Attributes:
        level: number of its ``#``; 0: what stands before the first heading.
        title: of the heading.
        text: the lines outside of blocks.
        blocks: fenced blocks, in order.
    """

    level: int
    title: str
    text: str = field(default="", repr=False)
    blocks: tuple[Block, ...] = ()


def sections(text: str) -> tuple[Section, ...]:
    """A text's sections, in order; the first has what stands before any heading.

    Raises:
        InvalidInput: a fenced block does not end.
    """
    found: list[Section] = []
    level, title, lines, blocks = 0, "", list[str](), list[Block]()
    rest = iter(_LINE.split(text))
    for line in rest:
        fence = _fence(line)
        heading = _heading(line)
        if fence:
            blocks.append(_block(fence, _flush(line)[len(fence) :], rest))
        elif heading:
            found.append(Section(level, title, "\n".join(lines).strip(), tuple(blocks)))
            (level, title), lines, blocks = heading, [], []
        else:
            lines.append(line)
    found.append(Section(level, title, "\n".join(lines).strip(), tuple(blocks)))
    return tuple(found)


def blocks(text: str) -> tuple[Block, ...]:
    """A text's fenced blocks, in order.

    Raises:
        InvalidInput: one does not end.
    """
    return tuple(block for section in sections(text) for block in section.blocks)


def quoted(text: str) -> str:
    """A text as a block quotation: none of its lines is a heading or a fence."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def unquoted(text: str) -> str:
    """A text without the marks of a block quotation."""
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in text.splitlines()).strip()


def _flush(line: str) -> str:
    """A line without the blanks before it; empty where there are so many that it is code."""
    flush = line.lstrip(" ")
    return flush if len(line) - len(flush) <= _INDENT else ""


def _heading(line: str) -> tuple[int, str] | None:
    """Level and title, where a line is a heading."""
    flush = _flush(line)
    title = flush.lstrip("#")
    level = len(flush) - len(title)
    if not 1 <= level <= _DEEPEST or not title.startswith((" ", "\t")):
        return None
    return level, title.strip().rstrip("#").rstrip()


def _fence(line: str) -> str:
    """The signs that a block opens with, where a line opens one."""
    flush = _flush(line)
    sign = flush[:1]
    if sign not in ("`", "~"):
        return ""
    info = flush.lstrip(sign)
    fence = flush[: len(flush) - len(info)]
    return fence if len(fence) >= _SHORTEST_FENCE and "`" not in info else ""


def _block(fence: str, info: str, rest: Iterator[str]) -> Block:
    lines: list[str] = []
    for line in rest:
        closing = _flush(line).rstrip()
        if len(closing) >= len(fence) and not closing.strip(fence[0]):
            return Block(next(iter(info.lower().split()), ""), "\n".join(lines))
        lines.append(line)
    raise InvalidInput("a fenced block does not end", told=Told("agreeing.fence_open"))
