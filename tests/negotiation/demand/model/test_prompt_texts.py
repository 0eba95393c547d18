"""The prompts say, in both languages, what the drafts hold."""

from __future__ import annotations

import pytest

from moothall.llm.prompt_files import system_text
from moothall.messages import LANGS, Lang
from tests.negotiation.demand.model.voices import BRIEFS


@pytest.mark.parametrize("kind", sorted(BRIEFS))
@pytest.mark.parametrize("lang", LANGS)
def test_every_key_of_a_draft_is_explained(kind: str, lang: Lang) -> None:
    brief = BRIEFS[kind]
    text = system_text(brief.prompt.number, kind, lang)
    assert text.startswith(f"Prompt {brief.prompt.number} ({kind})")
    assert {name for name in brief.draft.model_fields if name not in text} == set()
    assert len(text) < 6000
