"""A set of policies that was read, checked and validated: what decisions are made with. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Literal, Self

import cedarpy

from moothall.canonical import digest
from moothall.errors import SettingsError
from moothall.policy.heads import Head, Scope, Uid, reads
from moothall.policy.nesting import fault
from moothall.policy.roles import inherited
from moothall.policy.rules import check_rule, written
from moothall.policy.sources import LAYERS, Layer, PolicyConfig, PolicySource

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}", re.ASCII)
_ANNOTATIONS: Final = frozenset({"id", "layer", "reason", "needs", "after"})
_DELEGATION: Final = "delegation"
_PARTS: Final = 512
"""Selections of policies that are kept ready."""
_RESOURCES: Final = 8192
"""Resources for which it is kept which policies may speak of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy.

    Attributes:
        id: unique in its set; in every decision that it takes part in.
        reason: why, in the words of who wrote it.
        needs: what a caller has to bring that it refuses (``approval``, ``purpose``); empty: nothing helps.
        late: whether it gives a right that a delegation goes before: one of a team, or with ``@after("delegation")``.
        source: the file or table that it comes from.
        volatile: whether it reads what changes from call to call (``context.call``).
        hears_approval: whether it reads ``context.approved``.
    """

    id: str
    layer: Layer
    effect: Literal["permit", "forbid"]
    reason: str
    needs: str
    late: bool
    source: str
    head: Head
    volatile: bool
    hears_approval: bool
    json: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The policies of a set that may speak of a call, as their heads have it."""

    cedar: cedarpy.PolicySet
    volatile: bool
    hears_approval: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PolicySet:
    """Policies with the schema that they fit, and the tables that go with them; never changed.

    Attributes:
        policies: by id.
        config: what they were made of.
        revision: a digest of all that decisions follow from.
        inherits: for each duty those that it contains, however indirectly, itself included.
        ranks: of policies by id: the lower one speaks first, the rights of teams and the like last.
    """

    policies: Mapping[str, Policy]
    config: PolicyConfig
    schema: cedarpy.Schema
    revision: str
    inherits: Mapping[str, frozenset[str]]
    ranks: Mapping[str, tuple[bool, int, int]]
    _selections: dict[frozenset[str], Selection] = field(default_factory=dict)
    _speaking: dict[tuple[Uid, Uid, frozenset[Uid]], tuple[frozenset[str], tuple[Policy, ...]]] = field(
        default_factory=dict
    )

    @classmethod
    def of(cls, config: PolicyConfig, builtin: Iterable[PolicySource], schema: str) -> Self:
        """Read and check them; ``builtin`` are sources of the package, of which the configured layers take part.

        Raises:
            SettingsError: a text is not Cedar, does not fit the schema, or breaks a rule of this module; a rule about
                capabilities sets what there is not; the hierarchy of duties has a cycle. It names the place.
        """
        own = [source for source in builtin if source.layer in config.builtin]
        sources = [*own, *config.sources]
        read = [_read_once(source, schema) for source in own] + [_read(source, schema) for source in config.sources]
        policies: dict[str, Policy] = {}
        for policy in chain.from_iterable(read):
            if policy.id in policies:
                raise _wrong(policy.source, f"the id {policy.id!r} is taken by {policies[policy.id].source}")
            policies[policy.id] = policy
        for rule in config.resources:
            check_rule(rule)
        texts = [[source.layer, source.name, source.text] for source in sources]
        return cls(
            policies=policies,
            config=config,
            schema=_schema(schema),
            revision=digest([schema, texts, *written(config)]),
            inherits=inherited(config.roles),
            ranks={
                policy.id: (policy.late, LAYERS.index(policy.layer), place)
                for place, policy in enumerate(policies.values())
            },
        )

    def selection(
        self,
        principal: tuple[Uid, Collection[Uid]],
        action: tuple[Uid, Collection[Uid]],
        resource: tuple[Uid, Collection[Uid]],
    ) -> Selection:
        """What may speak of such a call; each part is an entity with those that it is inside of."""
        key = (action[0], resource[0], frozenset(resource[1]))
        known = self._speaking.get(key)
        if known is None:
            if len(self._speaking) >= _RESOURCES:
                self._speaking.clear()
            known = self._speaking[key] = self._speak(action, resource)
        always, others = known
        chosen = always.union(policy.id for policy in others if policy.head.principal.admits(*principal))
        found = self._selections.get(chosen)
        if found is None:
            if len(self._selections) >= _PARTS:
                self._selections.clear()
            found = self._selections[chosen] = self._select(chosen)
        return found

    def _speak(
        self, action: tuple[Uid, Collection[Uid]], resource: tuple[Uid, Collection[Uid]]
    ) -> tuple[frozenset[str], tuple[Policy, ...]]:
        """Those that may speak of an action on a resource: of every caller, and of some."""
        heads = [
            policy
            for policy in self.policies.values()
            if policy.head.action.admits(*action) and policy.head.resource.admits(*resource)
        ]
        others = tuple(policy for policy in heads if policy.head.principal != Scope())
        return frozenset(policy.id for policy in heads) - {policy.id for policy in others}, others

    def _select(self, chosen: frozenset[str]) -> Selection:
        policies = [self.policies[name] for name in chosen]
        return Selection(
            cedar=_cedar(policies),
            volatile=any(policy.volatile for policy in policies),
            hears_approval=any(policy.hears_approval for policy in policies),
        )


def _cedar(policies: Iterable[Policy]) -> cedarpy.PolicySet:
    static = {policy.id: policy.json for policy in policies}
    return cedarpy.PolicySet.from_json_str(json.dumps({"staticPolicies": static, "templates": {}, "templateLinks": []}))


@lru_cache(maxsize=4)
def _schema(text: str) -> cedarpy.Schema:
    return cedarpy.Schema.from_str(text)


@lru_cache(maxsize=2 * len(LAYERS))
def _read_once(source: PolicySource, schema: str) -> tuple[Policy, ...]:
    """The policies of a text of the package, which is the same at every reading of the others."""
    return _read(source, schema)


def _read(source: PolicySource, schema: str) -> tuple[Policy, ...]:
    """The policies of one text."""
    if source.layer not in LAYERS:
        raise _wrong(source.name, f"there is no layer {source.layer!r}")
    if why := fault(source.text):
        raise _wrong(source.name, why)
    try:
        document = json.loads(cedarpy.policies_to_json_str(source.text))
        policies = tuple(_policy(policy, source) for policy in document["staticPolicies"].values())
    except ValueError as error:
        raise _wrong(source.name, str(error)) from error
    except RecursionError as error:
        why = "a policy has too many operators; a set with `in` or `contains` holds any number of names"
        raise _wrong(source.name, why) from error
    if document["templates"] or document["templateLinks"]:
        raise _wrong(source.name, "a policy has a slot (?principal, ?resource), which nothing would ever fill")
    found = cedarpy.validate_policies(source.text, _schema(schema))
    if not found.validation_passed:
        named = found.id_annotations_by_policy_id
        first = found.errors[0]
        raise _wrong(source.name, f"{named.get(first.policy_id, first.policy_id)}: {first.error}")
    return policies


def _policy(policy: dict[str, Any], source: PolicySource) -> Policy:
    marks: Mapping[str, str | None] = policy.get("annotations", {})
    name = marks.get("id") or ""
    if _ID.fullmatch(name) is None:
        raise _wrong(source.name, f"a policy needs an @id of letters, digits and _ . : - ({name!r})")
    if unknown := sorted(marks.keys() - _ANNOTATIONS):
        raise _wrong(source.name, f"{name}: there is no annotation @{unknown[0]}")
    layer = marks.get("layer") or source.layer
    if layer not in LAYERS:
        raise _wrong(source.name, f"{name}: there is no layer {layer!r}")
    if source.layer not in {layer, "custom"}:
        raise _wrong(source.name, f"{name}: the layer {layer!r} is not that of its file, {source.layer!r}")
    if marks.get("after", _DELEGATION) != _DELEGATION:
        raise _wrong(source.name, f"{name}: only @after({_DELEGATION!r}) means something")
    return Policy(
        id=name,
        layer=layer,
        effect=policy["effect"],
        reason=marks.get("reason") or "",
        needs=marks.get("needs") or "",
        late=layer == "team" or marks.get("after") == _DELEGATION,
        source=source.name,
        head=Head.of(policy),
        volatile=reads(policy, "call"),
        hears_approval=reads(policy, "approved"),
        json=policy,
    )


def _wrong(place: str, why: str) -> SettingsError:
    return SettingsError(f"{place}: {why}")
