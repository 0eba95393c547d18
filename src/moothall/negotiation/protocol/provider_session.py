"""The provider's session (row META-SESS-02), and how it is handed to whoever provides."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import cast

from moothall.errors import MoothallError
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.running import GeneratedProvider
from moothall.negotiation.protocol.sessions import Session

NewSession = Callable[["ProviderSession"], Awaitable[None]]

_log = logging.getLogger(__name__)


class ProviderSession(Session):
    """A protocol that the other side asked for."""

    @property
    def provider_class(self) -> type[GeneratedProvider]:
        """The class of this end of the protocol."""
        return cast("type[GeneratedProvider]", self._work.generated_class)

    @property
    def provider_instance(self) -> GeneratedProvider:
        """This end of the protocol; `GeneratedProvider.set_protocol_callback` says what answers requests."""
        return cast("GeneratedProvider", self._work.instance)

    async def code_generated(self) -> bool:
        """Wait for the other side's report, and report this side's code; whether both have code that passes.

        Test cases come before the other side's report, so this side's code is reported as it stands after them.
        Where both sides sign, they exchange their signatures over the transcript then; see `Session.transcript`.

        Raises:
            IntegrityError, CallTimeout: the other side does not sign what was said; the session is over.
        """
        await self.meta.wait_for_code_generation()
        await self.meta.notify_code_generation()
        return await self._sealed()


async def provided(meta: MetaProtocol, new_session: NewSession, *, used_protocol_hash: str = "") -> ProviderSession:
    """Wait for a negotiation over a connection, and hand its session to a callback, which makes it answer requests.

    The callback sets what answers and calls `ProviderSession.code_generated`. If it raises, the other side is told
    that there is no code, and what it raised is raised here.

    Raises:
        as `requester_session.negotiated`; and what the callback raises.
    """
    success, _ = await meta.wait_remote_negotiation(used_protocol_hash=used_protocol_hash)
    if not success:
        raise meta.error
    session = ProviderSession(meta)
    try:
        await new_session(session)
    except BaseException:
        await _told(meta)
        raise
    return session


async def _told(meta: MetaProtocol) -> None:
    try:
        await meta.notify_code_generation(success=False, reason="the provider could not be set up")
    except MoothallError:
        _log.warning("the other side could not be told that there is no code", exc_info=True)
