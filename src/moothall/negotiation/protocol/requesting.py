"""Protocols for the needs of this node's agents: found where there is one, else negotiated; then spoken."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from moothall.approvals.news import Bells
from moothall.canonical import loads
from moothall.codegen.fetching import Fetcher
from moothall.codegen.kept import Agreement, KeptProtocol
from moothall.codegen.sandbox.port import SandboxLimits
from moothall.codegen.schemas.validation import compiled
from moothall.error_classes import classes
from moothall.errors import (
    CallTimeout,
    InvalidInput,
    MoothallError,
    NegotiationRejected,
    Overloaded,
    ServiceNotFoundError,
    Told,
    UpstreamError,
    UpstreamInvalid,
)
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.agreed_terms import AGREED, REQUEST_KIND
from moothall.negotiation.protocol.document import GOOD
from moothall.negotiation.protocol.drafting import REFUSED
from moothall.negotiation.protocol.finding import ProtocolFinder
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.offers import TRANSPORT
from moothall.negotiation.protocol.opened import OPENED
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.requesting_party import RequestingParty
from moothall.negotiation.protocol.running import Half
from moothall.negotiation.protocol.spoken import Speaker, SpokenProtocol, spoken_of

MOST_OPEN: Final = 50
"""Negotiations that agents of this node may have begun at once."""

MOST_LISTED: Final = 100
_MOST_TOLD: Final = 5


class ProtocolRequests:
    """Finds, negotiates and speaks protocols for agents of this node.

    Args:
        log: where negotiations are runs.
        ground: of both sides.
        party: asks other agents.
        fetcher: gets code that others made.
        bells: rung by the driver.
        limits: of one run of generated code.

    Attributes:
        party: see above.
    """

    def __init__(
        self,
        log: EventLog,
        ground: PartyGround,
        party: RequestingParty,
        fetcher: Fetcher,
        bells: Bells,
        limits: SandboxLimits,
    ) -> None:
        self._log = log
        self._ground = ground
        self.party = party
        self._finder = ProtocolFinder(ground, party, fetcher)
        self._bells = bells
        self._limits = limits

    async def obtain(self, speaker: Speaker, peer: str, need: Need, until: float) -> SpokenProtocol:
        """A protocol for a need with a peer: the one that there is, or one that is negotiated now.

        Args:
            speaker: the agent.
            peer: the DID of the provider.
            need: what is wanted.
            until: when to stop waiting, monotonic seconds; the negotiation goes on.

        Raises:
            NegotiationRejected: they agree on none; says why.
            CallTimeout: they have not agreed yet.
            Overloaded: too many negotiations are open.
            MoothallError: the other side cannot be asked.
        """
        found = await self._finder.find(speaker, peer, need)
        if found is not None:
            return found
        run = await self.begin(speaker, peer, need)
        return await self.outcome(run, peer, until)

    async def begin(self, speaker: Speaker, peer: str, need: Need) -> str:
        """Begin a negotiation; its id. It goes on whoever waits, and whatever happens to this process.

        Raises:
            Overloaded: too many are open.
        """
        if await self._log.count_open(REQUEST_KIND, most=MOST_OPEN) >= MOST_OPEN:
            raise Overloaded("too many are open", told=Told("agreeing.front_full"))
        run = f"pr-{secrets.token_hex(16)}"
        opened = {
            "agent": speaker.name,
            "did": speaker.did,
            "peer": peer,
            "negotiation": run,
            "security": TRANSPORT,
            "need": need.model_dump(mode="json"),
        }
        meta = {"agent": speaker.did, "peer": peer, "need": need.digest}
        await self._log.create(run, REQUEST_KIND, [Draft("opened", OPENED, opened)], meta=meta, subject=speaker.did)
        return run

    async def outcome(self, run: str, peer: str, until: float) -> SpokenProtocol:
        """How a negotiation ends, at ``until`` (monotonic seconds) at the latest.

        Raises:
            NegotiationRejected: without an agreement.
            CallTimeout: it goes on.
        """
        with self._bells.watch(run) as watch:
            try:
                async with asyncio.timeout(max(until - self._log.clock.monotonic(), 0.0)):
                    while (end := await self.end(run)) is None:
                        await watch.news()
            except TimeoutError as error:
                told = Told("agreeing.front_waiting")
                raise CallTimeout("still under way", told=told, details={"negotiation": run}) from error
        if end.type == REFUSED:
            raise _refusal(end, run)
        said = end.payload
        capability = str(said["reply"]["selected"]["capability"])
        return SpokenProtocol(
            negotiation=run,
            peer=peer,
            protocol=said["protocol"],
            capability=capability,
            routine=said["module"],
            source="negotiated",
        )

    async def end(self, run: str) -> Event | None:
        """The event that ended a negotiation; None: it goes on."""
        events = await self._log.select([run], {AGREED, REFUSED})
        return events[0] if events else None

    async def speak(self, speaker: Speaker, spoken: SpokenProtocol, arguments: JsonObject) -> Any:  # noqa: ANN401 - JSON
        """Ask the provider with what the user has; the result that was wanted. No model has a part in it.

        Raises:
            InvalidInput: the arguments are not what the code was made for.
            SandboxFault: the code can make no request of the arguments, or no result of the response.
            UpstreamError: the provider answers with another code than 200; UpstreamInvalid: with something else.
            MoothallError: as the call.
        """
        half = await self._half(spoken)
        _fitting(half, arguments)
        request = await half.run("build", {"arguments": arguments})
        if half.document.request_problems(request):
            raise InvalidInput("the request does not fit", told=Told("agreeing.front_request"))
        response = await self._answered(speaker, spoken, half, {"request": request})
        code = response.get("code") if isinstance(response, dict) else None
        if not isinstance(code, int) or (code == GOOD and half.document.response_problems(response)):
            raise UpstreamInvalid("the response does not fit", told=Told("agreeing.bad_response"))
        if code != GOOD:
            told = Told("agreeing.front_code", {"code": code})
            raise UpstreamError("the provider cannot answer this", told=told, details={"code": code})
        return await half.run("parse", {"response": response})

    async def _answered(self, speaker: Speaker, spoken: SpokenProtocol, half: Half, params: JsonObject) -> Any:  # noqa: ANN401 - JSON
        """The response; where the protocol has made room for others at the provider, it is asked for once more."""
        target = f"{spoken.peer}#{spoken.capability}"
        try:
            return await speaker.calls(target, params)
        except ServiceNotFoundError:
            if not await self._finder.spoken_still(speaker, spoken.peer, half.document):
                raise
        return await speaker.calls(target, params)

    async def agreements(self, did: str) -> list[Agreement]:
        """What an agent has agreed on, as the requester; the newest first."""
        return [each for each in await self._ground.routines.agreements(role="requester") if each.agent == did]

    async def agreed(self, speaker: Speaker, peer: str, protocol: str) -> SpokenProtocol:
        """A protocol that was agreed on with a peer, to be spoken.

        Raises:
            ServiceNotFoundError: there is none, or no tested code of this side for it.
        """
        kept = await self._ground.routines.agreements(role="requester", protocol=protocol)
        agreed = [each for each in kept if (each.peer, each.agent) == (peer, speaker.did)]
        routines = await self._ground.routines.find(protocol, "requester") if agreed else []
        tested = [each for each in routines if each.tested_at]
        if not tested:
            raise ServiceNotFoundError("no such protocol", told=Told("agreeing.front_unknown"))
        document = documents.read((await self.protocol(protocol)).document)
        return spoken_of(peer, document, tested[0], "kept")

    async def protocol(self, digest: str) -> KeptProtocol:
        """The document of a protocol that is kept here.

        Raises:
            ServiceNotFoundError: there is none.
        """
        kept = await self._ground.routines.protocol(digest)
        if kept is None:
            raise ServiceNotFoundError("no such protocol", told=Told("agreeing.front_unknown"))
        return kept

    async def _half(self, spoken: SpokenProtocol) -> Half:
        kept = await self._ground.routines.protocol(spoken.protocol)
        routine = await self._ground.routines.get(spoken.routine)
        if kept is None or routine is None or routine.tested_at is None:
            raise ServiceNotFoundError("no such protocol", told=Told("agreeing.front_gone"))
        workshop = self._ground.workshop
        document = documents.read(kept.document)
        return Half(document=document, module=routine.module, sandbox=workshop.sandbox, limits=self._limits)


def transcript_in(agreed: Agreement) -> JsonObject:
    """The signed conversation of an agreement; empty where there was none."""
    found: JsonObject = loads(agreed.transcript) if agreed.transcript else {}
    return found


def _fitting(half: Half, arguments: JsonObject) -> None:
    """Raise InvalidInput for arguments that the code cannot take; says where, and repeats no value."""
    build = half.module.manifest.function("build")
    if build is not None and (problems := compiled(build.parameters).problems({"arguments": arguments}, _MOST_TOLD)):
        told = Told("agreeing.front_arguments", {"problems": "; ".join(problems)})
        raise InvalidInput("the arguments do not fit", told=told)


def _refusal(end: Event, run: str) -> MoothallError:
    """Why a negotiation ended, as an error of the class that the other side named."""
    named = classes().get(str(end.payload.get("code", "")), NegotiationRejected)
    kind = named if issubclass(named, NegotiationRejected) else NegotiationRejected
    reason = str(end.payload["reason"])
    told = Told("agreeing.front_failed", {"reason": reason})
    return kind("nothing was agreed on", told=told, details={"negotiation": run, "reason": reason})
