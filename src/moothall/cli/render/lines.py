"""One line per event and a few more for the understanding, for logs, pipes and terminals that do not redraw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from moothall.cli.render.understood import limits_of
from moothall.cli.render.view import JsonObject, View
from moothall.messages import Lang, text

_INDENT = " " * 10
Values = Mapping[str, object]
_COLONS = ": ："
"""What stands before somebody's words; who said nothing has none of it."""

_WORDS = 160
"""Characters of somebody's words in one line."""


def line_of(event: JsonObject, before: View, lang: Lang) -> str:
    """The line for ``event``, with the seconds since the first one; ``before`` is the view up to it."""
    kind = event["event_type"].removeprefix("towow.")
    payload = event["payload"]
    known = _VALUES.get(kind)
    told = kind if known is None else text(f"cli.line.{kind}", lang, **_spoken(known(payload, before), lang))
    return f"{_elapsed(before.started or event['timestamp'], event['timestamp']):>8}  {told.rstrip(_COLONS)}"


def details_of(event: JsonObject, lang: Lang) -> list[str]:
    """Lines below that of an understood or confirmed demand: what it asks for in particular, and what is unclear."""
    payload: JsonObject = event["payload"]
    if event["event_type"] == "towow.demand.confirmed":
        payload = payload["understanding"]
    elif event["event_type"] != "towow.demand.understood":
        return []
    told = [limits] if (limits := limits_of(payload, lang)) else []
    if unclear := payload.get("uncertainties"):
        told.append(text("cli.plan.unclear", lang, what=text("cli.join", lang).join(unclear)))
    return [_INDENT + line for line in told]


def _spoken(values: Values, lang: Lang) -> dict[str, object]:
    """Values ready to be read: words of the vocabulary translated, long speeches shortened, lists joined."""
    told: dict[str, object] = {}
    for name, value in values.items():
        if name in {"state", "confidence", "outcome"}:
            told[name] = word(name, str(value), lang)
        elif isinstance(value, list | tuple):
            told[name] = text("cli.join", lang).join(map(str, value)) or text("cli.nothing", lang)
        else:
            told[name] = _shortened(value) if isinstance(value, str) else value
    return told


def word(kind: str, value: str, lang: Lang) -> str:
    """A word of the protocol in the person's language; a word we do not know stays as it is."""
    try:
        return text(f"cli.{kind}.{value}", lang)
    except KeyError:
        return value


def _shortened(value: str) -> str:
    return value if len(value) <= _WORDS else value[: _WORDS - 1] + "…"


def _elapsed(start: str, stamp: str) -> str:
    seconds = (datetime.fromisoformat(stamp) - datetime.fromisoformat(start)).total_seconds()
    return f"+{seconds:.2f}s"


def _offer(payload: JsonObject, view: View) -> Values:
    words = payload.get("contribution") or payload.get("decline_reason", "")
    done = view.with_agent(payload, state=payload.get("decision", "participate"))
    return {
        "name": payload.get("display_name", ""),
        "state": payload.get("decision", ""),
        "words": words,
        "offers": done.offers,
        "invited": done.invited,
    }


def _feedback(payload: JsonObject, view: View) -> Values:
    state = f"{payload.get('feedback_type', '')}{'_silently' if payload.get('by_default') else ''}"
    words = payload.get("adjustment_request") or payload.get("reasoning", "")
    name = payload.get("display_name") or view.name_of(payload.get("agent_id", ""))
    return {"name": name, "state": state, "words": words}


def _plan(payload: JsonObject, view: View) -> Values:
    plan = payload.get("proposal") or payload.get("final_proposal") or {}
    people = [row.get("display_name", "") for row in plan.get("assignments", ())]
    return {
        "round": payload.get("round", payload.get("rounds_taken", view.round)),
        "rounds": payload.get("max_rounds", view.max_rounds),
        "people": list(dict.fromkeys(people)),
        "outcome": payload.get("consensus", "full"),
    }


def _pick(*names: str) -> Callable[[JsonObject, View], Values]:
    return lambda payload, _view: {name: payload.get(name, "") for name in names}


def _gap(payload: JsonObject, _: View) -> Values:
    return {"gaps": [row.get("gap_type", "") for row in payload.get("gaps", ())]}


def _failed(payload: JsonObject, _: View) -> Values:
    code: Any = payload.get("code", "")
    return {"reason": payload.get("message") or payload.get("reason", ""), "code": f" [{code}]" if code else ""}


_VALUES: Mapping[str, Callable[[JsonObject, View], Values]] = MappingProxyType(
    {
        "demand.submitted": _pick("demand_id", "raw_input"),
        "demand.understood": _pick("surface_demand", "capability_tags", "confidence"),
        "demand.confirmed": lambda payload, _: {"capability_tags": payload["understanding"].get("capability_tags", ())},
        "filter.completed": _pick("candidates_count"),
        "channel.created": _pick("channel_id", "participants_count"),
        "demand.broadcast": _pick("recipients_count"),
        "offer.submitted": _offer,
        "aggregation.started": _pick("offers_count"),
        "proposal.distributed": _plan,
        "proposal.feedback": _feedback,
        "feedback.evaluated": _pick("accepts", "negotiates", "rejects", "round"),
        "negotiation.round_started": _pick("round", "max_rounds"),
        "negotiation.bargain": _pick("display_name", "content"),
        "agent.withdrawn": _pick("display_name", "reason"),
        "substitute.invited": _pick("display_name", "reason"),
        "substitute.answered": _feedback,
        "gap.identified": _gap,
        "subnet.triggered": _pick("sub_demand_id", "gap_type"),
        "subnet.completed": _pick("sub_demand_id", "outcome"),
        "proposal.finalized": _plan,
        "negotiation.failed": _failed,
    }
)
