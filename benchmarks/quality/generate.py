"""Seeded scenarios: a planted team on one day of the window, and a crowd that makes it hard to find.

Around the planted team stand cheaper teams on other days that each lack one role, agents who look right and are in the
wrong city, too small, busy, choosy or not able to do what their card says, chains of look-alikes that fill a list of
candidates, and dearer alternatives. No product code is called: the same seed always gives the same scenario.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from benchmarks.quality.catalogue import BY_CONCEPT, CITIES, KINDS, NAMEABLE, UNDERTAKINGS
from benchmarks.quality.reality import fee_of, price_of
from benchmarks.quality.sentences import Facts, sentence
from benchmarks.quality.world import Agent, Asked, Lang, Need, Scenario, Service, Variant

TODAY = date(2027, 1, 4)
DEVELOPMENT = 0
"""The campaign whose scenarios the product may be improved on; every other one is for evaluation."""
MARGIN = (0.70, 0.95)
"""Between these parts of its advertised price lies an agent's floor."""
NAMES = (
    *("青松", "云杉", "白桦", "沙棘", "木槿", "紫藤", "银杏", "海棠", "石榴", "芦苇"),
    *("Amber", "Birch", "Cedar", "Dune", "Ember", "Fern", "Grove", "Heath", "Iris", "Juniper"),
)
ABOUT = (
    "{pronoun}从事这一行已经多年，今年{age}岁，做事仔细，喜欢把流程提前写在纸上和大家对一遍。接到委托后会先了解人数、场地和时间，"
    "再给出清楚的报价，不临时加价，也不轻易改期。合作过的人说{pronoun}到得早、收得干净，遇到突发情况不慌张。平时住在城里，"
    "周末常去河边走路，听电台，偶尔写几行字。希望来找的人把要求一次说明白，这样大家都省力。设备和材料都是自己的，用完当天清点，"
    "缺了什么第二天就补上。如果那天已经有安排，会直说，也可以推荐同行。价格写在下面，童叟无欺，谢谢看到这里的每一位。"
)


def scenario(campaign: int, index: int) -> Scenario:
    """Scenario ``index`` of a campaign."""
    draw = random.Random(f"moothall quality {campaign} {index}")
    variant: Variant = draw.choices(("plain", "gap", "infeasible"), (75, 15, 10))[0]
    return _Builder(draw, variant, campaign * 1_000_000 + index).build()


@dataclass
class _Builder:
    draw: random.Random
    variant: Variant
    seed: int
    agents: list[Agent] = field(default_factory=list)
    closed: dict[str, set[date]] = field(default_factory=dict)
    """The days on which nobody able provides a capability."""

    def build(self) -> Scenario:
        draw = self.draw
        self.lang: Lang = draw.choice(("zh", "en"))
        self.city = draw.choice(CITIES)[0]
        self.undertaking = draw.choice(UNDERTAKINGS)
        self.attendees = draw.choice((20, 30, 45, 60, 80, 120))
        self.needs = self._needs()
        start = TODAY + timedelta(days=draw.randrange(21, 50))
        self.window = [start + timedelta(days=offset) for offset in range(draw.randrange(7, 13))]
        self.day, *self.others = draw.sample(self.window, 4)
        if self.variant == "gap":
            self.closed[draw.choice(self.needs).concept] = set(self.window)
        if self.variant == "infeasible":
            for day in self.window:
                self.closed.setdefault(draw.choice(self.needs).concept, set()).add(day)
        planted = self._planted()
        self._rivals()
        self._crowd()
        self._noise()
        budget = self._budget(planted)
        excluded = tuple(kind.concept for kind in draw.sample(NAMEABLE, 1) if self._spare(kind.concept))
        excluded = excluded if draw.random() < 0.15 else ()
        words = sentence(self._facts(budget, excluded), draw)
        demand = Asked(
            text=words,
            lang=self.lang,
            city=self.city,
            start=self.window[0],
            end=self.window[-1],
            attendees=self.attendees,
            needs=self.needs,
            budget=budget,
            excluded=frozenset(excluded),
        )
        draw.shuffle(self.agents)
        return Scenario(self.seed, self.variant, demand, tuple(self.agents), TODAY)

    def _needs(self) -> tuple[Need, ...]:
        kinds = self.draw.sample(NAMEABLE, self.draw.choice((2, 3, 3, 4, 5)))
        counts = [self.draw.choice((1, 2, 2, 3)) if kind.several else 1 for kind in kinds]
        named = [Need(kind.concept, count) for kind, count in zip(kinds, counts, strict=True)]
        return (*named, Need(self.undertaking.implies, named=False))

    def _spare(self, concept: str) -> bool:
        return all(need.concept != concept for need in self.needs)

    def _facts(self, budget: int | None, excluded: tuple[str, ...]) -> Facts:
        return Facts(
            lang=self.lang,
            undertaking=self.undertaking,
            city=self.city,
            start=self.window[0],
            end=self.window[-1],
            attendees=self.attendees,
            budget=budget,
            needs=self.needs,
            excluded=excluded,
        )

    # -- who is there ---------------------------------------------------------------------------------------------

    def _planted(self) -> list[Agent]:
        """A whole team that is free on the day, some of it with a second service or a wish that the team fulfils."""
        team = []
        for need in self.needs:
            for _ in range(need.count):
                service = self._service(need.concept, (0.85, 1.15))
                if self.draw.random() < 0.2:
                    other = self.draw.choice([one.concept for one in self.needs])
                    service = replace(service, requires=None if other == need.concept else other)
                services = [service]
                if self.draw.random() < 0.25:
                    second = self.draw.choice([one.concept for one in self.needs])
                    services += [self._service(second, (0.9, 1.3))] if second != need.concept else []
                team.append(self._add(services, self._free(services, {self.day}, 0.25), self.draw.choice((1, 2))))
        return team

    def _rivals(self) -> None:
        """On each of the other days a cheaper team that lacks one role, for nobody able to fill it is free."""
        lacking = {day: self.draw.choice(self.needs).concept for day in self.others}
        for day, concept in lacking.items():
            self.closed.setdefault(concept, set()).add(day)
        self.agents = [self._shut(agent) for agent in self.agents]
        for day, concept in lacking.items():
            for need in self.needs:
                for _ in range(0 if need.concept == concept else need.count):
                    services = [self._service(need.concept, (0.65, 0.9))]
                    self._add(services, self._free(services, {day}, 0.1) - {self.day})

    def _shut(self, agent: Agent) -> Agent:
        closed = set().union(*(self.closed.get(item.concept, set()) for item in agent.services))
        return replace(agent, busy=agent.busy | closed)

    def _crowd(self) -> None:
        """Those who look right for a need, and those who are right and dearer."""
        draw, elsewhere = self.draw, [city for city, _ in CITIES if city != self.city]
        for need in self.needs:
            concept = need.concept
            for _ in range(draw.choice((1, 2))):
                services = [self._service(concept, (1.0, 1.5))]
                self._add(services, self._free(services, {self.day}, 0.4))
            for _ in range(draw.choice((1, 2))):
                self._add([self._service(concept, (0.5, 0.8))], set(self.window), city=draw.choice(elsewhere))
            small = replace(self._service(concept, (0.6, 0.9)), capacity=int(self.attendees * draw.uniform(0.3, 0.9)))
            self._add([small], self._free([small], {self.day}, 0.6))
            if draw.random() < 0.3:
                self._traveller(concept, draw.choice(elsewhere))
            if draw.random() < 0.6:
                self._add([self._service(concept, (0.6, 0.9))], set())
            if draw.random() < 0.5:
                claim = replace(self._service(concept, (0.6, 0.9)), true=False)
                self._add([claim, self._service(self._unasked(), (0.8, 1.2))], set(self.window), 2)
            if draw.random() < 0.5:
                picky = self._picky(self._service(concept, (0.6, 0.85)))
                self._add([picky], self._free([picky], {self.day}, 0.6))
        for need in draw.sample(self.needs, min(2, len(self.needs))):
            self._chain(need.concept, draw.choice(self.others))

    def _traveller(self, concept: str, home: str) -> None:
        service = self._service(concept, (0.7, 0.95))
        fee = int(BY_CONCEPT[concept].price * self.draw.uniform(0.05, 0.3)) * self._times(concept)
        service = replace(service, travel=(self.city,), travel_fee=fee)
        self._add([service], self._free([service], {self.day}, 0.4), city=home)

    def _picky(self, service: Service) -> Service:
        """A condition that this demand does not meet, or meets only with somebody's help or on other days."""
        draw = self.draw
        match draw.randrange(6):
            case 0:
                return replace(service, requires=self._unasked())
            case 1:
                return replace(service, min_attendees=int(self.attendees * draw.uniform(1.2, 2)))
            case 2:
                return replace(service, max_attendees=int(self.attendees * draw.uniform(0.3, 0.9)))
            case 3:
                return replace(service, weekdays=frozenset(range(7)) - {self.day.weekday()})
            case 4:
                return replace(service, lead_days=(self.day - TODAY).days + draw.randrange(1, 5))
            case _:
                fee = int(service.ask * self._times(service.concept) * draw.uniform(1.0, 1.6))
                return replace(service, min_fee=fee)

    def _chain(self, concept: str, day: date) -> None:
        """Branches of one company: alike in everything but the name, cheap, and not free on the right day."""
        services = [self._service(concept, (0.7, 0.85))]
        free = self._free(services, {day}, 0.2) - {self.day}
        for _ in range(self.draw.randrange(5, 9)):
            self._add(services, free)

    def _noise(self) -> None:
        for _ in range(self.draw.randrange(6, 12)):
            self._add([self._service(self._unasked(), (0.7, 1.3))], set(self.window))

    # -- what they are made of ------------------------------------------------------------------------------------

    def _unasked(self) -> str:
        return self.draw.choice([kind.concept for kind in KINDS if self._spare(kind.concept)])

    def _times(self, concept: str) -> int:
        return self.attendees if BY_CONCEPT[concept].per_person else 1

    def _service(self, concept: str, factors: tuple[float, float]) -> Service:
        kind, draw = BY_CONCEPT[concept], self.draw
        ask = max(1, round(kind.price * draw.uniform(*factors)))
        capacity = draw.choice((None, self.attendees + draw.randrange(0, 200)))
        return Service(
            concept=concept,
            tag=draw.choice(kind.words(draw.choice(("zh", "zh", "en")))),
            ask=ask,
            floor=max(1, round(ask * draw.uniform(*MARGIN))),
            per_person=kind.per_person,
            capacity=capacity,
        )

    def _free(self, services: list[Service], on: set[date], rate: float) -> set[date]:
        """These days and some more, apart from those that must stay without a provider."""
        closed = set().union(*(self.closed.get(item.concept, set()) for item in services))
        return (on | {day for day in self.window if self.draw.random() < rate}) - closed

    def _add(self, services: list[Service], free: set[date], max_roles: int = 1, *, city: str | None = None) -> Agent:
        draw, number = self.draw, len(self.agents)
        about = ABOUT.format(pronoun=draw.choice("他她"), age=draw.randrange(22, 66))
        agent = Agent(
            agent_id=f"user_agent_{draw.getrandbits(40):010x}",
            name=f"{draw.choice(NAMES)}{number}",
            city=city or self.city,
            services=tuple({service.concept: service for service in services}.values()),
            busy=frozenset(self.window) - free,
            max_roles=max_roles,
            about=about,
        )
        self.agents.append(agent)
        return agent

    def _budget(self, planted: list[Agent]) -> int | None:
        """None, ample for the planted team, or between what it would settle for and what it asks."""
        kind = self.draw.choices(("none", "ample", "tight"), (30, 40, 30))[0]
        if kind == "none":
            return None
        first = [agent.services[0] for agent in planted]
        asked = sum(price_of(item.ask, item, fee_of(item, travels=False), self.attendees) for item in first)
        floor = sum(price_of(item.floor, item, fee_of(item, travels=False), self.attendees) for item in first)
        if kind == "ample":
            return 100 * round(asked * self.draw.uniform(1.1, 1.8) / 100)
        return round(floor + (asked - floor) * self.draw.uniform(0.4, 1.0))
