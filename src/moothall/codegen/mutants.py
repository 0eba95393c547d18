"""Small mistakes put into a source, one at a time; good tests find every one that changes what the code does. Pure."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import zip_longest

from moothall.codegen.mistakes import DROPPED, Edit, mistakes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A source with one mistake: what it is, and in which line of the original."""

    mistake: str
    line: int
    source: str = field(repr=False)


def mutants(source: str, most: int = 60, *, every_line: bool = False) -> list[Mutant]:
    """The mutants of a source; of more than ``most`` the same ones each time, spread over the whole of it.

    Those that drop a result come first: where nobody notices one, nobody gets there. With ``every_line`` no line is
    spared for want of room: where more lines than ``most`` can be wrong, there are as many mutants.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    tree = ast.parse(source)
    texts = _Texts(tree)
    every = mistakes(tree)
    first = _spread([each for each in every if each.mistake == DROPPED], most)
    others = [each for each in every if each.mistake != DROPPED]
    lines = len({each.line for each in others}) if every_line else 0
    rest = _spread(others, max(most - len(first), lines))
    found: dict[str, Mutant] = {}
    for edit in sorted([*first, *rest], key=lambda edit: edit.line):
        text = texts.with_edit(edit)
        found.setdefault(text, Mutant(edit.mistake, edit.line, text))
    found.pop(texts.unchanged, None)
    return list(found.values())


def _spread(every: list[Edit], most: int) -> list[Edit]:
    """So many of them: one of each line, then a second one of each, and so on."""
    by_line: dict[int, list[Edit]] = {}
    for each in every:
        by_line.setdefault(each.line, []).append(each)
    turned = [edits[line % len(edits) :] + edits[: line % len(edits)] for line, edits in by_line.items()]
    turns = [[each for each in turn if each is not None] for turn in zip_longest(*turned)]
    found: list[Edit] = []
    for turn in turns:
        taken = min(most - len(found), len(turn))
        found += [turn[place * len(turn) // taken] for place in range(taken)]
    return found


def constant(source: str, name: str, value: object) -> Mutant | None:
    """A mutant whose function gives this value whatever it is given; None: there is no such function.

    Raises:
        SyntaxError, ValueError: the source is no Python.
    """
    tree = ast.parse(source)
    found = next((each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name), None)
    if found is None:
        return None
    found.body = [ast.Return(ast.parse(repr(value), mode="eval").body)]
    return Mutant("always the same result", found.lineno, ast.unparse(ast.fix_missing_locations(tree)))


class _Texts:
    """A source as it is written anew, of which each mistake changes one statement at its top."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._texts = [ast.unparse(each) for each in tree.body]
        self.unchanged = "\n".join(self._texts)

    def with_edit(self, edit: Edit) -> str:
        """The source with a mistake; the tree is left as it was."""
        before = [(node, name, getattr(node, name)) for node, name, _ in edit.changes]
        for node, name, value in edit.changes:
            setattr(node, name, value)
        texts = [*self._texts]
        place = edit.place
        texts[place] = ast.unparse(self._tree.body[place])
        for node, name, value in before:
            setattr(node, name, value)
        return "\n".join(texts)
