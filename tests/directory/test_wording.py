"""Reasons in words, Chinese and English."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from moothall.directory.concepts import load_vocabulary
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from moothall.directory.places import load_gazetteer
from moothall.directory.query import Query, Wanted
from moothall.directory.retrieval import rank
from moothall.directory.wording import say

if TYPE_CHECKING:
    from tests.directory.conftest import MakeAgent, MakePool

QUERY = Query(
    (Wanted("venue"), Wanted("catering")),
    city="北京",
    date_start=date(2027, 3, 6),
    date_end=date(2027, 3, 6),
    attendees=50,
    budget=1500000,
)


def test_reasons_are_said_in_both_languages(make_agent: MakeAgent, make_pool: MakePool) -> None:
    [found] = rank(make_pool(make_agent(tag="场地提供", price=1234567, capacity=60)), QUERY)
    assert say(found.reasons, "zh", load_vocabulary(), load_gazetteer()) == (
        "能力对口：场地提供；就在北京；2027-03-06有空；可容纳60人（需要50人）；报价约1234567 CNY，在预算内"
    )
    assert say(found.reasons, "en", load_vocabulary(), load_gazetteer()) == (
        "provides venue; is in Beijing; free on 2027-03-06; room for 60 people (50 expected); "
        "advertised at about 1234567 CNY, within the budget"
    )


def test_every_reason_of_the_demonstration_pool_can_be_said(make_pool: MakePool) -> None:
    pool = make_pool(*load_profiles_from_file(mock_profiles_file()))
    queries = [
        QUERY,
        Query((Wanted("photography"), Wanted("coworking")), city="拉萨", attendees=900, budget=10),
        Query((Wanted("software_dev"),), online=True, date_start=date(2027, 2, 6), date_end=date(2027, 2, 6)),
        Query((Wanted("speaker"), Wanted("training"), Wanted("host_mc")), city="Shanghai"),
    ]
    kinds = set()
    for query in queries:
        for found in rank(pool, query):
            kinds |= {reason.key for reason in found.reasons}
            for lang in ("zh", "en"):
                sentence = say(found.reasons, lang, pool.vocabulary, pool.gazetteer)
                assert sentence
                assert "{" not in sentence
    assert {"provides", "related", "here", "travels", "remote", "elsewhere", "free", "busy", "roomy", "dear"} <= kinds
