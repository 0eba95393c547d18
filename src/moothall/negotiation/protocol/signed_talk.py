"""The transcript of a conversation over frames, signed by both sides once both are ready (row META-SESS-05)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from moothall.errors import CallTimeout, Conflict, IntegrityError, Told
from moothall.grants.ports import Documents
from moothall.identity.did import DidUrl
from moothall.identity.keys import PublicKey, Signer
from moothall.negotiation.protocol import transcript as transcripts
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.meta_terms import KeyOf
from moothall.negotiation.protocol.transcript import Transcript
from moothall.negotiation.protocol.wire.messages import TranscriptSignature


def keys_in(documents: Documents) -> KeyOf:
    """Finds keys in the documents of their DIDs; raises IntegrityError for one that its document does not have."""

    async def key_of(url: str) -> PublicKey:
        document = await documents.resolve(DidUrl.parse(url).did.text)
        key = document.authentication.get(url) or document.assertion.get(url)
        if key is None:
            raise IntegrityError("signed with no key of that DID", told=Told("agreeing.transcript_signer"))
        return key

    return key_of


def transcript_of(meta: MetaProtocol) -> Transcript:
    """What both sides said in the negotiation that was begun last.

    Raises:
        Conflict: nothing was negotiated.
    """
    talk, terms = meta.conversation, meta.terms
    if talk is None:
        raise Conflict("nothing was negotiated")
    first = talk.manner.role == "requester"
    found = Transcript(
        requester=terms.own if first else terms.peer,
        provider=terms.peer if first else terms.own,
    )
    for sender, message in talk.messages:
        found = found.with_message(sender, message)
    return found


async def signed(meta: MetaProtocol, signer: Signer, key_of: KeyOf) -> tuple[Transcript, Mapping[Role, str]]:
    """The transcript with both sides' signatures, which were verified; both sides call this once they are ready.

    Raises:
        Conflict: the two sides are not ready, or the other one signs nothing.
        CallTimeout: the other side's signature did not come in time.
        IntegrityError: it is not its signature over this conversation.
        SessionEnded, NodeUnreachable: the conversation is over.
    """
    if not meta.ready or not meta.terms.may_send("transcriptSignature"):
        raise Conflict("there is nothing for both sides to sign")
    record, protocol = transcript_of(meta), meta.protocol_digest
    own = transcripts.sign(record, signer, protocol)
    await meta.send_message(TranscriptSignature(digest=record.digest, token=own))
    try:
        async with asyncio.timeout(meta.terms.limits.message_timeout):
            theirs = await meta.peer_signature()
    except TimeoutError as error:
        raise CallTimeout("the other side did not sign the transcript in time") from error
    if theirs.digest != record.digest:
        raise IntegrityError("the other side signed another transcript")
    asked: Role = "requester" if record.requester == meta.terms.own else "provider"
    other: Role = "provider" if asked == "requester" else "requester"
    keyid = transcripts.signer_of(theirs.token)
    if keyid.partition("#")[0] != meta.terms.peer:  # before anybody is asked for the key of a stranger
        raise IntegrityError("the other side signed as somebody else", told=Told("agreeing.transcript_signer"))
    key = await key_of(keyid)
    transcripts.verify(record, theirs.token, role=other, key=key, protocol=protocol)
    return record, {asked: own, other: theirs.token}
