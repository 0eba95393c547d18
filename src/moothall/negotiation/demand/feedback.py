"""One round's review: the plan goes out, the answers come in behind a barrier (spec C §2.3 steps 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

from moothall.clock import rfc3339
from moothall.events.model import Draft
from moothall.negotiation.demand.admission import Desk
from moothall.negotiation.demand.barrier import CloseReason
from moothall.negotiation.demand.deciding import marks_of
from moothall.negotiation.demand.machine import Trigger
from moothall.negotiation.demand.models import Feedback, JsonObject, Proposal
from moothall.negotiation.demand.phase import Phase
from moothall.negotiation.demand.post import Letter
from moothall.negotiation.demand.talks import Talks
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, Answer, ProposalFeedbackMessage

MARKS = ("source", "degraded", "error")


class Review:
    """The review of one plan in one round."""

    def __init__(self, talks: Talks, proposal: Proposal, number: int, marks: JsonObject) -> None:
        self._talks = talks
        self._round = number
        self._rows = Phase(talks.run, f"feedback.r{number}")
        self._marks = marks
        self._asked = proposal.assignees()
        self._shown = proposal.model_dump(mode="json")

    async def distribute(self, enter: Sequence[Draft]) -> None:
        """Log and send the plan to its participants; ``enter`` are the rows that open the round."""
        talks, channel = self._talks, self._talks.channel
        bodies = {name: self._body(name) for name in self._asked}
        letters = [
            channel.message(f"review.r{self._round}.{name}", CHANNEL_ADMIN, name, body) for name, body in bodies.items()
        ]
        await talks.run.emit(*enter, *letters)
        for name in self._rows.to_ask(self._asked):
            talks.send_to_agent(name, bodies[name], f"feedback.r{self._round}.{name}")
        until = await talks.deadline(f"feedback.r{self._round}.deadline", talks.limits.feedback_timeout)
        await talks.run.emit(
            channel.event(
                f"distributed.r{self._round}",
                "proposal.distributed",
                proposal=self._shown,
                round=self._round,
                max_rounds=channel.max_rounds,
                deadline_at=rfc3339(until),
                **self._marks,
            ),
            *channel.move(Trigger.PLAN_DISTRIBUTED),
        )

    async def collect(self) -> tuple[list[Feedback], list[str]]:
        """Wait behind the barrier; the feedback that counts, and those whose silence counts as nothing."""
        talks = self._talks
        asked = frozenset(self._asked)
        until = await talks.deadline(f"feedback.r{self._round}.deadline", talks.limits.feedback_timeout)
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
        await self._talks.run.emit(Draft(f"feedback.r{self._round}.closed", "barrier", row), *events)

    def _read(self) -> tuple[list[Feedback], list[str]]:
        closed = self._rows.closed()
        if closed is None:
            message = f"round {self._round} is read before its barrier closed"
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
        body = answer.model_dump(mode="json")
        marks = marks_of(letter.meta, self._talks.demand.lang)
        row = self._talks.channel.message(
            f"feedback.r{self._round}.{letter.sender}", letter.sender, CHANNEL_ADMIN, body, **letter.meta
        )
        await self._talks.run.emit(row, *self._events(letter.sender, {**body, **marks}), *consumed)

    def _events(self, name: str, answer: JsonObject) -> list[Draft]:
        """The public events of one answer: the feedback, and the bargain or the withdrawal that it is."""
        channel, key = self._talks.channel, f"feedback.r{self._round}.{name}"
        who = {"agent_id": name, "display_name": self._talks.profiles[name].user_name}
        shown = ("feedback_type", "reasoning", "adjustment_request", "proposed_changes", "by_default", *MARKS)
        payload = {"by_default": False, **{field: answer[field] for field in shown if field in answer}}
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
            "max_rounds": talks.channel.max_rounds,
            "demand": talks.brief,
            "your_offer": None if offer is None else offer.model_dump(mode="json"),
        }
