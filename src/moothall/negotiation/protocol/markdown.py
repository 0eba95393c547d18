"""The parts of a markdown text: its headings with what stands below them, and its fenced blocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from moothall.errors import InvalidInput, Told

_HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*?)[ \t]*\Z")


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
    rest = iter(text.splitlines())
    for line in rest:
        fence = _FENCE.match(line)
        heading = _HEADING.match(line)
        if fence:
            blocks.append(_block(fence[1], fence[2], rest))
        elif heading:
            found.append(Section(level, title, "\n".join(lines).strip(), tuple(blocks)))
            level, title, lines, blocks = len(heading[1]), heading[2], [], []
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


def _block(fence: str, info: str, rest: Iterator[str]) -> Block:
    closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*\Z")
    lines: list[str] = []
    for line in rest:
        if closing.match(line):
            return Block(next(iter(info.lower().split()), ""), "\n".join(lines))
        lines.append(line)
    raise InvalidInput("a fenced block does not end", told=Told("agreeing.fence_open"))
