"""The four policies of a person: its data, trust, private fields, limits of use."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import SettingsError
from moothall.grants.model import Chain, Grant
from moothall.people.facts import PartyFacts
from moothall.policy.named.agent_trust import AgentTrustPolicy
from moothall.policy.named.joining import joined
from moothall.policy.named.personal import PersonalAuthorizationConfig
from moothall.policy.named.privacy import PersonalDataProtectionPolicy, PrivacyControlPolicy, PrivacySettings
from moothall.policy.named.reader import read, usual
from moothall.policy.named.usage import UsageLimitPolicy
from moothall.policy.trust import TrustNetwork
from tests.policy.named.hall import NOW, STRANGER, USUAL, Hall, entry, party, policies

BO = party("bo", person="bo", trust=5)
OPEN = {"access": "authenticated"}


def of_ann(**facts: Any) -> PartyFacts:
    return party("ann", person="ann", role="personal", **facts)


@pytest.mark.requirement("POL-11")
def test_personal_data_is_for_its_person_and_those_with_consent() -> None:
    personal = entry(personal_data=True, **OPEN)
    refused = Hall(USUAL, of_ann()).call(BO, personal)
    assert (refused.effect, refused.policy) == ("deny", "personal-data")
    assert Hall(USUAL, of_ann(consented=frozenset({BO.id}))).call(BO, personal).allowed
    assert Hall(USUAL, of_ann(consented=frozenset({"user:bo"}))).call(BO, personal).allowed
    assert not Hall(USUAL, of_ann(consented=frozenset({"user:eve"}))).call(BO, personal).allowed
    admin = party("admin", person="ann", role="admin")
    assert Hall(USUAL, of_ann()).call(admin, personal).allowed


@pytest.mark.requirement("POL-11")
def test_neither_a_delegation_nor_an_approval_takes_the_place_of_consent() -> None:
    admin = party("admin", person="ann", role="admin")
    now = int(NOW.timestamp())
    link = Grant(
        id="g", delegator=admin.id, delegate=BO.id, audience="", actions=frozenset({"read"}),
        capabilities=frozenset({"bank.balance"}), issued=now, not_before=now, expires=now + 60,
    )  # fmt: skip
    chain = Chain(
        links=(link,), actions=link.actions, capabilities=link.capabilities, not_before=now, expires=now + 60,
        classification=3, parties=(admin.id, BO.id),
    )  # fmt: skip
    hall = Hall(USUAL, of_ann(), admin, BO)
    assert hall.call(BO, entry(), chains=(chain,)).on_behalf_of == admin.id
    assert hall.call(BO, entry(personal_data=True), chains=(chain,)).policy == "personal-data"
    approvable = entry(personal_data=True, approval=True, **OPEN)
    assert hall.call(BO, approvable).effect == "deny"


@pytest.mark.requirement("POL-12")
@pytest.mark.parametrize(("trust", "effect"), [(1, "deny"), (6, "deny"), (7, "allow"), (10, "allow")])
def test_who_is_trusted_too_little_is_refused(trust: int, effect: str) -> None:
    decision = Hall(USUAL, of_ann()).call(party("x", trust=trust), entry(min_trust=7, **OPEN))
    assert decision.effect == effect
    assert effect == "allow" or decision.policy == "trust"


@pytest.mark.requirement("POL-12")
def test_who_is_trusted_too_little_is_approved_where_that_is_configured() -> None:
    hall = Hall(policies('[trust]\nbelow = "approve"\nthreshold = 3'), of_ann())
    asked = hall.call(party("x", trust=6), entry(min_trust=7, **OPEN))
    assert (asked.effect, asked.policy) == ("approve", "trust")
    assert hall.call(party("x", trust=2), entry(**OPEN)).effect == "approve"
    assert hall.call(party("x", trust=2), entry()).effect == "deny", "an approval is no right"
    assert hall.call(party("x", trust=2), entry(access="public")).allowed
    assert hall.on_agent(party("x", trust=2), "read").effect == "deny"


@pytest.mark.requirement("POL-12")
def test_what_a_person_says_counts_more_than_what_the_node_says() -> None:
    asking = entry(min_trust=7, **OPEN)
    assert Hall(USUAL, of_ann(trusted={BO.id: 8})).call(BO, asking).allowed
    assert Hall(USUAL, of_ann(trusted={"user:bo": 8})).call(BO, asking).allowed
    assert not Hall(USUAL, of_ann(trusted={BO.id: 6, "user:bo": 9})).call(BO, asking).allowed
    assert not Hall(USUAL, of_ann(trusted={"user:bo": 2})).call(party("bo", person="bo", trust=10), asking).allowed
    assert not Hall(USUAL, of_ann(trusted={"user:": 9})).call(STRANGER, asking).allowed


NETWORK = '[trust.network.ann]\n"user:cy" = 9\n[trust.network.cy]\n"user:bo" = 8\n'


@pytest.mark.requirement("POL-12")
def test_trust_passes_on_only_where_that_is_set() -> None:
    asking = entry(min_trust=7, **OPEN)
    assert not Hall(policies(NETWORK), of_ann()).call(BO, asking).allowed
    assert Hall(policies(f"[trust]\ntransitive = true\n{NETWORK}"), of_ann()).call(BO, asking).allowed
    assert (
        not Hall(policies(f"[trust]\ntransitive = true\n{NETWORK}"), of_ann())
        .call(BO, entry(min_trust=9, **OPEN))
        .allowed
    )
    assert (
        not Hall(policies(f"[trust]\ntransitive = true\n{NETWORK}"), of_ann(trusted={BO.id: 1}))
        .call(BO, asking)
        .allowed
    )


@pytest.mark.requirement("POL-12")
@pytest.mark.parametrize(("hops", "effect"), [("", "deny"), ("hops = 3", "deny"), ("hops = 4", "allow")])
def test_trust_passes_over_as_many_links_as_are_configured(hops: str, effect: str) -> None:
    names = ["ann", "cy", "di", "ed", "bo"]
    links = "".join(f'[trust.network.{one}]\n"user:{next_}" = 9\n' for one, next_ in pairwise(names))
    told = f"[trust]\ntransitive = true\n{hops}\n{links}[personal.cy]\nthreshold = 1\n"
    assert Hall(policies(told), of_ann()).call(BO, entry(min_trust=7, **OPEN)).effect == effect


def test_of_two_networks_the_fewer_links_hold_and_one_that_says_nothing_limits_nothing() -> None:
    four, two, silent = TrustNetwork(hops=4), TrustNetwork(hops=2), TrustNetwork()
    assert [one.joined(other).hops for one, other in ((four, two), (four, silent), (silent, two), (silent, silent))] == [
        2, 4, 2, None,
    ]  # fmt: skip


PEOPLE = ["a", "b", "c", "d"]
LINKS = st.dictionaries(
    st.sampled_from(PEOPLE),
    st.dictionaries(st.sampled_from([f"user:{name}" for name in PEOPLE]), st.integers(1, 10), max_size=3),
    max_size=4,
)


def best(links: dict[str, dict[str, int]], way: list[str], to: str, hops: int) -> int:
    """The best way by trying all of them."""
    found = 0
    for subject, level in links.get(way[-1], {}).items():
        name = subject.removeprefix("user:")
        if name == to:
            found = max(found, level)
        elif hops > 1 and name not in way:
            found = max(found, min(level, best(links, [*way, name], to, hops - 1)))
    return found


@given(links=LINKS, hops=st.integers(2, 4), trust=st.integers(1, 10))
def test_trust_by_way_of_others_is_the_weakest_link_of_the_best_way(
    links: dict[str, dict[str, int]], hops: int, trust: int
) -> None:
    network = TrustNetwork(links=links, transitive=True, hops=hops)
    provider, caller = party("p", person="a"), party("c", person="d", trust=trust)
    expected = links.get("a", {}).get("user:d") or best(links, ["a"], "d", hops) or trust
    assert network.level(provider, caller) == expected


@given(links=LINKS, trust=st.integers(1, 10))
def test_without_transitivity_only_own_words_count(links: dict[str, dict[str, int]], trust: int) -> None:
    provider, caller = party("p", person="a"), party("c", person="d", trust=trust)
    assert TrustNetwork(links=links).level(provider, caller) == links.get("a", {}).get("user:d", trust)


@given(one=LINKS, other=LINKS)
def test_of_two_networks_the_lower_level_holds(
    one: dict[str, dict[str, int]], other: dict[str, dict[str, int]]
) -> None:
    both = TrustNetwork(links=one).joined(TrustNetwork(links=other))
    for person in {*one, *other}:
        for subject in {*one.get(person, {}), *other.get(person, {})}:
            said = [links[person][subject] for links in (one, other) if subject in links.get(person, {})]
            assert both.links[person][subject] == min(said)


@pytest.mark.requirement("POL-13")
def test_private_fields_are_taken_out_for_others_and_only_for_them() -> None:
    hall = Hall(policies('[privacy.private]\n"bank.*" = ["iban", "owner.phone"]'), of_ann())
    assert hall.call(BO, entry(private=("note",), **OPEN)).redact == {"iban", "owner.phone", "note"}
    assert hall.call(party("admin", person="ann", role="admin"), entry(private=("note",))).redact == frozenset()
    assert hall.call(of_ann(), entry(private=("note",))).redact == frozenset()


@pytest.mark.requirement("POL-14")
@pytest.mark.parametrize(("own", "quota"), [(0, 50), (10, 10), (60, 50)])
def test_the_lowest_limit_of_use_holds(own: int, quota: int) -> None:
    hall = Hall(policies('[usage.per_day]\n"*" = 1000\n"bank.*" = 50'), of_ann())
    assert hall.call(BO, entry(quota=own, **OPEN)).quota == quota


@pytest.mark.requirement("POL-10")
def test_the_four_policies_of_a_person_are_active_after_the_set_up() -> None:
    config = PersonalAuthorizationConfig("ann")
    config.personal_agents.append("bank")
    config.trust_network = TrustNetwork(links={"ann": {"user:bo": 8}, "eve": {"user:eve": 10}})
    config.privacy_settings = PrivacySettings(personal_data=("diary",), private={"*": ("iban",)})
    config.threshold, config.per_day = 6, {"*": 20}
    made = config.setup_personal_policies()
    assert [type(policy) for policy in made] == [
        PersonalDataProtectionPolicy, AgentTrustPolicy, PrivacyControlPolicy, UsageLimitPolicy,
    ]  # fmt: skip
    hall = Hall(joined([usual(), *(policy.config() for policy in made)]), of_ann())
    assert hall.call(BO, entry("bank.diary", **OPEN)).policy == "personal-data"
    assert hall.call(STRANGER, entry(**OPEN)).policy == "trust:ann"
    decision = hall.call(BO, entry(**OPEN))
    assert (decision.allowed, decision.redact, decision.quota) == (True, {"iban"}, 20)
    assert "eve" not in hall.policies.config.trust.links, "a person speaks only for itself"


@pytest.mark.requirement("POL-10")
def test_a_persons_table_speaks_of_its_own_agents_only() -> None:
    told = policies(
        '[personal.ann]\nagents = ["bank"]\nthreshold = 6\nbelow = "approve"\n[personal.ann.trust]\n"user:bo" = 8\n'
        '[personal.ann.privacy]\npersonal_data = ["diary"]\n[personal.ann.privacy.private]\n"*" = ["iban"]\n'
        '[personal.ann.per_day]\n"*" = 20\n'
    )
    hall = Hall(told, of_ann())
    assert hall.call(BO, entry(**OPEN)).quota == 20
    assert hall.call(STRANGER, entry(**OPEN)).effect == "approve"
    other = Hall(told, party("cy", person="cy"))
    assert other.call(STRANGER, entry("shop.diary", **OPEN)).allowed
    assert other.call(STRANGER, entry("shop.x", **OPEN)).redact == frozenset()


@pytest.mark.requirement("POL-10")
@pytest.mark.parametrize(
    "table", ['privacy.personal_data = ["diary"]', 'privacy.private = { "*" = ["iban"] }', 'per_day = { "*" = 5 }']
)
def test_patterns_of_a_person_that_names_no_agents_would_protect_nothing_and_are_refused(table: str) -> None:
    with pytest.raises(SettingsError, match=r"policy\.toml") as refused:
        read(f"[personal.ann]\n{table}")
    assert refused.value.why.startswith("[personal] ann: `agents` names nobody")


def test_whose_trust_passes_on_is_each_persons_own_matter() -> None:
    table = (
        '[personal.ann]\ntransitive = true\n[personal.ann.trust]\n"user:cy" = 9\n[personal.cy.trust]\n"user:bo" = 8\n'
    )
    network = policies(table + '[personal.dan.trust]\n"user:cy" = 9').config.trust
    assert network.level(of_ann(), BO) == 8
    assert network.level(party("dan", person="dan"), BO) == BO.trust


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ("threshold = 11", "threshold"), ("threshold = true", "threshold"), ('below = "ask"', "below"),
        ('[trust.network.ann]\n"bob" = 3', "network.ann"), ('[trust.network.ann]\n"user:bo" = 0', "network.ann.user:bo"),
        ('[trust.network."../x"]\n"user:bo" = 1', "network"),
    ],
)  # fmt: skip
def test_a_table_of_trust_that_makes_no_sense_is_refused(table: str, place: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(f"[trust]\n{table}")
    assert f"[trust] {place}" in str(caught.value.why)


@pytest.mark.requirement("POL-10")
@pytest.mark.parametrize("name", ["李四", "zhang san", "ann@example.com", "a" * 128])
def test_whoever_can_be_a_person_can_have_policies(name: str) -> None:
    ann = party("ann", person=name, role="personal")
    config = read(f'[personal."{name}"]\nagents = ["bank"]\nthreshold = 7\n[personal."{name}".trust]\n"user:eve" = 9\n')
    hall = Hall(config, ann)
    assert hall.call(BO, entry(**OPEN)).policy.startswith("trust:")
    assert hall.call(party("eve", person="eve"), entry(**OPEN)).allowed
    assert Hall(config, party("ann", person="other")).call(BO, entry(**OPEN)).allowed, (
        "one person's words bind no other"
    )


@pytest.mark.parametrize("bad", ["", "a\nb", '"', "a" * 129, "a "])
def test_whoever_cannot_has_none(bad: str) -> None:
    with pytest.raises(ValueError, match="not the id of a person"):
        AgentTrustPolicy(network={bad: {"user:eve": 3}})
