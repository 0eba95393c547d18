"""The record of a negotiation that both sides sign (row META-SESS-05). Pure but for the signatures.

Messages may cross on their way, so the two sides need not see them in one order. What both see alike is the order of
each side's own messages: each side has a chain of digests, and the digest of the whole names both chains' ends. It is
taken over each chain up to that side's word that its code is ready: behind it nothing belongs to the negotiation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from moothall.canonical import canonical, sha256
from moothall.errors import IntegrityError, InvalidInput, Told
from moothall.identity import jws
from moothall.identity.keys import PublicKey, Signer
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.needs import JsonObject

TYPE: Final = "moothall-transcript+jws"

_ROLES: Final[tuple[Role, Role]] = ("requester", "provider")


class Entry(BaseModel):
    """A message and whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Role
    message: JsonObject


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    requester: str
    provider: str
    entries: tuple[Entry, ...]
    digest: str
    signatures: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What two sides said.

    Attributes:
        requester: the DID that side proved.
        provider: the DID that side proved.
        entries: the messages, in the order in which this side saw them.
    """

    requester: str
    provider: str
    entries: tuple[Entry, ...] = ()

    def with_message(self, sender: Role, message: JsonObject) -> Self:
        """The transcript with one message more."""
        return replace(self, entries=(*self.entries, Entry(sender=sender, message=message)))

    @property
    def digest(self) -> str:
        """``sha256:…`` of both sides' names and chains; equal on both sides.

        Raises:
            InvalidInput: a message has no canonical form.
        """
        ends = {role: _chain(_lane(self.entries, role)) for role in _ROLES}
        return sha256(canonical({"requester": self.requester, "provider": self.provider, "chains": ends}))

    def chain(self, role: Role) -> tuple[str, ...]:
        """The digest after each message of one side."""
        lane = _lane(self.entries, role)
        return tuple(_chain(lane[: count + 1]) for count in range(len(lane)))

    def export(self, signatures: Mapping[str, str] | None = None) -> JsonObject:
        """The transcript as JSON, with signatures by role."""
        kept = _Kept(
            requester=self.requester,
            provider=self.provider,
            entries=self.entries,
            digest=self.digest,
            signatures=dict(signatures or {}),
        )
        return kept.model_dump(mode="json")

    @classmethod
    def load(cls, body: object) -> tuple[Self, Mapping[str, str]]:
        """Read one with its signatures, which are not verified by it.

        Raises:
            IntegrityError: it is none, or not what its digest says.
        """
        try:
            kept = _Kept.model_validate(body)
            found = cls(requester=kept.requester, provider=kept.provider, entries=kept.entries)
            right = found.digest == kept.digest
        except (ValueError, InvalidInput) as error:
            raise _refused("transcript") from error
        if not right:
            raise _refused("transcript")
        return found, kept.signatures


def sign(transcript: Transcript, signer: Signer, protocol: str) -> str:
    """One side's signature over a conversation that ended with the protocol of that hash.

    Raises:
        InvalidInput: the key is of no kind that counts.
    """
    return jws.sign(signer, TYPE, _claims(transcript, protocol))


def signer_of(token: str) -> str:
    """The DID URL of the key that a signature says it was made with.

    Raises:
        IntegrityError: it is none.
    """
    return _read(token).keyid


def verify(transcript: Transcript, token: str, *, role: Role, key: PublicKey, protocol: str) -> None:
    """Make sure that a side signed this conversation; ``key`` is the one of its DID that `signer_of` names.

    Raises:
        IntegrityError: it did not.
    """
    statement = _read(token)
    did = transcript.requester if role == "requester" else transcript.provider
    if statement.keyid.partition("#")[0] != did or not statement.signed_by(key):
        raise _refused("transcript_signer")
    if dict(statement.claims) != _claims(transcript, protocol):
        raise _refused("transcript")


def _claims(transcript: Transcript, protocol: str) -> dict[str, Any]:
    return {
        "transcript": transcript.digest,
        "protocol": protocol,
        "requester": transcript.requester,
        "provider": transcript.provider,
    }


def _read(token: str) -> jws.Jws:
    try:
        return jws.read(token, TYPE)
    except InvalidInput as error:
        raise _refused("transcript_signer") from error


def _lane(entries: Iterable[Entry], role: Role) -> list[JsonObject]:
    """One side's messages, up to its word that its code is ready."""
    lane: list[JsonObject] = []
    for entry in entries:
        if entry.sender == role:
            lane.append(entry.message)
            if entry.message.get("action") == "codeGeneration":
                break
    return lane


def _chain(messages: Iterable[JsonObject]) -> str:
    """The digest of the last message with the one before it, and so on; of none, the digest of nothing."""
    digest = sha256(b"")
    for message in messages:
        digest = sha256(canonical([digest, message]))
    return digest


def _refused(why: str) -> IntegrityError:
    return IntegrityError("the conversation is not what it is said to be", told=Told(f"agreeing.{why}"))
