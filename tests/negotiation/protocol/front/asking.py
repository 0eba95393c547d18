"""Requests at the front door, whole, and what an agent offers there."""

from __future__ import annotations

from typing import Any

from moothall.negotiation.protocol.bodies import NegotiateBody, NegotiateMeta, read
from moothall.negotiation.protocol.offers import FrontTerms, Interface, Offer

ALICE = "did:wba:here.example:agents:alice"
BOB = "did:wba:there.example:agents:bob"

RPC = Interface(
    id="interface.openrpc",
    kind="StructuredInterface",
    protocol="openrpc",
    profile="anp.rpc.v1",
    url="https://there.example/agents/bob/rpc",
    modes=("direct_structured_call", "stream"),
    refs=("https://there.example/agents/bob/interface.json",),
)
A2A = Interface(
    id="interface.a2a",
    kind="StructuredInterface",
    protocol="A2A",
    profile="a2a.task.v1",
    url="https://there.example/agents/bob/a2a",
    modes=("async_task", "direct_structured_call"),
)
TERMS = FrontTerms(interfaces=(RPC, A2A))

FORECAST = Offer(
    name="weather.forecast",
    description="The forecast of the weather for a city",
    tags=("weather", "forecast"),
    request={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    response={"type": "object"},
    timeout_ms=30_000,
)
ALERTS = Offer(name="weather.alerts", description="Warnings as they come", tags=("weather",), streams=True)
PAY = Offer(name="pay", description="Send money to somebody", approval=True)
OFFERS = (FORECAST, ALERTS, PAY)


def meta_of(**other: Any) -> dict[str, Any]:
    said = {
        "profile": "anp.meta.negotiation.v1",
        "security_profile": "transport-protected",
        "sender_did": ALICE,
        "target": {"kind": "agent", "did": BOB},
        "operation_id": "op-1",
        "created_at": "2026-11-22T12:00:00Z",
        "content_type": "application/json",
    }
    return said | other


def body_of(**other: Any) -> dict[str, Any]:
    """The whole sample of the note; members are replaced, those of objects one by one."""
    said: dict[str, Any] = {
        "negotiation_id": "n-1",
        "mode": "structured_selection",
        "intent": {"name": "weather.forecast", "description": "", "intentTags": [], "inputSummary": "a city"},
        "requiredCapabilities": [],
        "callerCapabilities": {
            "supportedProfiles": [],
            "supportedSecurityProfiles": [],
            "supportedContentTypes": [],
            "supportedExecutionModes": [],
            "limits": {},
        },
        "constraints": {
            "preferredInterfaceTypes": [],
            "requiresHumanAuthorization": False,
            "maxLatencyMs": 60000,
            "allowNaturalLanguageFallback": False,
            "requiredSecurityProfile": "transport-protected",
            "preferredContentTypes": [],
        },
        "candidateInterfaceRefs": [],
        "candidateProtocols": [],
    }
    for name, value in other.items():
        said[name] = said[name] | value if isinstance(value, dict) else value
    return said


def meta(**other: Any) -> NegotiateMeta:
    return read(NegotiateMeta, meta_of(**other), "meta")


def body(**other: Any) -> NegotiateBody:
    return read(NegotiateBody, body_of(**other), "body")
