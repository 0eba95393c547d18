"""The tools of a node, put together: what a language model is given to look around, to call and to plan."""

from __future__ import annotations

from collections.abc import Sequence

from moothall.directory.crawler import UnifiedCrawler
from moothall.directory.tools.facade import FacadeTools
from moothall.directory.tools.reach import Reach
from moothall.directory.tools.resources import Resources
from moothall.hosting.house import House


class Tools:
    """The room of the four tools.

    Attributes:
        capabilities: the tools.
    """

    def __init__(self, house: House) -> None:
        reach = Reach(house.clock.monotonic)
        resources = Resources(house.registry, house.path)
        self.capabilities: Sequence[object] = (FacadeTools(reach, resources, UnifiedCrawler),)
