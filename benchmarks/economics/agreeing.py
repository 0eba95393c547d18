"""How a user and a server come to a protocol: by the product's conduct, with its carriers in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.economics.houses import CLOCK, House, Town
from benchmarks.economics.terms import Json, Pair, form
from benchmarks.economics.workload import Query, Workload
from moothall.codegen.kept import Agreement, Routine
from moothall.codegen.services.binding import host_call
from moothall.codegen.task import CodingTask
from moothall.errors import CallTimeout
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Brain
from moothall.negotiation.protocol.conduct import Conducted, Side, conduct
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.making import KeepingCoder, Tasks
from moothall.negotiation.protocol.memory_journal import MemoryJournal
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.negotiator import brain_for
from moothall.negotiation.protocol.offers import Offer
from moothall.negotiation.protocol.parties import PartyGround
from moothall.negotiation.protocol.results import NegotiationStatus
from moothall.negotiation.protocol.running import GeneratedProvider, GeneratedRequester, Half, requester_class
from moothall.negotiation.protocol.targeting import offered_text, provider_task

LIMITS = Limits(message_timeout=600.0, code_generation_timeout=600.0, negotiation_timeout=1200.0)
"""Time is no subject here: the machine may be busy."""


class Carrier:
    """One end of two, in memory; fills `ports.Carrier`."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self.incoming: asyncio.Queue[Json] = asyncio.Queue()
        self.other = self

    @property
    def peer(self) -> str:
        return self._peer

    async def send(self, message: Json) -> None:
        self.other.incoming.put_nowait(message)

    async def receive(self, seconds: float) -> Json:
        try:
            async with asyncio.timeout(seconds):
                return await self.incoming.get()
        except TimeoutError as error:
            raise CallTimeout("nothing came") from error


@dataclass(frozen=True, slots=True)
class Spoken:
    """A protocol that both sides have tested code for."""

    document: ProtocolDocument
    requester: Routine
    provider: Routine


@dataclass(frozen=True, slots=True)
class Parties:
    """Who negotiate here."""

    town: Town
    workload: Workload
    llm: BaseLLM

    def need(self, query: Query) -> Need:
        """What the user wants, in its own words, with its own form."""
        task = query.pair.task
        wish = self.workload.wish(query.user, task)
        return Need(requirement=wish, input_schema=form(task.given), output_schema=form(task.wanted))

    async def agree(self, query: Query) -> Spoken:
        """A protocol of these two and tested code of both: without a model where schemas suffice, else with one."""
        ours, theirs = await self._talk(query, None)
        if not ours.ready:
            ours, theirs = await self._talk(query, self.llm)
        assert ours.ready, f"{query.triple}: {ours.reason}"
        assert theirs.ready, f"{query.triple}: {theirs.reason}"
        return await self._kept(query, ours, theirs)

    async def _talk(self, query: Query, llm: BaseLLM | None) -> tuple[Conducted, Conducted]:
        user, server, need = query.user, query.pair.server, self.need(query)
        one, other = Carrier(self.town.did(server)), Carrier(self.town.did(user))
        one.other, other.other = other, one
        offers = self.offers(server)
        mind, model = self._mind(llm)
        requester = Side(
            role="requester",
            brain=mind,
            need=need,
            coder=self._coder(user, model, partial(_requester_task, need)),
            limits=LIMITS,
            with_cases=llm is not None,
        )
        mind, model = self._mind(llm)
        text = offered_text(server, offers)

        async def able(_need: Need | None) -> str:
            return text

        provider = Side(
            role="provider",
            brain=mind,
            capability=able,
            coder=self._coder(server, model, partial(_provider_task, server, offers)),
            limits=LIMITS,
        )
        return await asyncio.gather(
            conduct(requester, one, MemoryJournal(), CLOCK), conduct(provider, other, MemoryJournal(), CLOCK)
        )

    async def _kept(self, query: Query, ours: Conducted, theirs: Conducted) -> Spoken:
        user, server = query.user, query.pair.server
        here, there = self.town.at[user], self.town.at[server]
        routine, half = await here.routines.get(ours.module), await there.routines.get(theirs.module)
        assert routine is not None
        assert half is not None
        document, need = documents.read(ours.document), self.need(query)
        await self.remember(user, server, need, document)
        return Spoken(document, routine, half)

    async def remember(self, user: str, server: str, need: Need, document: ProtocolDocument) -> None:
        """Note at the user's node that this protocol answers the need from now on."""
        agreed = Agreement(need.digest, self.town.did(server), "requester", self.town.did(user), document.digest)
        await self.town.at[user].routines.put_agreement(agreed)

    async def share(self, query: Query, spoken: Spoken) -> None:
        """Give the requester's half to the server's node, which tests it before it hands it out."""
        module = spoken.requester.module
        offered = {"module": module.model_dump(mode="json"), "token": spoken.requester.token}
        document = spoken.document
        found = Conducted(status=NegotiationStatus.ACCEPTED, document=document.text, digest=document.digest)
        await self._taking(query.pair.server).take_in(offered, self.town.did(query.user), found)
        shared = await self.town.at[query.pair.server].routines.find(document.digest, "requester")
        assert [each.hash for each in shared if each.tested_at] == [spoken.requester.hash]

    async def fetched(self, query: Query, protocol: str, provider: Routine) -> Spoken | None:
        """Code of another user for the protocol that the server says it speaks, tested again by this user's node.

        None: what is there is for another form.
        """
        here, there = self.town.at[query.user], self.town.at[query.pair.server]
        ask, need = there.door(self.town.did(query.user)), self.need(query)
        for offer in await here.fetcher.find(ask, protocol=protocol, kind="requester"):
            routine = await here.fetcher.fetch(ask, offer.hash)
            kept = await here.routines.protocol(protocol)
            assert kept is not None
            document = documents.read(kept.document)
            ready = await here.fetcher.ready(routine.hash, half_task("requester", document, need))
            await self.remember(query.user, query.pair.server, need, document)
            return Spoken(document, ready, provider)
        return None

    def offers(self, server: str) -> list[Offer]:
        """What a server has, under its own names."""
        return [
            Offer(name=each.name, description=each.task.about, request=each.input, response=each.output)
            for each in self.workload.pairs
            if each.server == server
        ]

    def _mind(self, llm: BaseLLM | None) -> tuple[Brain, BaseLLM | None]:
        """Judgement for one negotiation, and its model with a budget of its own."""
        budgeted = None if llm is None else BudgetedLLM(llm, LIMITS.max_llm_calls, LIMITS.max_tokens)
        return brain_for(budgeted, "en"), budgeted

    def _coder(self, name: str, llm: BaseLLM | None, tasks: Tasks) -> KeepingCoder:
        """Who makes the code of an agent, and keeps it in its house."""
        house, signer = self.town.at[name], self.town.agents[name].signer
        return KeepingCoder(
            routines=house.routines, workshop=house.maker, signer=signer, clock=CLOCK, tasks=tasks, llm=llm
        )

    def _taking(self, name: str) -> PartyGround:
        """An agent that takes in code, and negotiates nothing."""

        def minds(*_: object, **_more: object) -> tuple[Brain, BaseLLM | None]:
            return self._mind(None)

        house = self.town.at[name]
        return PartyGround(
            clock=CLOCK,
            minds=minds,
            workshop=house.taker,
            routines=house.routines,
            signers=self.town.signer,
            documents=self.town,
        )


class ServerEnd(GeneratedProvider):
    """The provider's end at a server: the half calls the server's tool."""

    pair: Pair
    workload: Workload

    def __init__(self) -> None:
        super().__init__()
        self.set_protocol_callback(self.answer)
        self._host = host_call(self._tool, self.half.module.manifest.may_call)

    async def answer(self, request: Json) -> Json:
        response: Json = await self.half.run("handle", {"request": request}, self._host)
        return response

    async def _tool(self, target: str, parameters: Mapping[str, Any]) -> Json:
        assert target == self.pair.target
        return self.workload.served(self.pair, dict(parameters))


def ends(spoken: Spoken, pair: Pair, workload: Workload, house: House) -> GeneratedRequester:
    """Both ends of a protocol, joined; what passes between them is bytes."""
    sandbox = house.maker.sandbox
    half = Half(document=spoken.document, module=spoken.provider.module, sandbox=sandbox)
    provider = type("Server", (ServerEnd,), {"half": half, "pair": pair, "workload": workload})()
    requester = requester_class(Half(document=spoken.document, module=spoken.requester.module, sandbox=sandbox))()
    requester.set_send_callback(provider.handle_message)

    async def back(data: bytes) -> None:
        requester.handle_message(data)

    provider.set_send_callback(back)
    return requester


def _requester_task(need: Need, document: ProtocolDocument, cases: Sequence[Json]) -> CodingTask:
    return half_task("requester", document, need, cases)


def _provider_task(
    server: str, offers: Sequence[Offer], document: ProtocolDocument, cases: Sequence[Json]
) -> CodingTask:
    return provider_task(server, document, offers, cases)
