"""The transcript of a conversation over frames: the same on both sides, signed by both, unforgeable afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moothall.errors import CallTimeout, Conflict, IntegrityError
from moothall.identity.keys import PrivateKey, PublicKey, Signer
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.signed_talk import signed, transcript_of
from moothall.negotiation.protocol.transcript import Transcript, verify
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import case
from tests.negotiation.protocol.sessions.pairs import ALICE, BOB, Pair, plant_both, scripted

KEYS = {did: PrivateKey.generate() for did in (ALICE, BOB)}
SIGNERS = {did: Signer(f"{did}#key-1", key) for did, key in KEYS.items()}


async def key_of(url: str) -> PublicKey:
    return KEYS[url.partition("#")[0]].public


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


@pytest.mark.requirement("META-SESS-05")
async def test_both_sides_have_the_same_transcript_with_both_signatures(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    tests = scripted(cases={"cases": [case("known", "u1", "Wuhan University")]})
    async with Pair(tmp_path, workshop, llms=(tests, scripted())) as pair:
        await pair.sessions()
        (record, signatures), (other, theirs) = await asyncio.gather(
            signed(pair.alice, SIGNERS[ALICE], key_of), signed(pair.bob, SIGNERS[BOB], key_of)
        )
        assert record.digest == other.digest
        assert dict(signatures) == dict(theirs)
        actions = [entry.message["action"] for entry in record.entries]
        assert {"protocolNegotiation", "testCasesNegotiation", "codeGeneration"} <= {*actions}
        entries = list(record.entries)
        changed = entries[0].model_copy(update={"message": {**entries[0].message, "candidateProtocols": "other"}})
        forged = Transcript(requester=ALICE, provider=BOB, entries=(changed, *entries[1:]))
        with pytest.raises(IntegrityError):
            verify(
                forged,
                signatures["provider"],
                role="provider",
                key=KEYS[BOB].public,
                protocol=pair.alice.protocol_digest,
            )


@pytest.mark.requirement("META-SESS-05")
async def test_a_signature_of_somebody_else_is_refused(tmp_path: Path, workshop: Workshop) -> None:
    plant_both(tmp_path)
    stranger = Signer(f"{BOB}#key-1", PrivateKey.generate())
    async with Pair(tmp_path, workshop) as pair:
        await pair.sessions()
        mine, _ = await asyncio.gather(
            signed(pair.alice, SIGNERS[ALICE], key_of),
            signed(pair.bob, stranger, key_of),
            return_exceptions=True,
        )
        assert isinstance(mine, IntegrityError)


async def test_nothing_is_signed_before_both_are_ready_or_without_the_other_side(
    tmp_path: Path, workshop: Workshop
) -> None:
    plant_both(tmp_path)
    async with Pair(tmp_path, workshop, limits=Limits(message_timeout=0.3, code_generation_timeout=5)) as pair:
        with pytest.raises(Conflict):
            transcript_of(pair.alice)
        await pair.agree()
        with pytest.raises(Conflict):
            await signed(pair.alice, SIGNERS[ALICE], key_of)
        await asyncio.gather(pair.alice.notify_code_generation(), pair.bob.notify_code_generation())
        assert await pair.alice.wait_for_code_generation()
        with pytest.raises(CallTimeout):
            await signed(pair.alice, SIGNERS[ALICE], key_of)
