"""Agents of a generated world as profiles of the product: what it may know of them, and nothing else."""

from __future__ import annotations

from typing import Any

from benchmarks.quality.catalogue import city_name
from benchmarks.quality.world import Agent, Service
from moothall.directory.profiles import AgentProfile


def card(agent: Agent) -> AgentProfile:
    """The profile as it is registered: everything the agent claims, true or not."""
    return _profile(agent, agent.services)


def true_card(agent: Agent) -> AgentProfile | None:
    """The profile as the agent knows itself, by which it decides; ``None`` when nothing of its claims is true."""
    services = tuple(service for service in agent.services if service.true)
    return _profile(agent, services) if services else None


def _profile(agent: Agent, services: tuple[Service, ...]) -> AgentProfile:
    return AgentProfile.model_validate(
        {
            "agent_id": agent.agent_id,
            "user_name": agent.name,
            "profile_summary": agent.about,
            "location": agent.city,
            "tags": [service.tag for service in services],
            "capabilities": {
                "max_roles": agent.max_roles,
                "calendar": {"blackout": sorted(day.isoformat() for day in agent.busy)},
                "offers": [_offer(service) for service in services],
            },
            "reservation": {"floors": {service.tag: service.floor for service in services}},
        }
    )


def _offer(service: Service) -> dict[str, Any]:
    return {
        "tag": service.tag,
        "title": service.tag,
        "price": service.ask,
        "unit": "person" if service.per_person else "event",
        "capacity": service.capacity,
        "travel_cities": [city_name(city, "en") for city in service.travel],
        "travel_fee": service.travel_fee,
        "min_attendees": 0,
        "conditions": _conditions(service),
    }


def _conditions(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if service.requires:
        found.append({"kind": "requires", "tag": service.requires})
    if service.min_attendees:
        found.append({"kind": "min_attendees", "value": service.min_attendees})
    if service.max_attendees is not None:
        found.append({"kind": "max_attendees", "value": service.max_attendees})
    if service.weekdays:
        found.append({"kind": "weekdays", "values": sorted(service.weekdays)})
    if service.lead_days:
        found.append({"kind": "lead_days", "value": service.lead_days})
    if service.min_fee:
        found.append({"kind": "min_fee", "value": service.min_fee})
    return found
