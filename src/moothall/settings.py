"""What can be set, and where from: the call, then the environment, then ``moothall.toml``, then the default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from moothall.errors import SettingsError

_PREFIX = "MOOTHALL_"
_FILE = "moothall.toml"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


def _named_by_spec(name: str) -> AliasChoices:
    """A variable that the specification names, with or without our prefix; the file has it in small letters."""
    return AliasChoices(name, f"{_PREFIX}{name}", name.lower())


def _timeout(prompt: int) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    return Field(
        None,
        validation_alias=_named_by_spec(f"LLM_TIMEOUT_P{prompt}"),
        description=f"seconds for prompt {prompt}, in place of LLM_TIMEOUT",
    )


class Settings(BaseSettings):
    """The settings of a node.

    The file is ``<data>/moothall.toml``, or the one in the working directory when the first is not there; its keys are
    the names below. An environment variable that is empty counts as not set.

    Raises:
        SettingsError: a value does not fit, or the file cannot be read or names something unknown.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    data: Path = Field(Path(".moothall"), description="folder of the store and of the node's own files")
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8420, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    database_url: str = Field(
        "", repr=False, description="empty: SQLite at `<data>/moothall.db`; else `postgresql://…`"
    )
    public_url: str = Field("", description="`http(s)://…`: how others reach this node, when not by host and port")
    tls_cert: str = Field("", description="file of the certificate chain (PEM): the node speaks https")
    tls_key: str = Field("", description="file of its private key (PEM)")
    egress_allow: str = Field(
        "",
        description="comma list of hosts (`host`, `host:port`) that may be called although their address is not public;"
        " `http://localhost:8420` lets a host on loopback speak http, too",
    )
    egress_ca: str = Field("", description="file of further certificate authorities (PEM) for outgoing calls")
    allow_legacy_did: bool = Field(default=False, description="accept DIDs that do not contain their key's fingerprint")
    allow_didwba_header: bool = Field(
        default=False, description="accept the older `Authorization: DIDWba`, which does not cover the request"
    )
    public_descriptions: bool = Field(
        default=True,
        description="show what the agents can do to strangers, too; off: to callers who prove who they are",
    )
    permissions: dict[str, tuple[str, ...]] = Field(
        {}, description="table in the file: a DID or `user:NAME` and what it was granted"
    )
    suspended: tuple[str, ...] = Field((), description="list in the file: DIDs that are refused whatever they may")
    capabilities: dict[str, dict[str, Any]] = Field(
        {}, description="tables in the file: options of capabilities by name, before the decorator's"
    )
    mcp: dict[str, dict[str, Any]] = Field(
        {}, description="tables in the file: MCP servers that this node may call, by name"
    )
    a2a: dict[str, dict[str, Any]] = Field(
        {}, description="tables in the file: A2A agents and plain JSON services that this node may call, by name"
    )
    refresh_interval: float = Field(
        300.0,
        ge=0,
        allow_inf_nan=False,
        description="seconds after which places elsewhere are read again; 0: only when asked",
    )
    crawl_depth: int = Field(3, ge=0, le=10, description="links in a row that are followed from such a place")
    crawl_documents: int = Field(500, ge=1, description="documents that one look around may ask for")
    crawl_bytes: int = Field(32 * 1024 * 1024, ge=1024, description="bytes that they may have together")
    crawl_seconds: Seconds = Field(45.0, description="seconds that it may take")
    mcp_sessions: int = Field(
        0,
        ge=0,
        description="sessions that MCP clients of the older protocol may have open; 0: none, every request by itself",
    )
    task_days: float = Field(
        7.0, ge=0, allow_inf_nan=False, description="days after which an ended A2A task is forgotten; 0: never"
    )
    policy_dir: Path | None = Field(
        None, description="where the files of policies and people are; empty: `<data>/policy`"
    )
    conceal: bool = Field(
        default=False,
        description="who may not call something hears that there is no such thing, also where it proved who it is",
    )
    audit_days: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="days after which records of the audit trail are erased; 0: never"
    )
    max_call_body: int = Field(4 * 1024 * 1024, ge=1024, description="bytes of a call's arguments")
    call_threads: int = Field(64, ge=1, description="synchronous capabilities that may run at once")
    caller_limit: int = Field(6000, ge=0, description="calls that one caller may make in a minute; 0: no limit")
    address_limit: int = Field(
        6000, ge=0, description="calls in a minute that one address may make without proof of identity; 0: no limit"
    )
    max_hops: int = Field(8, ge=1, description="capabilities and nodes that one call may pass through")
    auto_balancing: Literal["least_latency", "round_robin"] = Field(
        "least_latency", description="which of equal providers a request in words (`auto:`) goes to"
    )
    auto_confirmed: tuple[str, ...] = Field(
        (), description="list in the file: patterns of targets that change something and `auto:` calls without asking"
    )
    sqlite_synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL", description="`FULL`: no acknowledged event is lost in a power cut either"
    )
    response_timeout: Seconds = Field(
        300.0, validation_alias=_named_by_spec("RESPONSE_TIMEOUT"), description="seconds that offers may take"
    )
    feedback_timeout: Seconds = Field(
        120.0,
        validation_alias=_named_by_spec("FEEDBACK_TIMEOUT"),
        description="seconds that a round's feedback may take",
    )
    feedback_timeout_policy: Literal["accept", "abstain", "withdraw"] = Field(
        "accept", validation_alias=_named_by_spec("FEEDBACK_TIMEOUT_POLICY"), description="what silence counts as"
    )
    subnet_timeout: Seconds = Field(60.0, description="seconds that a sub-negotiation may take")
    subnet_min_importance: int = Field(60, ge=0, le=100, description="a gap below it opens no sub-negotiation")
    subnet_min_gain: Share = Field(0.15, description="nor does an expected gain below it")
    subnet_min_benefit: float = Field(
        1.5, ge=0, allow_inf_nan=False, description="nor a ratio of benefit to cost below it"
    )
    subnet_max_cost_share: Share = Field(0.30, description="nor a cost above this share of the whole")
    confirm_timeout: Seconds = Field(
        86_400.0, description="seconds that a demand waits for its requester's confirmation"
    )
    anthropic_api_key: str = Field(
        "",
        repr=False,
        validation_alias=_named_by_spec("ANTHROPIC_API_KEY"),
        description="set: Anthropic's models decide",
    )
    anthropic_base_url: str = Field(
        "https://api.anthropic.com",
        validation_alias=_named_by_spec("ANTHROPIC_BASE_URL"),
        description="where Anthropic's API, or a proxy that speaks it, is",
    )
    openai_api_key: str = Field(
        "", repr=False, validation_alias=_named_by_spec("OPENAI_API_KEY"), description="set: OpenAI's models decide"
    )
    openai_base_url: str = Field(
        "https://api.openai.com/v1",
        validation_alias=_named_by_spec("OPENAI_BASE_URL"),
        description="where OpenAI's API, or a server that speaks it, is",
    )
    azure_openai_api_key: str = Field(
        "",
        repr=False,
        validation_alias=_named_by_spec("AZURE_OPENAI_API_KEY"),
        description="set: a deployment on Azure OpenAI decides",
    )
    azure_openai_endpoint: str = Field(
        "", validation_alias=_named_by_spec("AZURE_OPENAI_ENDPOINT"), description="the resource's `https://…` address"
    )
    azure_openai_deployment: str = Field(
        "", validation_alias=_named_by_spec("AZURE_OPENAI_DEPLOYMENT"), description="the deployment's name"
    )
    azure_openai_api_version: str = Field(
        "2024-10-21", validation_alias=_named_by_spec("AZURE_OPENAI_API_VERSION"), description="the API's version"
    )
    openrouter_api_key: str = Field(
        "",
        repr=False,
        validation_alias=_named_by_spec("OPENROUTER_API_KEY"),
        description="set: OpenRouter's models decide",
    )
    openrouter_base_url: str = Field(
        "https://openrouter.ai/api/v1",
        validation_alias=_named_by_spec("OPENROUTER_BASE_URL"),
        description="where OpenRouter's API is",
    )
    openrouter_model: str = Field(
        "", validation_alias=_named_by_spec("OPENROUTER_MODEL"), description="the model there, in place of LLM_MODEL"
    )
    llm_provider: Literal["", "anthropic", "openai", "azure", "openrouter", "none"] = Field(
        "",
        validation_alias=_named_by_spec("LLM_PROVIDER"),
        description="which provider; empty: the first in this list with a key; `none`: the rules decide",
    )
    llm_model: str = Field(
        "claude-sonnet-4-5-20250929",
        min_length=1,
        validation_alias=_named_by_spec("LLM_MODEL"),
        description="the model's name at the provider",
    )
    llm_timeout: Seconds = Field(
        10.0, validation_alias=_named_by_spec("LLM_TIMEOUT"), description="seconds that a model may take for an answer"
    )
    llm_timeout_text: Seconds | None = Field(
        None,
        validation_alias=_named_by_spec("LLM_TIMEOUT_TEXT"),
        description="seconds for a whole text, such as a protocol or code; empty: six times LLM_TIMEOUT",
    )
    llm_timeout_p1: Seconds | None = _timeout(1)
    llm_timeout_p2: Seconds | None = _timeout(2)
    llm_timeout_p3: Seconds | None = _timeout(3)
    llm_timeout_p4: Seconds | None = _timeout(4)
    llm_timeout_p5: Seconds | None = _timeout(5)
    llm_timeout_p6: Seconds | None = _timeout(6)
    llm_timeout_p7: Seconds | None = _timeout(7)
    llm_timeout_p8: Seconds | None = _timeout(8)
    llm_timeout_p9: Seconds | None = _timeout(9)
    llm_failure_threshold: int = Field(
        3,
        ge=1,
        validation_alias=_named_by_spec("LLM_FAILURE_THRESHOLD"),
        description="failures in a row after which the model is left alone",
    )
    llm_recovery_timeout: Seconds = Field(
        30.0,
        validation_alias=_named_by_spec("LLM_RECOVERY_TIMEOUT"),
        description="seconds after which one call tries whether the model is back",
    )
    llm_strict: bool = Field(
        default=False,
        validation_alias=_named_by_spec("LLM_STRICT"),
        description="a demand that the model cannot understand is refused (503, 504) instead of left to the rules",
    )
    llm_concurrency: int = Field(32, ge=1, description="calls of the model that may be under way at once")
    embeddings_model: str = Field(
        "", description="a model whose vectors of texts help to find; empty: search sends nothing anywhere"
    )
    embeddings_base_url: str = Field("", description="`http(s)://…` of OpenAI's embeddings API; empty: OPENAI_BASE_URL")
    embeddings_api_key: str = Field(
        "", repr=False, description="its key; empty: OPENAI_API_KEY, if the address is that of OPENAI_BASE_URL"
    )
    embeddings_size: int = Field(1_536, ge=1, le=8_192, description="numbers in a vector of that model")
    embeddings_timeout: Seconds = Field(3.0, description="seconds that a search waits for vectors at most")
    enable_meta_frames: bool = Field(
        default=False, description="negotiate protocols over WebSocket frames, too, at `/agents/NAME/frames`"
    )
    negotiation_rounds: int = Field(10, ge=2, description="messages that two agents may take to agree on a protocol")
    negotiation_timeout: Seconds = Field(300.0, description="seconds that such a negotiation may take")
    message_timeout: Seconds = Field(60.0, description="seconds that the other side may take for one message of it")
    code_generation_timeout: Seconds = Field(60.0, description="seconds that the other side may take for its code")
    negotiation_llm_calls: int = Field(40, ge=0, description="calls of a language model that it may take")
    negotiation_tokens: int = Field(200_000, ge=0, description="tokens that it may take; 0: not counted")
    codegen: Literal["auto", "schema"] = Field(
        "auto", description="`schema`: code for agreed protocols is made from their schemas alone, never by a model"
    )
    sandbox_workers: int = Field(4, ge=1, le=64, description="processes that run generated code")
    sandbox_seconds: Seconds = Field(2.0, description="seconds that generated code may run for one call")
    sandbox_memory: int = Field(64 * 1024 * 1024, ge=8 * 1024 * 1024, description="bytes of memory that it may use")
    sandbox_calls: int = Field(50, ge=0, description="calls of capabilities that it may make in one call")
    repair_rounds: int = Field(3, ge=0, description="times that a model may mend code that did not pass its gate")
    canary_share: Share = Field(
        0.0, description="share of calls that a new version of a generated service gets at first; 0: all at once"
    )
    service_error_rate: Share = Field(
        0.5, description="share of failed calls at which a generated service is rolled back or switched off"
    )
    service_latency: Seconds = Field(
        5.0, description="seconds (95th percentile) at which a generated service is rolled back or switched off"
    )
    realtime_connections: int = Field(
        4_096, ge=1, description="connections for real time that may be open at once; see [realtime](realtime.md)"
    )
    realtime_per_identity: int = Field(16, ge=1, description="of these, those of one identity")
    realtime_unproved: int = Field(64, ge=1, description="of these, those that have not proved yet who they are")
    realtime_unproved_per_address: int = Field(8, ge=1, description="of these, those from one address")
    realtime_subscriptions: int = Field(
        60, ge=0, description="times in a minute that one identity may turn to something else; 0: no limit"
    )
    mailbox_messages: int = Field(1_000, ge=1, description="messages that wait for one agent at most")
    mailbox_bytes: int = Field(4 * 1024 * 1024, ge=1_024, description="bytes that they may have together")
    mailbox_days: Seconds = Field(7.0, description="days after which one that nobody read goes")
    mailbox_share: Share = Field(
        0.25, gt=0, description="share of a mailbox that one sender's unread messages may have"
    )
    personal_agent_url: str = Field(
        "", description="`http(s)://…` of a personal-agent service (SecondMe) that understands its users' demands"
    )
    personal_agent_key: str = Field("", repr=False, description="the key it asks for, sent as a bearer token")
    personal_agent_users: str = Field("", description="comma list of the users it knows; empty: everybody")
    api_keys: str = Field(
        "", repr=False, description="comma list of `user:key`; set: who calls without a key is refused"
    )
    admin_api_key: str = Field(
        "",
        repr=False,
        validation_alias=_named_by_spec("ADMIN_API_KEY"),
        description="key of the admin API, sent as X-Admin-Key; empty: only the node's owner gets in",
    )
    rate_limit: int = Field(60, ge=0, description="demands that one user of a key may submit in a minute; 0: no limit")
    cors_origins: str = Field(
        "http://localhost:3000,http://localhost:5173",
        validation_alias=_named_by_spec("CORS_ORIGINS"),
        description="comma list of the origins whose pages may use the API",
    )
    stream_alias: bool = Field(default=True, description="serve the old path of the event stream, too")
    retention_days: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="days after which an ended negotiation is erased; 0: never"
    )
    demo_agents: bool = Field(default=True, description="fill an empty registry with the invented agents")
    lang: Literal["", "zh", "en"] = Field("", description="`zh` or `en`; empty: the system's language")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    lease_seconds: Seconds = Field(10.0, description="how long a worker holds a run without a sign of life")
    sweep_seconds: Seconds = Field(2.0, description="how often a worker looks for runs to take up")
    max_open_runs: int = Field(1000, ge=1, description="negotiations that may be open at once")
    max_open_per_user: int = Field(
        100, ge=1, description="negotiations that one user of a key may have open at once; not counted without keys"
    )
    max_streams: int = Field(10_000, ge=1, description="event streams that may be open at once")

    @field_validator("*", mode="before")
    @classmethod
    def _no_bool_is_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuse ``port = true``, which Python would take for 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("true and false are no value for it")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_of_the_web(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
                raise ValueError("it is no http:// or https:// address with a host")
        return value

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - the types of the fields, which pydantic checks
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _readable(error) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a .env file of another program is not ours to read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nothing of ours lives in a secrets folder
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence, strongest first."""
        data = init_settings().get("data") or os.environ.get(variable("data")) or cls.model_fields["data"].default
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=_file(Path(data)))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"{_PREFIX}{name.upper()}"


def unknown_variables(names: Iterable[str]) -> list[str]:
    """The names among those of an environment that look like ours and set nothing, such as misspelt ones."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in names if name.upper().startswith(_PREFIX) and name.upper() not in known)


def load_settings(**values: object) -> Settings:
    """The settings with what was passed on top; None counts as not passed.

    Raises:
        SettingsError: as `Settings`.
    """
    return Settings(**{name: value for name, value in values.items() if value is not None})


def _file(data: Path) -> dict[str, Any]:
    path = Path(_FILE)
    try:
        path = next((path for path in (data / _FILE, path) if path.exists()), path)
        if not path.exists():
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"{path} cannot be read", why=str(error)) from error


def _readable(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    given = ".".join(str(part) for part in first["loc"])
    name = next((name for name in Settings.model_fields if given.upper().removeprefix(_PREFIX) == name.upper()), None)
    if name is None:
        return SettingsError(f"there is no setting {given!r}", details={"setting": given})
    if first["type"] == "extra_forbidden":
        return SettingsError(
            f"there is no setting {given!r} in {_FILE}",
            hint=f"write it as {name}; {variable(name)} is the environment variable",
            details={"setting": given},
        )
    return SettingsError(
        f"the setting {name} does not fit",
        why=first["msg"],
        hint=f"set {variable(name)} or {name} in {_FILE}: {Settings.model_fields[name].description}",
        details={"setting": name, "variable": variable(name)},
    )
