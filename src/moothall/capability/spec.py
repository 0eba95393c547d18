"""What a capability is, apart from its code: an immutable description that every door reads. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Exposure = Literal["local", "net", "llm"]
Access = Literal["owner", "personal", "team", "department", "enterprise", "authenticated", "public"]
Action = Literal["read", "query", "notify", "schedule", "write", "delete", "manage", "audit"]
Template = Literal["api", "message", "group", "mcp", "a2a"]
Kind = Literal["tool", "resource", "prompt"]
JsonObject = dict[str, Any]

Completer = tuple[str, ...] | Callable[[str], Iterable[str] | Awaitable[Iterable[str]]]
"""Values that an argument may have, or what finds those for the beginning of one."""

UNLISTED: Final = "unlisted"
"""The tag of capabilities that no listing shows: whoever knows their names may call them, as far as they may."""

FACADE: Final = "facade"
"""The tag of tools that call other capabilities: nobody who looks for a capability means one of these."""

UNITS: Final[Mapping[str, float]] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Rate:
    """``calls`` in every ``seconds``, for each caller (option ``rate_limit``, ``N/unit``)."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a caller may know about the effects of a call, as MCP's tools announce it."""

    read_only: bool = False
    destructive: bool = False
    open_world: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a body comes from that a language model wrote (row DEC-13).

    Attributes:
        prompt_hash: ``sha256:…`` of what the model was told.
        model: its name.
        version: of the generated body that answers now.
    """

    prompt_hash: str
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of a generated body: where it comes from, and whether it may be seen outside of this process."""

    provenance: Provenance | None = None
    published: bool = False


NOT_MADE: Final = Made()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilitySpec:
    """The options of spec B, checked, with everything inferred that was not said.

    Attributes:
        name: what it is called at its agent; letters, digits, ``_``, ``-`` and ``.``.
        version: a semantic version.
        description: the first paragraph of the docstring, or what was given.
        source: where the work is done: ``local``, ``mcp``, ``a2a``, ``did``, ``llm``, ``auto``, or a plug-in's name.
        exposure: the doors: ``local`` in this process, ``net`` the network, ``llm`` as a tool for models.
        auth: whether network callers must prove who they are.
        access: whom that proof lets in: who acts for the node's owner; the other agents of the same person; members of
            the agent's team, department or organisation; everybody. Callers who hold all of `permissions`, if there are
            any, always get in. Policies may let in others, and keep out any of them.
        binding: ``request`` refuses callers whose proof does not cover the request (bearer tokens, old headers).
        approval: whether a call waits for somebody's approval.
        workflow: the steps of that approval, by the name that the operator's file gives them; empty: the usual ones.
        action: what it does, for policies; empty: told by `annotations` (`acts`).
        classification: of the data: 0 public, 1 internal, 2 confidential, 3 restricted.
        personal_data: whether only the person whose agent has it, and whom that person consented to, may have it.
        private: fields of the answer that only the person whose agent has it sees: names, or dotted paths.
        min_trust: trust that a caller of somebody else needs, 1 to 10; 0: any.
        region: where the data has to stay, for rules of compliance.
        quota: calls that one caller may make in a day; 0: not limited.
        timeout: seconds, for the whole call with its repetitions.
        retry: repetitions after the first attempt.
        cache_ttl: seconds; 0: never cached.
        idempotent: whether it may be repeated without harm.
        ai_optimized: whether arguments may lie in ``params``, ``body`` or at the top level of a request.
        ai_enhanced: whether a model finds its arguments where its caller says in words what is wanted.
        remote: options of the source: ``server``, ``endpoint``, ``did``, ``method``, ``http_method``, ``prompt``, …
        path, methods: the address of its own that `api_service` gives it, and the verbs there.
        include_metadata, enable_cors: options of the HTTP door.
        fallback: whether the body runs when the source has failed.
        kind: what it is where tools, resources and prompts are told apart; everywhere else it is called like any other.
        uri: of a resource, its URI, or a template whose variables are the parameters.
        mime_type: of a resource, what it consists of; empty: told by the type of the result.
        completions: what helps people to fill in an argument, by its name.
        auto_publish: whether a generated body is published as soon as it passed its gate and a person approved it.
        provenance: of a generated body, where it comes from; None: there is none (yet).
        group_id: of a handler of group events, the group; empty: every group that its agent is in.
        group_events: of the same, the types of events that it takes; empty: all.
        broadcast_result: whether all others in the group are told what such a handler returns.
    """

    name: str
    version: str = "1.0.0"
    description: str = ""
    tags: tuple[str, ...] = ()
    source: str = "local"
    template: Template | str = "api"
    exposure: frozenset[Exposure] = frozenset({"local", "net"})
    auth: bool = True
    access: Access = "owner"
    permissions: tuple[str, ...] = ()
    binding: Literal["any", "request"] = "any"
    approval: bool = False
    workflow: str = ""
    action: Action | Literal[""] = ""
    classification: int = 0
    personal_data: bool = False
    private: tuple[str, ...] = ()
    min_trust: int = 0
    region: str = ""
    quota: int = 0
    timeout: float = 30.0
    retry: int = 0
    cache_ttl: float = 0.0
    rate_limit: Rate | None = None
    idempotent: bool = False
    annotations: Annotations = Annotations()
    ai_optimized: bool = True
    ai_enhanced: bool = False
    remote: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    methods: tuple[str, ...] = ("POST",)
    include_metadata: bool = False
    enable_cors: bool = False
    fallback: bool = False
    kind: Kind = "tool"
    uri: str = ""
    mime_type: str = ""
    completions: Mapping[str, Completer] = field(default_factory=dict)
    auto_publish: bool = False
    provenance: Provenance | None = None
    group_id: str = ""
    group_events: tuple[str, ...] = ()
    broadcast_result: bool = False

    @property
    def generated(self) -> bool:
        """Whether a language model writes its body, once; other capabilities of source ``llm`` are planned anew."""
        return self.source == "llm" and (self.auto_publish or "prompt" in self.remote)

    @property
    def public(self) -> bool:
        """Whether it asks nobody who they are."""
        return not self.auth or self.access == "public"

    @property
    def acts(self) -> Action:
        """What it does, for policies: as it says, else what its annotations tell."""
        if self.action:
            return self.action
        if self.template in {"group", "message"}:
            return "notify"
        if self.annotations.read_only:
            return "read"
        return "delete" if self.annotations.destructive else "write"
