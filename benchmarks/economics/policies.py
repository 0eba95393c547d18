"""One policy over the whole workload, with real answers: in words by the model, or by routines in the sandbox."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.economics.actor import Actor
from benchmarks.economics.agreeing import Parties, Spoken, ends
from benchmarks.economics.counting import Policy
from benchmarks.economics.houses import TimedSandbox, Town, Verdicts, town
from benchmarks.economics.ledger import Ledger
from benchmarks.economics.terms import Json, form
from benchmarks.economics.workload import Query, Workload
from moothall.llm.fencing import fenced
from moothall.llm.prompt_files import prompt_text
from moothall.llm.reading import object_in
from moothall.negotiation.protocol.running import GeneratedRequester

USERS_OF_A_HOUSE, SERVERS_OF_A_HOUSE = 17, 5

_PROMPTS = {
    "ask": "Write to the server what you want, in a sentence, with all that you have, each under your word for it.",
    "use": "Make the arguments of your tool of a user's message: one JSON object that fits `schema`, nothing else.",
    "tell": "Tell the user in a sentence what the tool found; leave nothing out, and say nothing else.",
    "take": "Fill in the user's form from the server's answer: one JSON object that fits `form`, nothing else.",
}


@dataclass
class Outcome:
    """What a policy came to.

    Attributes:
        wrong: queries whose answer was not right.
        ways: how queries were answered.
        words: of each query, whether it was answered in words.
        structured: first contacts for which schemas sufficed: a protocol and its code without any model.
        routine_seconds: queries that only run routines, from a user's form to its answer.
        run_seconds: the runs of the sandbox in them.
    """

    policy: Policy
    ledger: Ledger = field(default_factory=Ledger)
    wrong: list[int] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)
    words: list[bool] = field(default_factory=list)
    structured: list[int] = field(default_factory=list)
    routine_seconds: list[float] = field(default_factory=list)
    run_seconds: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Run:
    """A policy on its way through the workload."""

    workload: Workload
    town: Town
    sandbox: TimedSandbox
    outcome: Outcome
    seen: Counter[Hashable] = field(default_factory=Counter)
    speaks: dict[Hashable, Spoken] = field(default_factory=dict)
    has: dict[Hashable, GeneratedRequester] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.llm = Actor(self.workload, self.outcome.ledger)
        self.parties = Parties(self.town, self.workload, self.llm)

    async def query(self, query: Query) -> None:
        """Answer one, and compare the answer with what is right."""
        found = self.outcome
        found.ledger.turn()
        way, answer = await self._answered(query)
        found.ways[way] += 1
        found.words.append(way == "words")
        if way == "agreed" and not found.ledger.bills[-1].calls:
            found.structured.append(query.number)
        if answer != self.workload.truth(query.pair, query.form):
            found.wrong.append(query.number)

    async def _answered(self, query: Query) -> tuple[str, Json]:
        policy, whose = self.outcome.policy, self.outcome.policy.whose(query)
        self.seen[whose] += 1
        if query.triple in self.has:
            return "routine", await self._timed(query)
        if policy.after is None or self.seen[whose] <= policy.after:
            return "words", await self._in_words(query)
        way = "fetched"
        spoken = await self._fetched(query) if policy.shared else None
        if spoken is None:
            way, spoken = "agreed", await self.parties.agree(query)
            if policy.shared:
                await self.parties.share(query, spoken)
                self.speaks.setdefault(whose, spoken)
        self.has[query.triple] = ends(spoken, query.pair, self.workload, self.town.at[query.user])
        return way, await self.has[query.triple].call(query.form)

    async def _fetched(self, query: Query) -> Spoken | None:
        """What the server says that it speaks for this task, with code of another user for it."""
        spoken = self.speaks.get(self.outcome.policy.whose(query))
        return spoken and await self.parties.fetched(query, spoken.document.digest, spoken.provider)

    async def _timed(self, query: Query) -> Json:
        self.sandbox.times, began = self.outcome.run_seconds, time.perf_counter()
        answer: Json = await self.has[query.triple].call(query.form)
        self.outcome.routine_seconds.append(time.perf_counter() - began)
        self.sandbox.times = None
        return answer

    async def _in_words(self, query: Query) -> Json:
        """Four answers of the model: the question, the call of the tool, what it found, and what that means."""
        pair, user = query.pair, query.user
        words = {each.name: self.workload.words(user, each) for each in pair.task.given}
        wish = self.workload.wish(user, pair.task)
        message = await self._said("ask", wish=wish, words=words, values=query.form)
        arguments = await self._said("use", message=message, tool=pair.task.about, schema=pair.input)
        value = self.workload.served(pair, dict(object_in(arguments)))
        answer = await self._said("tell", message=message, tool=pair.task.about, value=value)
        filled = await self._said("take", wish=wish, answer=answer, form=form(pair.task.wanted))
        found: Json = json.loads(filled)
        return found

    async def _said(self, purpose: str, **parts: object) -> str:
        system = f"Prompt {purpose}\n\n{_PROMPTS[purpose]}\n\n{prompt_text('frame', 'en')}"
        return await self.llm.async_generate_response(system, fenced(parts))


async def run(
    policy: Policy, workload: Workload, sandbox: TimedSandbox, verdicts: Verdicts, folder: Path, queries: int
) -> Outcome:
    """One policy over the first queries of a workload, in nodes of its own."""
    outcome, began = Outcome(policy), time.perf_counter()
    groups = [*_groups(workload.users, USERS_OF_A_HOUSE), *_groups(workload.servers, SERVERS_OF_A_HOUSE)]
    async with town(folder, sandbox, verdicts, groups) as found:
        running = Run(workload, found, sandbox, outcome)
        for query in workload.queries[:queries]:
            await running.query(query)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _groups(names: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [names[start : start + size] for start in range(0, len(names), size)]
