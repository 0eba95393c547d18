"""The specification's four kinds of decorators by name (row DEC-47): `capability` with one choice made already."""

from __future__ import annotations

from typing import ClassVar, Unpack

from moothall.capability.decorators import CapabilityDecorator
from moothall.capability.options import OptionError, Options


class _Wrapper(CapabilityDecorator):
    """A decorator with options that are given."""

    given: ClassVar[Options] = {}

    def __init__(self, **options: Unpack[Options]) -> None:
        """Take further options.

        Raises:
            OptionError: one of them is given already.
        """
        if twice := sorted(self.given.keys() & options.keys()):
            raise OptionError(f"{self.what} sets {', '.join(twice)} itself")
        super().__init__(**options)
        self.options.update(self.given)


class LocalMethodWrapper(_Wrapper):
    """A function of this process, for callers in it."""

    what = "LocalMethodWrapper()"
    given: ClassVar[Options] = {"source": "local", "expose_to": "local"}


class MCPToolWrapper(_Wrapper):
    """A tool of an MCP server; ``server`` names the server, ``method`` the tool."""

    what = "MCPToolWrapper()"
    given: ClassVar[Options] = {"source": "mcp"}


class RemoteAPIWrapper(_Wrapper):
    """An A2A agent or a plain JSON service at an ``endpoint``."""

    what = "RemoteAPIWrapper()"
    given: ClassVar[Options] = {"source": "a2a"}


class NetworkServiceWrapper(_Wrapper):
    """A function of this process, for callers on the network."""

    what = "NetworkServiceWrapper()"
    given: ClassVar[Options] = {"source": "local", "expose_to": "net"}
