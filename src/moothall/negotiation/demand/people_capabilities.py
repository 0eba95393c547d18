"""How people take part in a demand: they read what they are asked and answer it (row NEG-API-28).

Only a participant's token lets anybody call these, and only for its own channel; the token belongs to a route of this
node, so no other door has them.
"""

from __future__ import annotations

from typing import Final

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Unauthenticated
from moothall.events.model import RunRecord
from moothall.negotiation.demand.answers import PersonFeedback, PersonOffer
from moothall.negotiation.demand.asking import Invitation
from moothall.negotiation.demand.finding import spoken
from moothall.negotiation.demand.people import NO_TOKEN, WHOSE
from moothall.negotiation.demand.replies import Taken
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.tokens import TAKE_PART, person_id

PERMISSION: Final = (TAKE_PART,)


class PeopleCapabilities:
    """The capabilities ``demand.*`` of a node for people who take part."""

    def __init__(self, demands: DemandService) -> None:
        self._demands = demands

    @capability(name="demand.invitation", expose_to="local", permissions=PERMISSION, idempotent=True, read_only=True)
    async def invitation(self, ctx: CallContext, channel_id: str) -> Invitation:
        """The demand, the question that is open, and the plan where it is about a plan; nobody else's offer."""
        record = await self._demands.by_channel(channel_id)
        with spoken(record):
            return await self._demands.people.invitation(record, _person(ctx, record))

    @capability(name="demand.offer", expose_to="local", permissions=PERMISSION)
    async def offer(self, ctx: CallContext, channel_id: str, offer: PersonOffer) -> Taken:
        """Offer something, or decline; once."""
        record = await self._demands.by_channel(channel_id)
        with spoken(record):
            person = await self._demands.people.offer(record, _person(ctx, record), offer)
        return Taken(channel_id=channel_id, agent_id=person)

    @capability(name="demand.feedback", expose_to="local", permissions=PERMISSION)
    async def feedback(self, ctx: CallContext, channel_id: str, feedback: PersonFeedback) -> Taken:
        """Accept a plan, ask for changes, or withdraw; once in each round."""
        record = await self._demands.by_channel(channel_id)
        with spoken(record):
            person = await self._demands.people.feedback(record, _person(ctx, record), feedback)
        return Taken(channel_id=channel_id, agent_id=person)


def _person(ctx: CallContext, record: RunRecord) -> str:
    person = person_id(ctx.principal, record)
    if person is None:
        raise Unauthenticated(NO_TOKEN, told=WHOSE)
    return person
