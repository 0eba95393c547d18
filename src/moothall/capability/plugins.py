"""Sources and templates that others add: at run time, or as Python entry points (row DEC-49).

A distribution names them in the groups ``moothall.sources`` and ``moothall.templates``; the name of the entry point is
the name of the source or template, its object is the `Source` or `Template` (or a callable that makes one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from threading import Lock
from typing import Final, Generic, TypeVar

from moothall.errors import Conflict

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the work of a capability can be done.

    Attributes:
        name: the value of option ``source``; a `Connector` with this scheme makes the calls.
        required: the options that such a capability cannot do without.
        connect: makes that `Connector`, for a source that brings its own; the node asks for it when it starts.
    """

    name: str
    required: tuple[str, ...] = ()
    connect: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of service.

    Attributes:
        name: the value of option ``template``.
        source: the source of its capabilities where none is given.
    """

    name: str
    source: str = "local"


class Shelf(Generic[P]):
    """The plug-ins of one kind, by name; entry points are read when an unknown name is asked for, once."""

    def __init__(self, group: str, kind: type[P], known: dict[str, P]) -> None:
        self._group = group
        self._kind = kind
        self._known = known
        self._built_in = frozenset(known)
        self._read = False
        self._lock = Lock()

    def find(self, name: str) -> P | None:
        """The plug-in of this name, if there is one."""
        if name not in self._known:
            self._read_entry_points()
        return self._known.get(name)

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted."""
        self._read_entry_points()
        return tuple(sorted(self._known))

    def add(self, name: str, plugin: P) -> None:
        """Make a plug-in known.

        Raises:
            Conflict: the name is taken by a different one.
        """
        with self._lock:
            if self._known.setdefault(name, plugin) != plugin:
                raise Conflict(f"there is a plug-in named {name!r} already", details={"name": name})

    def remove(self, name: str) -> None:
        """Forget a plug-in; those of moothall itself stay, capabilities that were made with it keep working."""
        if name not in self._built_in:
            with self._lock:
                self._known.pop(name, None)

    def added(self) -> tuple[P, ...]:
        """Those that are not moothall's own."""
        self._read_entry_points()
        return tuple(plugin for name, plugin in sorted(self._known.items()) if name not in self._built_in)

    def _read_entry_points(self) -> None:
        with self._lock:
            points = [] if self._read else entry_points(group=self._group)
            self._read = True
        for point in points:  # their modules may register plug-ins themselves
            loaded = point.load()
            plugin = loaded if isinstance(loaded, self._kind) else loaded()
            if not isinstance(plugin, self._kind):
                raise TypeError(f"the entry point {point.name!r} of {self._group} is no {self._kind.__name__}")
            self._known.setdefault(point.name, plugin)


SOURCES: Final = Shelf(
    "moothall.sources",
    Source,
    {
        "local": Source("local"),
        "http": Source("http", required=("endpoint",)),
        "did": Source("did", required=("did",)),
        "mcp": Source("mcp", required=("server",)),
        "a2a": Source("a2a", required=("endpoint",)),
        "llm": Source("llm"),
        "auto": Source("auto"),
    },
)
TEMPLATES: Final = Shelf(
    "moothall.templates",
    Template,
    {
        "api": Template("api"),
        "message": Template("message"),
        "group": Template("group"),
        "mcp": Template("mcp", "mcp"),
        "a2a": Template("a2a", "a2a"),
    },
)


def register_source(source: Source | str) -> None:
    """Make a source known, so that ``@capability(source=…)`` accepts it.

    Raises:
        Conflict: another one has the name.
    """
    made = Source(source) if isinstance(source, str) else source
    SOURCES.add(made.name, made)


def register_template(template: Template | str) -> None:
    """Make a template known, so that ``@capability(template=…)`` accepts it.

    Raises:
        Conflict: another one has the name.
    """
    made = Template(template) if isinstance(template, str) else template
    TEMPLATES.add(made.name, made)
