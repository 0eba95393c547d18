"""The texts of the prompts: ``data/prompts/<kind>.<lang>.md``, and the frame that all of them share."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from moothall.messages import Lang

FRAME = "frame"


def system_text(number: int, kind: str, lang: Lang) -> str:
    """Who the model is and by which rules it answers one kind of prompt.

    Raises:
        FileNotFoundError: there is no such prompt.
    """
    return f"Prompt {number} ({kind})\n\n{prompt_text(kind, lang)}\n\n{prompt_text(FRAME, lang)}\n"


def tool_text(kind: str, lang: Lang) -> str:
    """What the tool is described as: it takes the answer, and is the only way to give one."""
    return {"zh": f"提交 {kind} 的结果。", "en": f"Hand in the result of {kind}."}[lang]


def refused_text(lang: Lang) -> str:
    """What a model is told when its answer was of no use; the reason follows."""
    return {
        "zh": "你上一次的答案被退回，原因如下。请改正后重新提交完整答案。",
        "en": "Your last answer was refused for the following reason. Correct it and hand in the whole answer.",
    }[lang]


@cache
def prompt_text(name: str, lang: Lang) -> str:
    """A text by the name of its file.

    Raises:
        FileNotFoundError: there is none.
    """
    return files("moothall").joinpath("data", "prompts", f"{name}.{lang}.md").read_text(encoding="utf-8").strip()
