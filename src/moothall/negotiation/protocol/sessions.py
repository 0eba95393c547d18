"""What both kinds of session have: the agreed protocol, the other side, and how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moothall.errors import Conflict, MoothallError, SessionEnded
from moothall.negotiation.protocol.half_at_work import HalfAtWork
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.signed_talk import signed

_NO_HALF: Final = "there is no code for the protocol"


class Session:
    """One agreed protocol over one connection.

    Args:
        meta: the conversation, in which both sides have agreed.
    """

    def __init__(self, meta: MetaProtocol) -> None:
        if meta.work is None:
            raise Conflict(_NO_HALF)
        self.meta = meta
        self._work: HalfAtWork = meta.work
        self._protocol, self._digest = meta.protocol, meta.protocol_digest
        self.transcript: JsonObject | None = None
        """What both sides said, with both signatures, where both sign; `transcript.Transcript.load` reads it."""

    @property
    def protocol(self) -> str:
        """The agreed text."""
        return self._protocol

    @property
    def protocol_digest(self) -> str:
        """Its ``sha256:…``."""
        return self._digest

    @property
    def remote_did(self) -> str:
        """The DID that the other side proved."""
        return self.meta.terms.peer

    @property
    def module_path(self) -> Path:
        """The directory of the generated code."""
        return self._work.path

    @property
    def cases(self) -> tuple[JsonObject, ...]:
        """The agreed test cases."""
        return self.meta.cases

    @property
    def ready(self) -> bool:
        """Whether both sides reported code for this protocol."""
        return self.meta.ready and self.meta.work is self._work

    async def _sealed(self) -> bool:
        """Exchange signatures over the transcript, where both sides sign; whether the session is ready.

        Raises:
            IntegrityError, CallTimeout: the other side, which said that it signs, does not; the session is over.
        """
        terms = self.meta.terms
        if self.transcript is None and self.ready and terms.seal and terms.may_send("transcriptSignature"):
            try:
                record, signatures = await signed(self.meta, terms.seal.signer, terms.seal.key_of)
            except MoothallError as error:
                await self.meta.aclose(error)
                raise
            self.transcript = record.export({str(role): token for role, token in signatures.items()})
        return self.ready

    async def close(self) -> None:
        """End the session; every request that waits ends with `SessionEnded`."""
        await self.meta.aclose(SessionEnded("the session was closed"))
