"""What law and contracts forbid (row POL-09). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from moothall.policy.named.cedar import NOT_OPERATOR, capability, policy, texts
from moothall.policy.named.compliance_rules import Concerning, Hours, Purpose, Region, Retention
from moothall.policy.named.named_policy import Flag, Name, NamedPolicy
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"no time zone {zone!r}; names are those of IANA, like 'Europe/Berlin'"
        raise ValueError(message) from error
    return zone


class CompliancePolicy(NamedPolicy):
    """Calls that break a rule by region, purpose, retention or hours are refused, whoever makes them.

    Only the operator of the node stands above these rules, and for regions an agent of this node, which is where the
    data is. A region that a capability names and this table does not is nobody's.

    Example::

        [compliance]
        zone = "Europe/Berlin"
        restricted_needs_purpose = true

        [compliance.regions.eu]
        units = ["acme-eu"]
        hosts = ["agents.example.eu"]

        [[compliance.purposes]]
        capabilities = ["crm.*"]
        allowed = ["billing", "support"]

        [[compliance.retention]]
        capabilities = ["crm.history-2020"]
        until = 2031-01-01

        [[compliance.hours]]
        capabilities = ["bank.*"]
        days = ["mon", "tue", "wed", "thu", "fri"]
        start = 09:00:00
        end = 17:00:00
        closed = [2026-12-25]

    Attributes:
        zone: an IANA name: of hours, of closed days, and of days of retention.
        restricted_needs_purpose: whether calls of restricted data (class 3) must say what they are for.
    """

    zone: Annotated[str, AfterValidator(_known)] = "UTC"
    regions: Mapping[Name, Region] = Field(default_factory=dict)
    purposes: tuple[Purpose, ...] = ()
    retention: tuple[Retention, ...] = ()
    hours: tuple[Hours, ...] = ()
    restricted_needs_purpose: Flag = False

    def config(self) -> PolicyConfig:
        """One forbid for each rule, and traits for the capabilities that it concerns."""
        return PolicyConfig(
            sources=(PolicySource("compliance", "compliance", "\n".join(self._forbids())),),
            resources=tuple(
                ResourceRule(capabilities=ids, traits=frozenset({name}))
                for name, rule in self._concerning()
                for ids in rule.capabilities
            ),
            zone=self.zone,
        )

    def _concerning(self) -> Iterator[tuple[str, Concerning]]:
        """The rules about capabilities by pattern, with the trait that stands for each."""
        tables: Mapping[str, tuple[Concerning, ...]] = {
            "purpose": self.purposes,
            "retention": self.retention,
            "hours": self.hours,
        }
        for kind, rules in tables.items():
            yield from ((f"compliance:{kind}:{number}", rule) for number, rule in enumerate(rules, 1))

    def _forbids(self) -> Iterator[str]:
        zone = ZoneInfo(self.zone)
        for name, region in sorted(self.regions.items()):
            told = f"the data must not leave the region {name}"
            yield _forbid(f"compliance:region:{name}", f"{region.broken(name)} && {_ELSEWHERE}", told)
        known = f" && !{texts(self.regions)}.contains(resource.region)" if self.regions else ""
        unknown = f'resource.region != ""{known} && {_ELSEWHERE}'
        yield _forbid("compliance:region", unknown, "nobody is known to be in the region of this data")
        for name, rule in self._concerning():
            if isinstance(rule, Purpose):
                told = f"the call must be for one of: {', '.join(sorted(rule.allowed))}"
                yield _forbid(name, rule.broken(), told, trait=name, needs="purpose")
            elif isinstance(rule, Retention):
                yield _forbid(name, rule.broken(zone), "the time to keep this data is over", trait=name)
            elif isinstance(rule, Hours):
                yield _forbid(name, f"({rule.broken(zone)})", "calls are not allowed at this time", trait=name)
        if self.restricted_needs_purpose:
            told = "restricted data needs a purpose"
            yield _forbid(
                "compliance:restricted", 'context.call.purpose == ""', told, trait="restricted", needs="purpose"
            )


_ELSEWHERE: Final = "!(context.self || principal.acts && context.own)"


def _forbid(name: str, when: str, reason: str, *, trait: str = "", needs: str = "") -> str:
    head = f"principal, action, {capability(trait)}"
    return policy(name, "forbid", head, f"{when} && {NOT_OPERATOR}", reason=reason, needs=needs)
