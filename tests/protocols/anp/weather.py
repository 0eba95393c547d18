"""A need, and a capability that answers it."""

from __future__ import annotations

from pydantic import BaseModel

from moothall.capability.decorators import capability
from moothall.negotiation.protocol.needs import Need

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "object",
    "properties": {"temperature": {"type": "integer"}, "sky": {"type": "string"}},
    "required": ["temperature", "sky"],
}
NEED = Need(requirement="Tell the weather forecast of a city", input_schema=CITY, output_schema=WEATHER)


class Weather(BaseModel):
    temperature: int
    sky: str


@capability(access="authenticated", name="forecast")
def forecast(city: str) -> Weather:
    """Tell the weather forecast of a city."""
    return Weather(temperature=len(city), sky="clear")
