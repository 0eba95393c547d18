"""The requester's session (row META-SESS-01)."""

from __future__ import annotations

from typing import cast

from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.running import GeneratedRequester
from moothall.negotiation.protocol.sessions import Session


class RequesterSession(Session):
    """A protocol that this side asked for."""

    @property
    def requester_class(self) -> type[GeneratedRequester]:
        """The class of this end of the protocol."""
        return cast("type[GeneratedRequester]", self._work.generated_class)

    @property
    def requester_instance(self) -> GeneratedRequester:
        """This end of the protocol; it sends nothing before both sides are ready."""
        return cast("GeneratedRequester", self._work.instance)

    async def code_generated(self) -> bool:
        """Report this side's code, and wait for the other side's report; whether both have code that passes.

        Where both sides sign, they exchange their signatures over the transcript then; see `Session.transcript`.

        Raises:
            IntegrityError, CallTimeout: the other side does not sign what was said; the session is over.
        """
        await self.meta.notify_code_generation()
        await self.meta.wait_for_code_generation()
        return await self._sealed()


async def negotiated(
    meta: MetaProtocol,
    requirement: str,
    input_description: str = "",
    output_description: str = "",
    *,
    need: Need | None = None,
    used_protocol_hash: str = "",
) -> RequesterSession:
    """Negotiate over a connection; the session that comes of it.

    Raises:
        NegotiationRejected, CallTimeout, ProtocolViolation, CodeRefused, UpstreamError, BudgetSpent,
        ModelUnavailable, SessionEnded: nothing came of it; ``details`` say how it ended.
    """
    success, _ = await meta.negotiate_protocol(
        requirement, input_description, output_description, need=need, used_protocol_hash=used_protocol_hash
    )
    if not success:
        raise meta.error
    return RequesterSession(meta)
