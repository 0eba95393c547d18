"""An agent of its own on a node: methods, who calls, a stream, progress. The weather is invented.

moot serve examples/weather_agent.py
moot tools weather.forecast
moot call local:weather.forecast city=Shanghai days=2
moot call local:weather.hours city=Shanghai --stream
"""

import zlib
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from moothall import Agent, CallContext, Node, ValidationError, capability

Days = Annotated[int, Field(ge=1, le=14)]


class Day(BaseModel):
    date: date
    sky: str
    degrees: int


class Weather:
    """What the agent knows; every caller who proves an identity may ask."""

    capability_defaults: ClassVar = {"access": "authenticated", "read_only": True, "tags": ["weather"]}

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    @capability(access="public", cache_ttl=600)
    def forecast(self, city: str, days: Days = 3) -> list[Day]:
        """Say what the weather will be.

        Args:
            city: in any language
            days: how many, from tomorrow on
        """
        return [self._day(city, number) for number in range(1, days + 1)]

    @capability
    async def hours(self, city: str) -> AsyncIterator[int]:
        """Tell the degrees of tomorrow, hour by hour."""
        mean = self._day(city, 1).degrees
        for hour in range(24):
            yield mean - abs(hour - 14) // 3

    @capability(timeout=300, rate_limit="10/hour")
    async def compare(self, ctx: CallContext, cities: list[str]) -> str:
        """Find the warmest of some cities, telling how far the work is."""
        if not cities:
            raise ValidationError("there are no cities to compare")
        warmest = ""
        best = -100
        for number, city in enumerate(cities, 1):
            days = await ctx.call("local:weather.forecast", city=city, days=1)
            if days[0].degrees > best:
                warmest, best = city, days[0].degrees
            await ctx.progress(number, len(cities), city)
        self.asked[ctx.principal.id] = self.asked.get(ctx.principal.id, 0) + 1
        return warmest

    @capability(permissions=["weather.read"])
    def statistics(self) -> dict[str, int]:
        """Say who compared cities how often; for those who were granted weather.read."""
        return self.asked

    def _day(self, city: str, number: int) -> Day:
        chance = zlib.crc32(f"{city}/{number}".encode())
        sky = ("sunny", "cloudy", "rain", "wind")[chance % 4]
        then = datetime.now().astimezone().date() + timedelta(days=number)
        return Day(date=then, sky=sky, degrees=chance // 4 % 35)


node = Node()
node.add(Agent("weather", Weather(), description="Invented weather for every town"))
