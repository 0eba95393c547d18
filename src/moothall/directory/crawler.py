"""The unified crawler: what there is, what does it, and having it done (spec B §2, §3, §10.3).

::

    crawler = UnifiedCrawler(node)                            # inside a capability: UnifiedCrawler()
    hits = await crawler.search_resources("天气预报")
    made = await crawler.intelligent_call("获取上海明天的天气")    # made.value, made.target

What a crawler finds, and calls, is what its caller may find and call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from moothall.calls.caller import UnifiedCaller
from moothall.calls.hub import Hub, current_hub, gateway_of, part_of
from moothall.calls.reply import Reply
from moothall.calls.requests import in_words
from moothall.directory.intent.discovering import Cached, Discovers, ResourceDiscoverer
from moothall.directory.intent.intents import Intents
from moothall.directory.intent.matcher import IntelligentMatcher, Matches
from moothall.directory.intent.request import Request, provenance_of
from moothall.directory.listing import Listing
from moothall.directory.orchestration.executing import CallOrchestrator
from moothall.directory.searching import MOST, Filters, Found, Hit
from moothall.errors import InvalidInput, ServiceNotFoundError, Told, UsageError, ValidationError
from moothall.identity.principal import OWNER, Principal

__all__ = [
    "CallOrchestrator",
    "Called",
    "IntelligentMatcher",
    "ResourceDiscoverer",
    "UnifiedCrawler",
    "unified_crawler",
]

_PAGE: Final = 20
_LOOKED_AT: Final = 30


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call by intent.

    Attributes:
        target: what was called.
        value: what it gave.
        arguments: what it was given.
        provenance: where its description comes from.
    """

    target: str
    value: Any
    arguments: Mapping[str, Any]
    provenance: Mapping[str, Any]


class UnifiedCrawler:
    """Finds and calls by meaning, for one caller.

    Args:
        sdk: a started node, its host or its call path; None: the hub of the current context.
        principal: who searches and calls; by default as `UnifiedCaller` has it.
        discoverer: finds resources, in place of the node's own.
        matcher: tells what a request means, in place of the node's own.
        orchestrator: carries out several calls, in place of the usual one.
        cache: remembers answers of the node's own discoverer.

    Raises:
        UsageError: no node is given and there is no current hub; or the node has no directory.
    """

    def __init__(
        self,
        sdk: object = None,
        principal: Principal | None = None,
        *,
        discoverer: Discovers | None = None,
        matcher: Matches | None = None,
        orchestrator: CallOrchestrator | None = None,
        cache: Cached | None = None,
    ) -> None:
        found = current_hub() if sdk is None else sdk
        hub = found if isinstance(found, Hub) else Hub(gateway_of(found), principal or OWNER)
        intents = part_of(hub.gateway, Intents)
        if intents is None:
            raise UsageError("this node has no directory that could be searched")
        ground = intents.ground
        discoverer = discoverer or ground.discoverer
        if cache is not None and isinstance(discoverer, ResourceDiscoverer):
            discoverer = discoverer.remembering(cache)
        self._principal = principal or hub.principal
        self._intents = Intents(replace(ground, discoverer=discoverer, matcher=matcher or ground.matcher))
        self._caller = UnifiedCaller(hub, self._principal)
        self._own_parts = discoverer is not ground.discoverer or matcher is not None
        self.orchestrator = orchestrator or CallOrchestrator(self._step)

    async def search_resources(self, query: str, limit: int = _PAGE, *, filters: Filters | None = None) -> list[Hit]:
        """The resources that a query means, best first: capabilities and agents, here and elsewhere.

        Raises:
            InvalidInput: the query or a filter makes no sense.
            StorageError: the index cannot be read.
        """
        wanted = min(max(limit, _LOOKED_AT), MOST)
        found = await self._discover(query, filters or Filters(), wanted)
        matched = await self._intents.ground.matcher.match(self._intents.read(query), found.hits)
        by_target = {hit.listing.target: hit for hit in found.hits}
        ordered = [each.target for group in matched.groups for each in group.providers]
        places = {target: place for place, target in enumerate(dict.fromkeys(ordered))}
        return sorted(by_target.values(), key=lambda hit: places.get(hit.listing.target, len(places)))[:limit]

    async def intelligent_call(self, description: str, /, *, confirmed: str = "", **params: object) -> Called:
        """Call what does what the words say; what was called stands beside the value (row CRW-03).

        Raises:
            MoothallError: as `UnifiedCaller.call`.
        """
        return await self._by_intent(description, confirmed, params)

    async def _by_intent(self, description: str, confirmed: str, params: Mapping[str, Any]) -> Called:
        if self._own_parts:
            return await self._by_own_parts(description, confirmed, params)
        reply = await self._caller.try_call(in_words(description), params, confirmed=confirmed)
        if reply.error is not None:
            raise reply.error
        chosen: Mapping[str, Any] = (reply.metadata.chosen if reply.metadata else None) or {}
        told = (chosen.get("target", ""), reply.data, chosen.get("arguments", {}), chosen.get("provenance", {}))
        return Called(*told)

    async def execute(self, action: str, query: str = "", **params: Any) -> dict[str, Any]:  # noqa: ANN401 - as the action has them
        """Do what an action says; the answer is JSON but for the values of calls.

        ``discover`` (page, size) and ``search`` (limit) take ``kinds``, ``ways``, ``tags``, ``place``, ``day``,
        ``owner`` and ``source`` as filters; ``describe`` takes the target as its query; ``call`` takes a target, and
        the arguments as ``parameters``; ``intelligent_call`` words, ``parameters``, and ``confirmed``.

        Raises:
            ValidationError: there is no such action; `details` has ``actions``.
            MoothallError: as the action.
        """
        actions: Mapping[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "discover": self._discovered,
            "search": self._searched,
            "describe": self._described,
            "call": self._called,
            "intelligent_call": self._intelligently,
        }
        done = actions.get(action)
        if done is None:
            names = ", ".join(actions)
            told = Told("intent.action", {"names": names})
            raise ValidationError(f"no such action; there are {names}", told=told, details={"actions": [*actions]})
        if not all(_fits(action, *each) for each in params.items()):
            told = Told("intent.action_arguments", {"action": action})
            raise ValidationError("an argument of the action has another form", told=told)
        try:
            return await done(query, **params)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                told = Told("intent.action_arguments", {"action": action})
                raise ValidationError("the action has no such argument", told=told) from None
            raise

    async def _discovered(self, query: str, *, page: int = 1, size: int = _PAGE, **filters: Any) -> dict[str, Any]:  # noqa: ANN401
        """One page of everything that the caller may find."""
        if page < 1 or size < 1 or page * size > MOST:
            raise InvalidInput("no such page", told=Told("intent.page", {"most": MOST}))
        found = await self._discover(query, filters_of(filters), page * size)
        shown = found.hits[(page - 1) * size : page * size]
        return {
            "resources": [_shown(hit.listing) for hit in shown],
            "page": page,
            "total": found.total,
            "version": found.version,
        }

    async def _searched(self, query: str, *, limit: int = _PAGE, **filters: Any) -> dict[str, Any]:  # noqa: ANN401
        if limit < 1:
            raise InvalidInput("no such page", told=Told("intent.page", {"most": MOST}))
        hits = await self.search_resources(query, limit, filters=filters_of(filters))
        return {"resources": [{**_shown(hit.listing), "score": round(hit.score, 4)} for hit in hits]}

    async def _described(self, query: str) -> dict[str, Any]:
        listing = await self._intents.ground.discoverer.get(query, self._principal)
        if listing is None:
            raise ServiceNotFoundError("nothing of this name can be found", told=Told("calls.not_found"))
        schemas = {"input_schema": dict(listing.input_schema), "output_schema": dict(listing.output_schema)}
        return {**_shown(listing), **schemas, "provenance": provenance_of(listing)}

    async def _called(self, query: str, *, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"target": query, "result": await self._caller.call(query, parameters or {})}

    async def _intelligently(
        self, query: str, *, parameters: Mapping[str, Any] | None = None, confirmed: str = "", **named: object
    ) -> dict[str, Any]:
        given = {**(parameters or {}), **named}
        made = await self._by_intent(query, confirmed, given)
        return {
            "target": made.target,
            "result": made.value,
            "arguments": dict(made.arguments),
            "provenance": dict(made.provenance),
        }

    async def _by_own_parts(self, description: str, confirmed: str, params: Mapping[str, Any]) -> Called:
        """Choose by parts of one's own; the call itself names the target, and goes the usual way."""
        agreed = (confirmed,) if confirmed else ()
        request = Request(text=description, principal=self._principal, given=params, confirmed=agreed)
        chosen = await self._intents.choose(request)

        async def made(listing: Listing, arguments: Mapping[str, Any]) -> Reply[Any]:
            return await self._caller.try_call(listing.target, arguments)

        reply, listing = await self._intents.call(request, chosen, made)
        if reply.error is not None:
            raise reply.error
        return Called(listing.target, reply.data, chosen.arguments, provenance_of(listing))

    async def _discover(self, query: str, filters: Filters, limit: int) -> Found:
        return await self._intents.ground.discoverer.discover(query, self._principal, filters, limit)

    async def _step(self, target: str, arguments: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401
        return await self._caller.call(target, arguments, idempotency_key=key or None)


async def unified_crawler(action: str, query: str = "", **params: Any) -> dict[str, Any]:  # noqa: ANN401
    """Do what an action says in the current context; see `UnifiedCrawler.execute`.

    Raises:
        UsageError: there is no current hub.
        MoothallError: as `UnifiedCrawler.execute`.
    """
    return await UnifiedCrawler().execute(action, query, **params)


def _fits(action: str, name: str, value: object) -> bool:
    """Whether an argument that an action takes has the form that it must have; what is for others they look at."""
    if name == "parameters":
        return value is None or isinstance(value, Mapping)
    if name == "confirmed" and action == "intelligent_call":
        return isinstance(value, str)
    if name in {"page", "size", "limit"} and action in {"discover", "search"}:
        return isinstance(value, int)
    return True


def filters_of(said: Mapping[str, Any]) -> Filters:
    """Filters as JSON says them.

    Raises:
        ValidationError: there is no such filter, or it has no such form.
    """
    made: dict[str, Any] = {}
    for name, value in said.items():
        if name in {"kinds", "ways", "tags"} and isinstance(value, list | tuple | str):
            made[name] = frozenset([value] if isinstance(value, str) else map(str, value))
        elif _says(name, value):
            made[name] = value
        else:
            raise ValidationError("no such filter", told=Told("intent.filter", {"name": name}))
    return Filters(**made)


def _says(name: str, value: object) -> bool:
    if name == "min_trust":
        return isinstance(value, int)
    if not isinstance(value, str):
        return False
    return name in {"owner", "agent", "place", "source"} or (name == "day" and _is_day(value))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _shown(listing: Listing) -> dict[str, Any]:
    return {
        "target": listing.target,
        "kind": listing.kind,
        "way": listing.way,
        "name": listing.name,
        "description": listing.description,
        "tags": list(listing.tags),
        "agent": listing.agent,
        "source": listing.provenance.source or "local",
        "read_only": listing.read_only,
    }
