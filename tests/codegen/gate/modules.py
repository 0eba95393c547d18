"""Good modules with good tests, as writers should make them: both halves of a protocol, an interface, a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moothall.codegen.module import Case, Function, JsonObject, Kind, Manifest, Module, Provenance, ScriptedCall
from moothall.codegen.task import CALLBACK, Callee

PROTOCOL = "sha256:" + "7" * 64


def obj(required: str = "", /, **properties: Any) -> JsonObject:
    """The schema of an object; ``required`` names what has to be there, by default all of it."""
    names = required.split() if required else list(properties)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1, "maxLength": 40}
DEGREES = {"type": "integer", "minimum": -60, "maximum": 60}
DAYS = {"type": "integer", "minimum": 1, "maximum": 7}
WANTED = obj("city days", city=TEXT, days=DAYS, fahrenheit={"type": "boolean"})
REQUEST = obj(location=TEXT, first={"const": 1}, last=DAYS, unit={"enum": ["C", "F"]})
DAY = obj(day=DAYS, low=DEGREES, high=DEGREES)
GOOD = obj(code={"const": 200}, days={"type": "array", "items": DAY, "minItems": 1, "maxItems": 7})
BAD = obj(code={"enum": [400, 404, 500]}, message={"type": "string", "maxLength": 60})
RESPONSE = {"anyOf": [GOOD, BAD]}
RESULT = obj(warmest=DEGREES, coldest=DEGREES, days={"type": "integer", "minimum": 1})


def module(
    kind: Kind, functions: dict[str, tuple[JsonObject, JsonObject]], source: str, *cases: Case, **more: Any
) -> Module:
    made = tuple(Function(name=name, parameters=taken, returns=given) for name, (taken, given) in functions.items())
    manifest = Manifest(
        kind=kind,
        name="weather",
        functions=made,
        protocol="" if kind == "service" else PROTOCOL,
        provenance=Provenance(writer="person"),
        **more,
    )
    return Module(manifest=manifest, source=source, cases=cases, policy="gate-1")


def case(function: str, expected: Any = None, /, *calls: ScriptedCall, raises: str = "", **arguments: Any) -> Case:
    name = f"{function} {arguments!r} {[call.error for call in calls]}"[:200]
    return Case(name=name, function=function, arguments=arguments, expected=expected, raises=raises, calls=calls)


REQUESTER_SOURCE = '''
GOOD = 200


def build(arguments: Arguments) -> Request:
    """What the provider is asked."""
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are no object")
    city = arguments.get("city")
    days = arguments.get("days")
    if not isinstance(city, str) or not isinstance(days, int) or isinstance(days, bool):
        raise ValueError("city or days is missing")
    if not 1 <= len(city) <= 40 or not 1 <= days <= 7:
        raise ValueError("city or days is out of range")
    return {"location": city, "first": 1, "last": days, "unit": "F" if arguments.get("fahrenheit") is True else "C"}


def number(day: Any, name: str) -> int:
    if not isinstance(day, dict):
        raise ValueError("a day is no object")
    value = day.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 60:
        raise ValueError("a day has no such number")
    return value


def parse(response: Response) -> Result:
    """What the user gets."""
    if not isinstance(response, dict) or response.get("code") != GOOD:
        raise ValueError("the provider refused")
    days = response.get("days")
    if not isinstance(days, list) or not days:
        raise ValueError("there are no days")
    highs = [number(day, "high") for day in days]
    lows = [number(day, "low") for day in days]
    return {"warmest": max(highs), "coldest": min(lows), "days": len(days)}
'''

THREE_DAYS = [
    {"day": 1, "low": -3, "high": 4},
    {"day": 2, "low": 1, "high": 60},
    {"day": 3, "low": -60, "high": 0},
]

REQUESTER = module(
    "requester",
    {
        "build": (obj(arguments=WANTED), REQUEST),
        "parse": (obj(response=RESPONSE), RESULT),
    },
    REQUESTER_SOURCE,
    case("build", {"location": "Oslo", "first": 1, "last": 3, "unit": "C"}, arguments={"city": "Oslo", "days": 3}),
    case(
        "build",
        {"location": "柏林", "first": 1, "last": 7, "unit": "F"},
        arguments={"city": "柏林", "days": 7, "fahrenheit": True},
    ),
    case(
        "build",
        {"location": "x" * 40, "first": 1, "last": 1, "unit": "C"},
        arguments={"city": "x" * 40, "days": 1, "fahrenheit": False},
    ),
    case("build", {"location": "y", "first": 1, "last": 2, "unit": "C"}, arguments={"city": "y", "days": 2}),
    case("build", raises="ValueError", arguments={"city": "", "days": 3}),
    case("build", raises="ValueError", arguments={"city": "Oslo", "days": 8}),
    case("build", raises="ValueError", arguments={"city": "Oslo", "days": 0}),
    case("build", raises="ValueError", arguments={"city": "x" * 41, "days": 1}),
    case("parse", {"warmest": 60, "coldest": -60, "days": 3}, response={"code": 200, "days": THREE_DAYS}),
    case(
        "parse",
        {"warmest": 5, "coldest": 5, "days": 1},
        response={"code": 200, "days": [{"day": 1, "low": 5, "high": 5}]},
    ),
    case("parse", raises="ValueError", response={"code": 404, "message": "no such city"}),
    case("parse", raises="ValueError", response={"code": 404, "days": THREE_DAYS}),
    case("parse", raises="ValueError", response={"code": 200, "days": []}),
    case("parse", raises="ValueError", response={"code": 200, "days": [{"day": 1, "low": 1, "high": 61}]}),
)

FORECAST = Callee(
    CALLBACK,
    obj(city=TEXT, until=DAYS),
    {"type": "array", "items": obj(min=DEGREES, max=DEGREES), "maxItems": 7},
    "the forecast",
)

PROVIDER_SOURCE = '''
def handle(request: Request) -> Response:
    """Ask for the forecast, and put it as agreed."""
    if not isinstance(request, dict):
        raise ValueError("the request is no object")
    city = request.get("location")
    last = request.get("last")
    if not isinstance(city, str) or not 1 <= len(city) <= 40:
        return {"code": 400, "message": "location is missing"}
    if not isinstance(last, int) or isinstance(last, bool) or not 1 <= last <= 7:
        return {"code": 400, "message": "last is no day"}
    try:
        found = call("callback", {"city": city, "until": last})
    except RuntimeError:
        return {"code": 500, "message": "there is no forecast now"}
    if not found:
        return {"code": 404, "message": "nothing is known of this place"}
    days: list[Any] = [{"day": place + 1, "low": each["min"], "high": each["max"]} for place, each in enumerate(found)]
    return {"code": 200, "days": days}
'''


def asked(city: str, until: int, reply: Any = None, error: str = "") -> ScriptedCall:
    return ScriptedCall(target=CALLBACK, parameters={"city": city, "until": until}, reply=reply, error=error)


def wish(location: Any, last: Any) -> JsonObject:
    return {"location": location, "first": 1, "last": last, "unit": "C"}


NO_PLACE = {"code": 400, "message": "location is missing"}
NO_DAY = {"code": 400, "message": "last is no day"}
PROVIDER = module(
    "provider",
    {"handle": (obj(request=REQUEST), RESPONSE)},
    PROVIDER_SOURCE,
    case(
        "handle",
        {"code": 200, "days": [{"day": 1, "low": 0, "high": 9}, {"day": 2, "low": -4, "high": 3}]},
        asked("Oslo", 2, [{"min": 0, "max": 9}, {"min": -4, "max": 3}]),
        request=wish("Oslo", 2),
    ),
    case(
        "handle",
        {"code": 200, "days": [{"day": 1, "low": 1, "high": 2}]},
        asked("x" * 40, 7, [{"min": 1, "max": 2}]),
        request=wish("x" * 40, 7),
    ),
    case(
        "handle",
        {"code": 200, "days": [{"day": 1, "low": 1, "high": 2}]},
        asked("y", 1, [{"min": 1, "max": 2}]),
        request=wish("y", 1),
    ),
    case(
        "handle",
        {"code": 404, "message": "nothing is known of this place"},
        asked("Atlantis", 1, []),
        request=wish("Atlantis", 1),
    ),
    case(
        "handle",
        {"code": 500, "message": "there is no forecast now"},
        asked("Oslo", 1, error="the call failed"),
        request=wish("Oslo", 1),
    ),
    case("handle", NO_PLACE, request=wish("", 1)),
    case("handle", NO_PLACE, request=wish("x" * 41, 1)),
    case("handle", NO_DAY, request=wish("Oslo", 8)),
    case("handle", NO_DAY, request=wish("Oslo", 0)),
    may_call=(CALLBACK,),
)

ITEM = obj(
    price={"type": "integer", "minimum": 0, "maximum": 500}, count={"type": "integer", "minimum": 1, "maximum": 5}
)
SERVICE_SOURCE = '''
def total(items: list[dict[str, int]], member: bool) -> dict[str, int]:
    """Prices in cents: from 100 on the parcel is free, and members get a tenth of the goods off."""
    if not isinstance(items, list) or not isinstance(member, bool):
        raise ValueError("items or member is missing")
    goods = 0
    for item in items:
        if not isinstance(item, dict):
            raise ValueError("an item is no object")
        price = item.get("price")
        count = item.get("count")
        if not isinstance(price, int) or not isinstance(count, int):
            raise ValueError("an item has no price or count")
        if price < 0 or count < 1:
            raise ValueError("a price or count is below what it can be")
        goods += price * count
    off = goods // 10 if member else 0
    parcel = 0 if goods >= 100 or goods == 0 else 25
    return {"goods": goods, "off": off, "parcel": parcel, "total": goods - off + parcel}
'''


def bill(goods: int, off: int, parcel: int) -> JsonObject:
    return {"goods": goods, "off": off, "parcel": parcel, "total": goods - off + parcel}


NUMBER = {"type": "integer", "minimum": 0}
SERVICE = module(
    "service",
    {
        "total": (
            obj(items={"type": "array", "items": ITEM, "maxItems": 6}, member={"type": "boolean"}),
            obj(goods=NUMBER, off=NUMBER, parcel=NUMBER, total=NUMBER),
        )
    },
    SERVICE_SOURCE,
    case("total", bill(0, 0, 0), items=[], member=False),
    case("total", bill(0, 0, 0), items=[{"price": 0, "count": 3}], member=True),
    case("total", bill(99, 0, 25), items=[{"price": 33, "count": 3}], member=False),
    case("total", bill(99, 9, 25), items=[{"price": 33, "count": 3}], member=True),
    case("total", bill(100, 0, 0), items=[{"price": 10, "count": 4}, {"price": 60, "count": 1}], member=False),
    case("total", bill(345, 34, 0), items=[{"price": 115, "count": 3}], member=True),
    case("total", bill(1, 0, 25), items=[{"price": 1, "count": 1}], member=True),
    case("total", raises="ValueError", items=[{"price": -1, "count": 1}], member=True),
    case("total", raises="ValueError", items=[{"price": 1, "count": 0}], member=True),
)

ANSWERED = Callee("requester", obj(request=obj(city=TEXT)), RESPONSE, "what the provider answers")
INTERFACE_SOURCE = '''
def interface(city: str) -> str:
    """Ask in the user's name, and put the answer into words."""
    if not isinstance(city, str) or not 1 <= len(city) <= 40:
        raise ValueError("city is missing")
    response = call("requester", {"request": {"city": city}})
    if response["code"] != 200:
        raise ValueError("the provider refused")
    return city + ": " + str(len(response["days"]))
'''


def sent(city: str, reply: Any) -> ScriptedCall:
    return ScriptedCall(target="requester", parameters={"request": {"city": city}}, reply=reply)


INTERFACE = module(
    "requester",
    {"interface": (obj(city=TEXT), {"type": "string"})},
    INTERFACE_SOURCE,
    case("interface", "Oslo: 3", sent("Oslo", {"code": 200, "days": THREE_DAYS}), city="Oslo"),
    case("interface", "y: 1", sent("y", {"code": 200, "days": THREE_DAYS[:1]}), city="y"),
    case("interface", f"{'x' * 40}: 1", sent("x" * 40, {"code": 200, "days": THREE_DAYS[:1]}), city="x" * 40),
    case("interface", None, sent("Oslo", {"code": 404, "message": "no"}), raises="ValueError", city="Oslo"),
    case("interface", raises="ValueError", city=""),
    case("interface", raises="ValueError", city="x" * 41),
    may_call=("requester",),
)


@dataclass(frozen=True)
class Good:
    """A module that passes, and what it may call."""

    module: Module
    callees: tuple[Callee, ...] = ()


GOOD_MODULES = {
    "requester": Good(REQUESTER),
    "provider": Good(PROVIDER, (FORECAST,)),
    "service": Good(SERVICE),
    "interface": Good(INTERFACE, (ANSWERED,)),
}
