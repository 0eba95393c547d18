"""The front desk of an agent's negotiations: who asks is proved, then it is chosen or drafted (ANP-06 1.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from moothall.calls.ports import Gateway
from moothall.capability.entry import Entry
from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import (
    InvalidInput,
    NegotiationRejected,
    PermissionDeniedError,
    ServiceNotFoundError,
    Told,
    ValidationError,
)
from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.identity.carriage import agent_uri
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.agreed_terms import (
    AGREED,
    AGREED_KEY,
    SELECTED_KIND,
    Agreed,
    request_digest,
    run_of,
    sealed,
)
from moothall.negotiation.protocol.asked import Asked, Place, Quote
from moothall.negotiation.protocol.authorizing import Authorizing
from moothall.negotiation.protocol.bodies import (
    DRAFTING,
    NEGOTIATE,
    CapabilitiesReply,
    NegotiateBody,
    NegotiateMeta,
    NegotiationReply,
    read,
)
from moothall.negotiation.protocol.frequency import too_often, within
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import offers_of
from moothall.negotiation.protocol.replying import asking_back, expired, refused_by_person, reply_of
from moothall.negotiation.protocol.selection import Chosen, Unclear, check_head, select

DOOR: Final = "anp"
"""The door whose capabilities are negotiated about."""

AHEAD: Final = timedelta(seconds=60)
OLDEST: Final = timedelta(seconds=300)
"""How far ``created_at`` may be from now."""

MOST_HELD: Final = 200
"""Agreements of one caller that hold at once: each is kept, with its schemas."""


class Proves(Protocol):
    """Finds out who made an origin proof; raises as `Verifier.prove_carried`."""

    async def __call__(self, message: Mapping[str, object], /, *, method: str, target: str) -> Principal:
        """Who made it."""
        ...


class Drafts(Protocol):
    """Drafts protocols; raises as `NegotiationDesk.negotiate`."""

    async def exchange(self, asked: Asked) -> NegotiationReply:
        """Take the messages of one request in, and give those that the other side does not have yet."""
        ...


Spoken = Callable[[str, Sequence[object]], Awaitable[Sequence[Entry]]]
"""The capabilities of agreed protocols that an agent speaks, among those that are named by digest or name."""


async def nothing_spoken(_agent: str, _named: Sequence[object]) -> Sequence[Entry]:
    """No protocol is agreed here."""
    return ()


class NegotiationDesk:
    """Answers ``anp.negotiate`` and ``anp.get_capabilities`` for every agent of a node.

    Args:
        log: where agreements are runs.
        gateway: the call path, which says what a caller may call.
        proves: reads origin proofs.
        place: an agent of this node, by its name; None where there is none.
        authorizing: has people agree.
        limits: what an endpoint takes, by name, for ``anp.get_capabilities``.
        valid: how long an agreement holds.
        drafts: None: this node drafts nothing.
        house: the node's own agent, who is meant where none is named.
        spoken: the agreed protocols that a caller may mean; no listing shows them.
    """

    def __init__(  # noqa: PLR0913 - given by their names, once
        self,
        log: EventLog,
        gateway: Callable[[], Gateway],
        proves: Proves,
        place: Callable[[str], Place | None],
        authorizing: Authorizing,
        *,
        limits: Mapping[str, int],
        valid: timedelta,
        drafts: Drafts | None = None,
        house: str = "",
        spoken: Spoken = nothing_spoken,
    ) -> None:
        self._log = log
        self._gateway = gateway
        self._proves = proves
        self._place = place
        self._authorizing = authorizing
        self._limits = dict(limits)
        self._valid = valid
        self._drafts = drafts
        self._house = house
        self._spoken = spoken

    def capabilities(self, agent: str) -> CapabilitiesReply:
        """What the agent's endpoint can do.

        Raises:
            ServiceNotFoundError: there is no such agent.
        """
        place = self._known(agent)
        return CapabilitiesReply(
            service_did=place.did,
            supported_profiles=("anp.core.binding.v1", "anp.meta.negotiation.v1", *place.terms.profiles),
            supported_security_profiles=place.terms.security_profiles,
            supported_content_types=place.terms.content_types,
            limits=self._limits,
        )

    async def negotiate(
        self, caller: Principal, agent: str, meta: JsonObject, body: JsonObject, auth: JsonObject
    ) -> NegotiationReply:
        """Answer a request.

        Args:
            caller: who sent it here; it may have been made, and proved, by somebody else.
            agent: whom it was sent to.
            meta: the head, as it was received.
            body: the same.
            auth: ``{"origin_proof": …}``, or empty.

        Raises:
            ValidationError: a member is missing or has another form, or it is for another agent.
            PermissionDeniedError: who it says made it did not.
            Unauthenticated: its proof does not hold.
            NegotiationRejected: as its classes say.
            RateLimited: the sender has too many agreements, or began too many negotiations.
            ServiceNotFoundError: there is no such agent.
        """
        head, wanted, place = read(NegotiateMeta, meta, "meta"), read(NegotiateBody, body, "body"), self._known(agent)
        if head.target.did != place.did:
            raise ValidationError("for another agent", told=Told("agreeing.front_target"))
        sender = await self._sender(caller, head.sender_did, place, {"meta": meta, "body": body}, auth)
        self._check_date(head.created_at)
        security = check_head(head, wanted, place.terms)
        asked = Asked(place=place, sender=sender, meta=head, body=wanted, raw=body, security=security)
        if wanted.mode == DRAFTING and self._drafts is not None:
            return await self._drafts.exchange(asked)
        return await self._selected(asked)

    async def conclude(self, sender: Principal, agent: str, negotiation: str, security: str, body: JsonObject) -> str:
        """Make the agreement that a person has approved; its digest.

        Raises:
            NegotiationRejected: by now there is nothing to agree on.
        """
        wanted, place = read(NegotiateBody, body, "body"), self._known(agent)
        chosen = await self._choice(sender, place, wanted, security)
        if isinstance(chosen, Unclear):
            raise NegotiationRejected("nothing to agree on any more", told=Told("agreeing.front_no_match"))
        return (await self._agree(sender, place, negotiation, body, chosen)).negotiation_digest

    async def check(self, caller: Principal, agent: str, capability: str, quote: Quote) -> None:
        """Hold a call against the agreement that it quotes.

        Raises:
            NegotiationExpired: it does not hold any more.
            NegotiationRejected: this was not agreed, or not with this caller.
        """
        place = self._known(agent)
        agreed = await self._kept(run_of(place.did, caller.id, quote.negotiation))
        if agreed is None or agreed.digest != quote.digest or agreed.capability != capability:
            raise NegotiationRejected("this was not agreed", told=Told("agreeing.front_other"))
        if not agreed.holds(self._log.clock.now()):
            raise expired()

    async def _selected(self, asked: Asked) -> NegotiationReply:
        request, kept = request_digest(asked.raw), await self._kept(asked.run)
        if kept is not None:
            if kept.request != request:
                raise NegotiationRejected("used for another request", told=Told("agreeing.front_operation"))
            if not kept.holds(self._log.clock.now()):
                raise expired()
            return NegotiationReply.model_validate(kept.reply)
        chosen = await self._choice(asked.sender, asked.place, asked.body, asked.security)
        if isinstance(chosen, Unclear):
            return asking_back(asked.negotiation, chosen)
        if not chosen.human:
            return await self._agree(asked.sender, asked.place, asked.negotiation, asked.raw, chosen)
        concluding = {
            "agent": asked.place.name,
            "negotiation": asked.negotiation,
            "security": asked.security,
            "body": asked.raw,
        }
        if await self._authorizing.granted(asked.sender, concluding) and await self._kept(asked.run) is not None:
            return await self._selected(asked)
        return refused_by_person(asked.negotiation)

    async def _choice(self, sender: Principal, place: Place, wanted: NegotiateBody, security: str) -> Chosen | Unclear:
        seen = [
            *await self._gateway().visible(sender, DOOR),
            *await self._spoken(place.name, wanted.candidate_protocols),
        ]
        return select(wanted, offers_of(place.name, seen), place.terms, security)

    async def _agree(
        self, sender: Principal, place: Place, negotiation: str, body: JsonObject, chosen: Chosen
    ) -> NegotiationReply:
        if not sender.owner and (wait := await within(self._log, SELECTED_KIND, self._valid, MOST_HELD, sender.id)):
            raise too_often(wait)
        until = rfc3339(self._log.clock.now() + self._valid)
        reply = sealed(reply_of(negotiation, chosen, until), agent=place.did, sender=sender.id)
        run, request = run_of(place.did, sender.id, negotiation), request_digest(body)
        agreed = Draft(AGREED_KEY, AGREED, {"request": request, "reply": reply.wire()})
        meta = {"agent": place.did, "sender": sender.id}
        if await self._log.create(run, SELECTED_KIND, [agreed], meta=meta, subject=sender.id):
            return reply
        kept = await self._kept(run)  # of two at one moment one was first
        if kept is None or kept.request != request:
            raise NegotiationRejected("used for another request", told=Told("agreeing.front_operation"))
        return NegotiationReply.model_validate(kept.reply)

    async def _kept(self, run: str) -> Agreed | None:
        events = await self._log.select([run], {AGREED})
        return Agreed.of(events[0]) if events else None

    async def _sender(
        self, caller: Principal, said: str, place: Place, payload: JsonObject, auth: JsonObject
    ) -> Principal:
        """Who made the request: by its origin proof, whoever passed it on, else by that of the request itself."""
        proof = auth.get("origin_proof")
        sender = caller
        if proof is not None:
            message = {"auth": proof, "payload": {"method": NEGOTIATE, **payload}}
            proved = await self._proves(message, method=NEGOTIATE, target=agent_uri(place.did))
            sender = caller if proved.id == caller.id else proved
        if sender.id != said:
            raise PermissionDeniedError("somebody else made the request", told=Told("agreeing.front_sender"))
        return sender

    def _check_date(self, created_at: str) -> None:
        try:
            when = parse_rfc3339(created_at)
        except ValueError:
            when = None
        now = self._log.clock.now()
        if when is None or not now - OLDEST <= when <= now + AHEAD:
            raise InvalidInput("no such time", told=Told("agreeing.front_date"))

    def _known(self, agent: str) -> Place:
        place = self._place(agent or self._house)
        if place is None:
            raise ServiceNotFoundError("there is no such agent")
        return place
