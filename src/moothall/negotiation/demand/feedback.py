"""A review: a plan goes out, the answers come in behind a barrier (spec C §2.3 steps 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from moothall.clock import rfc3339
from moothall.events.model import Draft
from moothall.negotiation.demand.admission import Desk
from moothall.negotiation.demand.barrier import CloseReason
from moothall.negotiation.demand.deciding import marks_of
from moothall.negotiation.demand.machine import Trigger
from moothall.negotiation.demand.models import JsonObject
from moothall.negotiation.demand.phase import Phase
from moothall.negotiation.demand.plan_models import Feedback, Proposal
from moothall.negotiation.demand.post import Letter
from moothall.negotiation.demand.rules.phrasing import upright
from moothall.negotiation.demand.talks import Talks
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, Answer, ProposalFeedbackMessage

MARKS = ("source", "degraded", "error")


@dataclass(frozen=True, slots=True)
class Call:
    """A call for answers to a plan.

    ``name`` is part of the keys of its rows (``r2``, ``standins.1``); ``last`` is the number of the round that its
    receivers are told is the last one.
    """

    name: str
    asked: tuple[str, ...]
    round: int
    last: int


def shown_answer(answer: JsonObject) -> JsonObject:
    """What a public event tells of an answer."""
    shown = ("feedback_type", "reasoning", "adjustment_request", "proposed_changes", "by_default", *MARKS)
    return {"by_default": False, **{field: answer[field] for field in shown if field in answer}}


class Review:
    """The review of one plan by those who are asked."""

    def __init__(self, talks: Talks, proposal: Proposal, call: Call) -> None:
        self._talks = talks
        self._call = call
        self._round = call.round
        self._rows = Phase(talks.run, f"feedback.{call.name}")
        self._asked = call.asked
        self._shown = proposal.model_dump(mode="json")

    async def ask(self, enter: Sequence[Draft] = ()) -> datetime:
        """Log and send the plan; ``enter`` are rows that go into the log before. Returns when the answers are due."""
        talks, channel, name_of_call = self._talks, self._talks.channel, self._call.name
        bodies = {name: self._body(name) for name in self._asked}
        letters = [
            channel.message(f"review.{name_of_call}.{name}", CHANNEL_ADMIN, name, body) for name, body in bodies.items()
        ]
        await talks.run.emit(*enter, *letters)
        for name in self._rows.to_ask(self._asked):
            talks.send_to_agent(name, bodies[name], f"{self._rows.name}.{name}")
        return await self.due()

    async def distribute(self, enter: Sequence[Draft], marks: JsonObject) -> None:
        """Ask, and tell of a new round; ``enter`` are the rows that open it."""
        talks, channel = self._talks, self._talks.channel
        until = await self.ask(enter)
        await talks.run.emit(
            channel.event(
                f"distributed.{self._call.name}",
                "proposal.distributed",
                proposal=self._shown,
                round=self._round,
                max_rounds=channel.max_rounds,
                deadline_at=rfc3339(until),
                **marks,
            ),
            *channel.move(Trigger.PLAN_DISTRIBUTED),
        )

    async def due(self) -> datetime:
        """When the answers are due; the first call fixes it."""
        return await self._talks.deadline(f"{self._rows.name}.deadline", self._talks.limits.feedback_timeout)

    async def collect(self) -> tuple[list[Feedback], list[str]]:
        """Wait behind the barrier; the feedback that counts, and those whose silence counts as nothing."""
        talks = self._talks
        asked, until = frozenset(self._asked), await self.due()
        rows = self._rows
        if rows.closed() is None:
            settled = rows.answered(asked), frozenset(rows.unknown(asked))
            desk = Desk(talks.channel.channel_id, "proposal_feedback", self._round, asked, *settled)
            await self._close(await talks.barrier.collect(desk, until, self._log, rows.mark_unknown))
        return self._read()

    async def _close(self, reason: CloseReason) -> None:
        """Close the barrier; silence becomes what the policy says, marked as such.

        An agent whose answer cannot be known is silent as well; the mark on its event says why.
        """
        policy, lang = self._talks.limits.feedback_timeout_policy, self._talks.demand.lang
        silent = [name for name in self._asked if self._rows.answer(name) is None]
        unknown = self._rows.unknown(silent)
        row = {"reason": reason, "silent": silent, "unknown": unknown, "policy": policy}
        events: list[Draft] = []
        for name in silent if policy != "abstain" else ():
            failed = {"source": "fallback", "degraded": True, "error": unknown[name]} if name in unknown else {}
            answer = {"feedback_type": policy, "reasoning": "", "by_default": True, **marks_of(failed, lang)}
            events += self._events(name, answer)
        await self._talks.run.emit(Draft(f"{self._rows.name}.closed", "barrier", row), *events)

    def _read(self) -> tuple[list[Feedback], list[str]]:
        closed = self._rows.closed()
        if closed is None:
            message = f"{self._rows.name} is read before its barrier closed"
            raise LookupError(message)
        silent, policy = set(closed.payload["silent"]), closed.payload["policy"]
        answers: list[Feedback] = []
        for name in self._asked:
            row = self._rows.answer(name)
            if name not in silent and row is not None:
                answer = ProposalFeedbackMessage.model_validate(row.payload["body"])
                fields = answer.model_dump(exclude={"type", "channel_id", "round"})
                answers.append(Feedback(**fields))
            elif policy != "abstain":
                answers.append(Feedback(agent_id=name, feedback_type=policy, by_default=True))
        return answers, sorted(silent) if policy == "abstain" else []

    async def _log(self, answer: Answer, letter: Letter, consumed: tuple[Draft, ...]) -> None:
        """Log an admitted answer: the message, and the events that tell of it, in one batch."""
        if not isinstance(answer, ProposalFeedbackMessage):
            message = f"a {answer.type} was admitted as feedback"
            raise TypeError(message)
        body = upright(answer.model_dump(mode="json"))
        marks = marks_of(letter.meta, self._talks.demand.lang)
        row = self._talks.channel.message(
            f"{self._rows.name}.{letter.sender}", letter.sender, CHANNEL_ADMIN, body, **letter.meta
        )
        await self._talks.run.emit(row, *self._events(letter.sender, {**body, **marks}), *consumed)

    def _events(self, name: str, answer: JsonObject) -> list[Draft]:
        """The public events of one answer: the feedback, and the bargain or the withdrawal that it is."""
        channel, key = self._talks.channel, f"{self._rows.name}.{name}"
        who = {"agent_id": name, "display_name": self._talks.profiles[name].user_name}
        payload = shown_answer(answer)
        events = [channel.event(f"{key}.event", "proposal.feedback", **who, round=self._round, **payload)]
        if answer["feedback_type"] == "negotiate":
            fields = [field for field in answer["proposed_changes"] if field != "reason"]
            events.append(
                channel.event(
                    f"{key}.bargain",
                    "negotiation.bargain",
                    **who,
                    bargain_type=fields[0] if fields else "other",
                    content=answer["adjustment_request"] or answer["reasoning"],
                    round=self._round,
                )
            )
        if answer["feedback_type"] == "withdraw":
            reason = answer["reasoning"] or ("silent" if payload["by_default"] else "")
            events.append(channel.event(f"{key}.withdrawn", "agent.withdrawn", **who, reason=reason, round=self._round))
        return events

    def _body(self, name: str) -> JsonObject:
        talks = self._talks
        offer = talks.offers.get(name)
        return {
            "type": "proposal_review",
            "channel_id": talks.channel.channel_id,
            "demand_id": talks.channel.demand_id,
            "proposal": self._shown,
            "round": self._round,
            "max_rounds": self._call.last,
            "demand": talks.brief,
            "your_offer": None if offer is None else offer.model_dump(mode="json"),
        }
