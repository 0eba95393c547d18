"""Which description may be used, and which names look like others: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.directory.finding.judging import BY_OWNER, CHANGED, UNSEEN, Judgement, Known, belongs_elsewhere, judged
from moothall.directory.finding.likeness import alike, skeleton
from moothall.directory.finding.reading import digest_of, heard, said
from moothall.directory.finding.taming import line, tamed
from moothall.directory.finding.views import found_view
from moothall.directory.listing import Listing, Provenance
from moothall.directory.searching import Breakdown, Found, Hit

PAINT = Listing(target="a2a:https://p.example/card.json#wall", way="a2a", name="painter.wall", description="Paints")
SEEN = Known("https://p.example/card.json", "sha256:a", "sha256:a", "listed", "")


@pytest.mark.parametrize(
    ("digest", "known", "looked", "wanted"),
    [
        ("sha256:a", None, True, Judgement("listed", "", "sha256:a")),
        ("sha256:a", None, False, Judgement("changed", UNSEEN, "")),
        ("sha256:a", SEEN, True, Judgement("listed", "", "sha256:a")),
        ("sha256:b", SEEN, True, Judgement("changed", CHANGED, "sha256:a")),
        ("sha256:b", SEEN, False, Judgement("changed", CHANGED, "sha256:a")),
        ("sha256:a", replace(SEEN, state="expired"), False, Judgement("listed", "", "sha256:a")),
        ("sha256:b", replace(SEEN, state="expired"), True, Judgement("changed", CHANGED, "sha256:a")),
        ("sha256:a", replace(SEEN, pinned="", state="refused", why=BY_OWNER), True, Judgement("refused", BY_OWNER, "")),
        ("sha256:a", replace(SEEN, pinned="", state="refused", why="finding.schema"), True, Judgement("listed", "", "sha256:a")),
    ],
)  # fmt: skip
def test_a_description_is_used_once_somebody_has_looked_at_it_and_until_it_changes(
    digest: str, known: Known | None, looked: bool, wanted: Judgement
) -> None:
    assert judged(PAINT, digest, known, looked=looked) == wanted


def test_what_is_refused_is_refused_whoever_named_it() -> None:
    refused = replace(PAINT, standing="refused", why="finding.schema")
    assert judged(refused, "sha256:a", SEEN, looked=True) == Judgement("refused", "finding.schema", "sha256:a")
    by_owner = replace(SEEN, pinned="", state="refused", why=BY_OWNER)
    assert judged(refused, "sha256:a", by_owner, looked=True) == Judgement("refused", BY_OWNER, "")


def test_a_target_is_the_first_places_until_it_lets_it_go() -> None:
    assert not belongs_elsewhere("https://q.example", None)
    assert belongs_elsewhere("https://q.example", SEEN)
    assert not belongs_elsewhere(SEEN.source, SEEN)
    assert not belongs_elsewhere("https://q.example", replace(SEEN, state="expired"))


def test_a_digest_is_of_what_the_author_says_and_of_nothing_else() -> None:
    here = Provenance("https://p.example", datetime(2026, 1, 1, tzinfo=UTC), "x", "y")
    assert digest_of(PAINT) == digest_of(replace(PAINT, trust=7, standing="changed", why="x", provenance=here))
    for changed in (
        replace(PAINT, description="Paints!"),
        replace(PAINT, read_only=True),
        replace(PAINT, input_schema={"type": "object"}),
        replace(PAINT, owner="did:wba:x.example"),
    ):
        assert digest_of(changed) != digest_of(PAINT)
    assert heard(said(PAINT)) == PAINT


@given(st.text(), st.integers(1, 50))
def test_a_line_has_nothing_that_hides_or_turns_and_stays_as_it_is(text: str, longest: int) -> None:
    shown = line(text, longest)
    assert len(shown) <= longest
    assert shown.isprintable()
    assert line(shown, longest) == shown


def test_what_is_tamed_twice_is_tamed_once() -> None:
    listing = replace(PAINT, description="a\u202eb\x00\nc", tags=("\u200b", "x"), input_schema={"title": "a\tb"})
    assert tamed(tamed(listing)) == tamed(listing)


@pytest.mark.parametrize(
    "name", ["weather.forecast", "weather.Forecast", "x.f0recast", "x.fоrecast", "fore-cast", "FORECAST"]
)
def test_names_that_are_read_alike_are_alike(name: str) -> None:
    assert alike(name, ["local.forecast"])


@pytest.mark.parametrize("name", ["forecasts", "weather", "预报", "", "forecast.other"])
def test_others_are_not(name: str) -> None:
    assert not alike(name, ["local.forecast"])
    assert skeleton("预报") == "预报"


def test_a_hit_that_looks_like_one_of_another_origin_is_shown_with_it() -> None:
    def hit(name: str, source: str) -> Hit:
        return Hit(replace(PAINT, target=f"{source}{name}", name=name, provenance=Provenance(source)), 0.5, Breakdown())

    hits = (
        hit("bank.pay", ""),
        hit("Bank.pау", "https://evil.example/card.json"),
        hit("bank.draw", "https://b.example/"),
    )
    shown = found_view(Found(hits, 3, (), "1"), ["bank.pay"]).hits
    assert [each.origin for each in shown] == ["", "evil.example", "b.example"]
    assert shown[1].looks_like == ["bank.pay (local)"]
    assert shown[0].looks_like == ["Bank.pау (evil.example)"]
    assert shown[2].looks_like == []
