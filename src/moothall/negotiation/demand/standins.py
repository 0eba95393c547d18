"""Places left open after the last round: whoever offered to fill one and was not chosen is asked, before the end.

Somebody who leaves a plan without being its only provider opens no further round (row NEG-STATE-09). What stands of
the plan is settled; only those who would join it are asked, each once, and nobody's terms change but theirs. Who says
no costs nothing but the question.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from moothall.clock import rfc3339
from moothall.directory.activities import load_activities
from moothall.directory.places import load_gazetteer
from moothall.events.model import Draft
from moothall.messages import text
from moothall.negotiation.demand.feedback import Call, Review, shown_answer
from moothall.negotiation.demand.models import JsonObject, Offer, Requirement
from moothall.negotiation.demand.plan_models import Assignment, Feedback, Proposal, covered, uncovered
from moothall.negotiation.demand.rounds import RoundsEnd
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.rules.present import Present
from moothall.negotiation.demand.rules.standing_in import Vacancies, pays_what_was_asked
from moothall.negotiation.demand.substitutes import Substitutes
from moothall.negotiation.demand.talks import Talks

MOST_CALLS = 3
"""How often stand-ins are looked for among the offers at hand; who says no makes room for the next."""

FRESH_CALLS = 2
"""How often they are looked for among agents that were invited for an open place."""


class StandIns:
    """Fills the open places of one channel's plan."""

    def __init__(self, talks: Talks, substitutes: Substitutes) -> None:
        self._talks = talks
        self._substitutes = substitutes
        self._lexica = Lexica(talks.vocabulary, load_gazetteer(), load_activities())

    async def fill(self, end: RoundsEnd) -> RoundsEnd:
        """The end of the rounds with those in the plan who agreed to stand in, and with what they said.

        Agents in reserve are invited only for a place that is too small for a sub-negotiation.
        """
        asked: list[str] = []
        end = await self._call(end, asked, range(1, MOST_CALLS + 1))
        small = [need for need in self._open(end) if self._small(need, end.proposal)]
        day = date.fromisoformat(end.proposal.timeline.start_date)
        fresh = await self._substitutes.on(day, small, end.round)
        if not fresh:
            return end
        end = replace(end, offers=(*end.offers, *fresh))
        return await self._call(end, asked, range(MOST_CALLS + 1, MOST_CALLS + FRESH_CALLS + 1), fresh)

    def _open(self, end: RoundsEnd) -> tuple[Requirement, ...]:
        return uncovered(self._talks.demand.requirements, end.proposal.assignments)

    def _small(self, need: Requirement, plan: Proposal) -> bool:
        """Whether what is missing of a need counts too little for a sub-negotiation (row NEG-PROMPT-8b)."""
        missing = need.importance * (need.count - covered(need, plan.assignments)) / need.count
        return round(missing) < self._talks.limits.recursion.min_importance

    async def _call(self, end: RoundsEnd, asked: list[str], numbers: range, fresh: Sequence[Offer] = ()) -> RoundsEnd:
        for number in numbers:
            found = await self._choose(number, end, asked) if self._open(end) else []
            if not found:
                break
            asked += dict.fromkeys(item.agent_id for item in found)
            end = await self._ask(number, end, found, {offer.agent_id for offer in fresh})
        return end

    async def _choose(self, number: int, end: RoundsEnd, asked: Sequence[str]) -> list[Assignment]:
        """Who is to be asked, as it was decided the first time."""
        talks = self._talks

        async def choose() -> list[JsonObject]:
            places = Vacancies(
                talks.demand, end.proposal, end.offers, tuple(asked), talks.today, talks.seed, self._lexica
            )
            return [item.model_dump(mode="json") for item in await places.stand_ins()]

        chosen = await talks.run.step(f"standins.{number}", choose)
        return [Assignment.model_validate(item) for item in chosen]

    async def _ask(
        self, number: int, end: RoundsEnd, found: Sequence[Assignment], invited: Collection[str]
    ) -> RoundsEnd:
        talks = self._talks
        names = tuple(dict.fromkeys(item.agent_id for item in found))
        shown = present(talks, end).of(end.proposal, (*end.proposal.assignments, *found))
        review = StandInReview(talks, shown, Call(f"standins.{number}", names, end.round, last=end.round))
        until = rfc3339(await review.due())
        await review.ask([self._invited(name, number, until, end, found) for name in names if name not in invited])
        answers, _ = await review.collect()
        willing = [item for item in answers if self._agrees(item, end, found)]
        agreed = {item.agent_id for item in willing}
        after = replace(
            end,
            feedbacks=[*end.feedbacks, *willing],
            joined=(*end.joined, *(name for name in names if name in agreed)),
            refused=(*end.refused, *(name for name in names if name not in agreed)),
        )
        if not agreed:
            return replace(after, proposal=self._refused(end, after))
        taken = [item for item in shown.assignments if item.agent_id in {*end.proposal.assignees(), *agreed}]
        reviewed = replace(after, joined=end.joined)
        return replace(after, proposal=present(talks, reviewed).of(shown, taken))

    def _agrees(self, answer: Feedback, end: RoundsEnd, found: Sequence[Assignment]) -> bool:
        """Whether an answer is a yes; silence is none to less than what was asked, whatever it counts as elsewhere."""
        if answer.feedback_type != "accept" or not answer.by_default:
            return answer.feedback_type == "accept"
        offer = next(one for one in end.offers if one.agent_id == answer.agent_id)
        roles = [item for item in found if item.agent_id == answer.agent_id]
        return all(pays_what_was_asked(item, offer, self._talks.demand, self._lexica) for item in roles)

    def _refused(self, before: RoundsEnd, after: RoundsEnd) -> Proposal:
        """The plan that nobody joined: where the rules tell of it, they now tell of who was asked as well."""
        plan = before.proposal
        ours = plan == present(self._talks, before).of(plan, plan.assignments)
        return present(self._talks, after).of(plan, plan.assignments) if ours else plan

    def _invited(self, name: str, number: int, until: str, end: RoundsEnd, found: Sequence[Assignment]) -> Draft:
        talks = self._talks
        voice = self._lexica.voice(talks.demand.lang)
        roles = voice.join(item.role for item in found if item.agent_id == name)
        return talks.channel.event(
            f"standins.{number}.{name}.invited",
            "substitute.invited",
            agent_id=name,
            display_name=talks.profiles[name].user_name,
            reason=text("channel.stand_in.asked", talks.demand.lang, roles=roles),
            round=end.round,
            deadline_at=until,
        )


class StandInReview(Review):
    """The question to stand-ins: they see the plan with themselves in it, and it is theirs to take or leave."""

    def _events(self, name: str, answer: JsonObject) -> list[Draft]:
        who = {"agent_id": name, "display_name": self._talks.profiles[name].user_name}
        return [
            self._talks.channel.event(
                f"{self._rows.name}.{name}.event",
                "substitute.answered",
                **who,
                round=self._round,
                **shown_answer(answer),
            )
        ]


def present(talks: Talks, end: RoundsEnd) -> Present:
    """What tells of the plan as somebody leaves or joins it after the last round."""
    lexica = Lexica(talks.vocabulary, load_gazetteer(), load_activities())
    reviewed = set(end.proposal.assignees()) - set(end.joined)
    return Present(talks.demand, end.offers, talks.today, lexica, reviewed, end.refused)
