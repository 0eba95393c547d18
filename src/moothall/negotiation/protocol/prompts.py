"""The prompts of a protocol negotiation: our rules are the system's part, all else is fenced (row META-LIMIT-06)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from moothall.llm.fencing import fenced
from moothall.messages import Lang
from moothall.negotiation.protocol.limits import MAX_PROTOCOL_BYTES

Kind = Literal["propose", "evaluate", "cases", "judge_cases", "diagnose", "answer"]

_FRAME: Final = "frame"
_REFUSED: Final[Mapping[Lang, str]] = {
    "en": "Your last answer was refused: {why}. Correct it and give the whole answer.",
    "zh": "你上一次的答案被退回：{why}。请改正后重新给出完整答案。",
}


def system_prompt(kind: Kind, lang: Lang) -> str:
    """The task and the rules; nothing in it comes from a need, a capability or the other side."""
    return f"Prompt protocol_{kind}\n\n{_text(kind, lang)}\n\n{_text(_FRAME, lang)}\n"


def user_prompt(parts: Mapping[str, object], lang: Lang, refused: str = "") -> str:
    """The data, fenced; ``refused`` says in our own words why the last answer was of no use."""
    told = f"\n\n{_REFUSED[lang].format(why=refused)}" if refused else ""
    return (
        fenced({name: part for name, part in parts.items() if part not in ("", None, [], ())}, MAX_PROTOCOL_BYTES)
        + told
    )


@cache
def _text(name: str, lang: Lang) -> str:
    source = files("moothall").joinpath("data", "prompts", f"protocol_{name}.{lang}.md")
    return source.read_text(encoding="utf-8").strip()
