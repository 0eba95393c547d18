"""What a conversation over one connection is held under."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from moothall.clock import Clock, SystemClock
from moothall.identity.keys import PublicKey, Signer
from moothall.messages import Lang
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer
from moothall.negotiation.protocol.workshop import Codegen

KeyOf = Callable[[str], Awaitable[PublicKey]]
"""The key that a DID URL names."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a transcript is signed with, and what finds the key of the other side's signature."""

    signer: Signer
    key_of: KeyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a conversation is held under.

    Attributes:
        limits: what it may take.
        clock: tells the time.
        own: this side's DID.
        peer: the DID that the other side proved.
        offer: what the other side said in its hello that it is able to; None: not asked.
        codegen: ``schema``: code is made from the schemas alone, never by a model.
        with_cases: whether the requester proposes test cases by itself.
        lang: of what is written for people.
        seal: sessions exchange signatures over the transcript with it; None: they do not.
    """

    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    own: str = ""
    peer: str = ""
    offer: MetaProtocolOffer | None = None
    codegen: Codegen = "auto"
    with_cases: bool = True
    lang: Lang = "en"
    seal: Seal | None = field(default=None, repr=False)

    def may_send(self, action: str) -> bool:
        """Whether the other side announced that it knows an action."""
        return self.offer is None or self.offer.announces(action)
