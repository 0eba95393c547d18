"""The tree of a mapping as small functions, which a template writes out as code. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from moothall.codegen.schemas.plan import Constant, Convert, Copy, Items, Member, Members, Node, Nullable, Take
from moothall.codegen.schemas.running import JsonValue


@dataclass(frozen=True, slots=True)
class Use:
    """What becomes of a value at one place: the name of a function; empty: it stays, or is a constant."""

    function: str = ""
    constant: JsonValue = None
    is_constant: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A member that is made."""

    member: Member
    use: Use


@dataclass(frozen=True, slots=True)
class Step:
    """A function that makes a value.

    Attributes:
        name: its own.
        kind: which form it has; the template knows how it is written.
        how: of a conversion.
        path: where its value stands within the given one.
        use: what becomes of what it works on.
        parts: the members of an object.
    """

    name: str
    kind: str
    how: str = ""
    path: tuple[str, ...] = ()
    use: Use = Use()
    parts: tuple[Part, ...] = ()


class Steps:
    """The functions of one module."""

    def __init__(self) -> None:
        self.made: list[Step] = []

    def of(self, node: Node) -> Use:  # noqa: PLR0911 - one for each kind of node
        """What to write for a node."""
        match node:
            case Copy():
                return Use()
            case Constant(value):
                return Use(constant=value, is_constant=True)
            case Convert(how):
                return self._named("convert", how=how)
            case Nullable(inner):
                return self._named("nullable", use=self.of(inner))
            case Items(each):
                return self._named("items", use=self.of(each))
            case Take(path, then):
                return self._named("take", path=path, use=self.of(then))
            case Members(members):
                return self._named("members", parts=tuple(Part(each, self.of(each.node)) for each in members))

    def _named(
        self,
        kind: str,
        *,
        how: str = "",
        path: tuple[str, ...] = (),
        use: Use | None = None,
        parts: tuple[Part, ...] = (),
    ) -> Use:
        name = f"made_{len(self.made) + 1}"
        self.made.append(Step(name, kind, how, path, use or Use(), parts))
        return Use(name)

    @property
    def looks_up(self) -> bool:
        """Whether something is looked up that may be missing."""
        taken = any(step.kind == "take" for step in self.made)
        parts = [part.member for step in self.made for part in step.parts if not part.use.is_constant]
        return taken or any(not member.needed or member.has_default or member.drops_null for member in parts)
