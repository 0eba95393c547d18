"""A decision in words: what it is, which policies made it, what was asked on the way, and what would help. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from moothall.cli.render.clean import clean_all
from moothall.messages import Lang, text

_KNOWN: Final = frozenset({"approval", "authentication", "delegation", "purpose", "signature"})
"""What somebody may be lacking and for which there is a line."""

_NOBODY: Final = "no_policy_matched"
_LOG: Final = "log:"
_LINK: Final = "link"


class Asked(NamedTuple):
    """The question: may ``who`` do ``action`` (empty: what it does) with ``what``?"""

    who: str
    what: str
    action: str = ""


def lines_of(found: Mapping[str, Any], asked: Asked, lang: Lang) -> list[str]:
    """The lines, from the answer to the policies to what would help.

    Args:
        found: what ``policy.explain`` gave.
        asked: the question.
        lang: the language.
    """
    found, asked = clean_all(found), Asked(*clean_all(tuple(asked)))
    lines = [*_answer(found, asked, lang), *_way(found, lang)]
    if found["effect"] != "allow":
        lines += ["", text("cli.explained.help", lang), *(f"  - {line}" for line in _help(found, asked, lang))]
    return [*lines, "", text("cli.explained.key", lang, key=found["decision"], revision=found["revision"])]


def _answer(found: Mapping[str, Any], asked: Asked, lang: Lang) -> Iterator[str]:
    yield text(f"cli.explained.{found['effect']}", lang, who=asked.who, what=asked.what)
    if _unspoken(found):
        yield text("cli.explained.nobody", lang, who=asked.who)
    elif found["reason"]:
        yield text("cli.explained.reason", lang, reason=found["reason"])
    if found["on_behalf_of"]:
        yield text("cli.explained.behalf", lang, who=found["on_behalf_of"], grants=_joined(found["grants"], lang))
    if found["redact"]:
        yield text("cli.explained.redact", lang, fields=_joined(found["redact"], lang))
    for one in found["policies"]:
        kind = "forbids" if one["effect"] == "forbid" else "permits"
        place = text("cli.explained.place", lang, layer=one["layer"], source=one["source"] or "Python")
        yield text(f"cli.explained.{kind}", lang, id=one["id"], place=place, reason=one["reason"]).rstrip(" :：")


def _unspoken(found: Mapping[str, Any]) -> bool:
    """Whether it is denied because nothing permits it."""
    return found["effect"] == "deny" and not found["policies"] and not any(step["errors"] for step in found["steps"])


def _way(found: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    if found["steps"]:
        yield ""
        yield text("cli.explained.way", lang)
    for number, step in enumerate(found["steps"], start=1):
        asked = text(f"cli.explained.step_{step['step']}", lang, party=step["party"])
        if step["approved"]:
            asked = text("cli.explained.if_approved", lang, asked=asked)
        by = _joined([name for name in step["policies"] if name != _NOBODY], lang) or text("cli.explained.none", lang)
        free = step["step"] == _LINK and not step["policies"] and not step["errors"]  # nothing permits, nor forbids it
        answer = text(f"cli.explained.{'allowed' if step['allowed'] or free else 'denied'}", lang, by=by)
        if step["errors"]:
            answer = text("cli.explained.errors", lang, answer=answer, errors=_joined(step["errors"], lang))
        yield f"  {number}. " + text("cli.explained.step", lang, asked=asked, answer=answer)


def _help(found: Mapping[str, Any], asked: Asked, lang: Lang) -> Iterator[str]:
    """What would help: what is lacking, else a change of what forbids it, else the ways in."""
    lacking = [name.removeprefix("needs_") for name in found["lacking"]]
    for name in lacking:
        yield text(f"cli.explained.help_{name if name in _KNOWN else 'other'}", lang, name=name)
    forbidding = [one["id"] for one in found["policies"] if one["effect"] == "forbid"]
    if forbidding and not lacking:
        yield text("cli.explained.help_forbidden", lang, ids=_joined(forbidding, lang))
    if _unspoken(found) and not lacking:
        yield from _ways_in(asked, lang)


def _ways_in(asked: Asked, lang: Lang) -> Iterator[str]:
    """Who could let the caller in, and how, where nothing forbids it."""
    if asked.what.startswith(_LOG):
        yield text("cli.explained.help_audit", lang)
        return
    agent, action = asked.what.removeprefix("local:").partition(".")[0], asked.action or "*"
    named = {"who": asked.who, "what": asked.what, "agent": agent, "action": action}
    known = asked.who.startswith("did:")
    of_capability = not asked.what.startswith("did:")
    ways = [
        ("access", of_capability),
        ("role", known),
        ("team", of_capability and (known or asked.who.startswith("user:"))),
        ("grant", of_capability and known),
        ("policy", of_capability),
        ("policy_agent", not of_capability),
    ]
    for name, fits in ways:
        if fits:
            yield text(f"cli.explained.help_{name}", lang, **named)


def _joined(words: Sequence[str], lang: Lang) -> str:
    return text("cli.join", lang).join(words)
