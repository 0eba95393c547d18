"""The providers of language models: Anthropic, OpenAI and what speaks its language, Azure OpenAI, OpenRouter.

The only module that imports their SDKs and pydantic-ai, and only when a model is asked or warmed: loading them takes
seconds, and a node without a model never needs them.

What goes out, and where to, is settled in ``outgoing``.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from moothall.llm.choice import Provider
from moothall.llm.model import ModelFailure, Question, Reply, Tool
from moothall.llm.outgoing import outgoing_client
from moothall.llm.rehearsal import QUESTION as REHEARSAL
from moothall.llm.rehearsal import rehearsing, rehearsing_client
from moothall.telemetry import logger

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as SdkModel
    from pydantic_ai.models import ModelRequestParameters

MAX_OUTPUT_TOKENS: Final = 8192
"""The longest answer of the nine, a plan or a filter of many agents, takes about half of it."""

_OUTAGES: Final = frozenset({401, 402, 403, 404, 408, 429})
"""Refusals below 500 that say something about every call, so that they count for the breaker.

A wrong key, an empty account or an unknown model fail all calls alike until the operator acts: an open breaker spares
the provider calls that cannot succeed, and its metric raises the alarm. Any other (400, 413, 422) may be the fault of
one question, which must not take the model away from everybody else.
"""

_log = logger("llm")


@dataclass(frozen=True, slots=True)
class _Line:
    """An open line to a provider."""

    model: SdkModel
    http: httpx2.AsyncClient


class ProviderModel:
    """The configured model behind the port :class:`~moothall.llm.model.Model`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._line: _Line | None = None
        self._opening: asyncio.Task[_Line] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._reported: set[int] = set()

    @property
    def provider(self) -> str:
        """The provider's short name."""
        return self._provider.name

    @property
    def name(self) -> str:
        """The model's name there."""
        return self._provider.model

    async def warm(self) -> None:
        """Load the SDK and build its client, in a thread."""
        await self._opened()

    async def ask(self, question: Question) -> Reply:
        """Send one request and read its reply.

        Raises:
            ModelFailure: no usable reply.
        """
        from pydantic_ai.exceptions import AgentRunError  # noqa: PLC0415 - loaded lazily, see above

        line = await self._opened()
        try:
            reply = await _exchange(line.model, question)
        except (AgentRunError, ValueError) as error:
            self._report(error)
            raise _failure(error) from None  # the cause holds the request with the key, and what the provider wrote
        self._reported.clear()
        return reply

    async def aclose(self) -> None:
        """Close its connections; the next question opens them again."""
        opening, self._opening = self._opening, None
        line, self._line = self._line, None
        if opening is not None:
            opening.add_done_callback(self._discard)  # what a thread imports cannot be broken off
        if line is not None:
            await line.http.aclose()

    async def _opened(self) -> _Line:
        """The open line. One thread builds it for all who wait, and goes on with that when one of them gives up."""
        if self._line is None:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.create_task(asyncio.to_thread(_open, self._provider), name="llm: loading")
            opening = self._opening
            line = await asyncio.shield(opening)
            if self._opening is opening:
                self._line, self._opening = line, None
                _tell_end_of_life(self._provider)
            if self._line is not line:
                raise ModelFailure("unavailable", "the client was closed while it was loaded", outage=False)
        return self._line

    def _discard(self, opening: asyncio.Task[_Line]) -> None:
        """Close a line that nobody may use any more; the error of one that could not be built is nobody's."""
        if not opening.cancelled() and opening.exception() is None:
            closing = asyncio.create_task(opening.result().http.aclose(), name="llm: closing")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _report(self, error: Exception) -> None:
        """Tell the operator once, until a call succeeds, when the provider refuses us; never what it wrote."""
        status = getattr(error, "status_code", None)
        if not isinstance(status, int) or status == 429 or status >= 500 or status in self._reported:  # noqa: PLR2004 - HTTP
            return
        self._reported.add(status)
        advice = _ADVICE.get(status, "look at the provider's own log for the reason")
        _log.error("the provider %s refuses model %s: HTTP %d; %s", self.provider, self.name, status, advice)


_ADVICE: Final = {
    401: "check the key",
    402: "check the account's balance",
    403: "check what the key may do",
    404: "check LLM_MODEL (on Azure the deployment) and the base URL",
}


async def _exchange(model: SdkModel, question: Question) -> Reply:
    from pydantic_ai.direct import model_request  # noqa: PLC0415 - loaded lazily, see above
    from pydantic_ai.messages import ModelRequest, UserPromptPart  # noqa: PLC0415

    asked = ModelRequest(parts=[UserPromptPart(question.user)], instructions=question.system)
    try:
        response = await model_request(
            model,
            [asked],
            model_settings={"max_tokens": MAX_OUTPUT_TOKENS},
            model_request_parameters=_form(question.tool),
            instrument=False,
        )
        return _reply(response, question.tool)
    except (AssertionError, AttributeError, LookupError, TypeError) as error:
        # The SDKs take any JSON for a reply of the API, and the client then trips over what is missing in it.
        message = "the reply is not of this API"
        raise ValueError(message) from error


def _form(tool: Tool | None) -> ModelRequestParameters:
    """How the answer is to be given: by the tool, or as text."""
    from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415 - loaded lazily, see above
    from pydantic_ai.tools import ToolDefinition  # noqa: PLC0415

    if tool is None:
        return ModelRequestParameters(output_mode="text", allow_text_output=True)
    output = ToolDefinition(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=dict(tool.parameters),
        strict=False,  # our drafts have optional keys, which the strict modes do not know
        kind="output",
    )
    return ModelRequestParameters(output_mode="tool", output_tools=[output], allow_text_output=False)


def _reply(response: ModelResponse, tool: Tool | None) -> Reply:
    used = response.usage
    return Reply(
        answer=(response.text or "") if tool is None else _answer(response, tool.name),
        model=str(response.model_name or ""),
        input_tokens=max(0, used.input_tokens),
        output_tokens=max(0, used.output_tokens),
        # An answer takes tokens: where none are told, nobody knows what it cost.
        cost_usd=_cost(response) if used.input_tokens > 0 and used.output_tokens > 0 else None,
    )


def _answer(response: ModelResponse, tool: str) -> dict[str, Any] | str:
    """The arguments of the call of our tool, else of any call, else the text."""
    calls = sorted(response.tool_calls, key=lambda call: call.tool_name != tool)
    if calls:
        return calls[0].args or ""
    return response.text or ""


def _cost(response: ModelResponse) -> float | None:
    """US dollars by the price list that comes with the client; None where no price can be told.

    What it cost never decides whether an answer counts: a model may be missing in the list, and proxies and local
    servers report counts that contradict each other, such as more tokens from a cache than there were.
    """
    try:
        price = float(response.cost().total_price)
    except (LookupError, ValueError, ArithmeticError, AssertionError, AttributeError, TypeError) as error:
        _log.debug("no price for an answer of %s: %s", response.model_name, type(error).__name__)
        return None
    return price if isfinite(price) and price >= 0 else None


def _failure(error: Exception) -> ModelFailure:
    """What an error of the client means."""
    from pydantic_ai.exceptions import (  # noqa: PLC0415 - loaded lazily, see above
        ModelAPIError,
        ModelHTTPError,
        ModelQuotaExceededError,
        ModelTimeoutError,
        UnexpectedModelBehavior,
    )

    if isinstance(error, ModelHTTPError):
        status = error.status_code
        outage = status in _OUTAGES or status >= 500 or isinstance(error, ModelQuotaExceededError)  # noqa: PLR2004 - HTTP
        wait = error.retry_after or 0.0
        return ModelFailure("unavailable", f"HTTP {status}", outage=outage, status=status, wait=wait)
    if isinstance(error, ModelTimeoutError):
        return ModelFailure("timeout", "the connection timed out", outage=True)
    if isinstance(error, ModelAPIError):
        return ModelFailure("unavailable", "no connection, or a redirect", outage=True)
    if isinstance(error, UnexpectedModelBehavior):
        return ModelFailure("unreadable", "the reply holds no answer", outage=False)
    # A ValueError: the client reads replies with json and pydantic; what answers there does not speak the API.
    return ModelFailure("unavailable", "the reply is not of this API", outage=True)


def _load(provider: Provider) -> None:
    """Import the client."""
    import pydantic_ai.direct  # noqa: PLC0415 - loaded lazily, see above

    if provider.name == "anthropic":
        import pydantic_ai.models.anthropic  # noqa: PLC0415
    else:
        import pydantic_ai.models.openai  # noqa: F401, PLC0415


def _open(provider: Provider) -> _Line:
    """Load the client and build it, with the parts that it would otherwise load in the middle of the first question."""
    _load(provider)
    asyncio.run(_rehearse(rehearsing(provider)))  # a loop of its own: this is not the loop's thread
    http = outgoing_client(provider)
    return _Line(_sdk_model(provider, http), http)


async def _rehearse(provider: Provider) -> None:
    async with rehearsing_client(provider) as http:
        await _exchange(_sdk_model(provider, http), REHEARSAL)


def _tell_end_of_life(provider: Provider) -> None:
    """Tell the operator what the SDK tells developers, by a warning that Python hides from everybody else.

    The filters of warnings are for the loop's thread to change: others put them back in the middle of it.
    """
    if provider.name != "anthropic":
        return
    from anthropic.resources.messages.messages import DEPRECATED_MODELS  # noqa: PLC0415 - loaded lazily, see above

    if provider.model in DEPRECATED_MODELS:
        warnings.filterwarnings("ignore", r"The model '.*' is deprecated", DeprecationWarning)
        _log.warning("model %s reaches its end of life on %s", provider.model, DEPRECATED_MODELS[provider.model])


def _sdk_model(provider: Provider, http: httpx2.AsyncClient) -> SdkModel:
    """The client's model, with retries off: a repeated call would eat the deadline behind the breaker's back."""
    if provider.name == "anthropic":
        return _anthropic(provider, http)
    from openai import AsyncAzureOpenAI, AsyncOpenAI  # noqa: PLC0415 - loaded lazily, see above
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415

    if provider.name == "azure":
        from pydantic_ai.providers.azure import AzureProvider  # noqa: PLC0415

        azure = AsyncAzureOpenAI(
            api_key=provider.key,
            azure_endpoint=provider.base_url,
            azure_deployment=provider.model,
            api_version=provider.api_version,
            max_retries=0,
            timeout=None,
            http_client=http,
        )
        _lenient(azure, _mended_completion)
        return OpenAIChatModel(provider.model, provider=AzureProvider(openai_client=azure))
    client = AsyncOpenAI(
        api_key=provider.key, base_url=provider.base_url, max_retries=0, timeout=None, http_client=http
    )
    _lenient(client, _mended_completion)
    if provider.name == "openrouter":
        from pydantic_ai.providers.openrouter import OpenRouterProvider  # noqa: PLC0415

        return OpenAIChatModel(provider.model, provider=OpenRouterProvider(openai_client=client))
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

    return OpenAIChatModel(provider.model, provider=OpenAIProvider(openai_client=client))


def _lenient(client: Any, mended: Callable[[Any], Any]) -> None:  # noqa: ANN401 - three SDK clients without a base
    """Let an SDK's client take the answers of servers that speak its API but do not count, or do not say who they are.

    It has to happen before its resources are used: they keep the method.
    """
    post = client.post

    async def lenient(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the SDK's own
        return mended(await post(*args, **options))

    client.post = lenient


def _mended_message(reply: Any) -> Any:  # noqa: ANN401 - unchecked
    """Anthropic's reply, of which no more than the answer has to be right."""
    from anthropic.types.beta import BetaMessage, BetaUsage  # noqa: PLC0415 - loaded lazily, see above

    if isinstance(reply, BetaMessage) and not _counts(reply, "input_tokens", "output_tokens"):
        reply.usage = BetaUsage(input_tokens=0, output_tokens=0)
    return reply


def _mended_completion(reply: Any) -> Any:  # noqa: ANN401 - unchecked
    """OpenAI's reply, of which no more than the answer has to be right."""
    from openai.types.chat import ChatCompletion  # noqa: PLC0415 - loaded lazily, see above

    if isinstance(reply, ChatCompletion):
        if not _counts(reply, "prompt_tokens", "completion_tokens", "total_tokens"):
            reply.usage = None
        if not isinstance(getattr(reply, "model", None), str):
            reply.model = ""
    return reply


def _counts(reply: object, *names: str) -> bool:
    usage = getattr(reply, "usage", None)
    return all(isinstance(getattr(usage, name, None), int) for name in names)


def _anthropic(provider: Provider, http: httpx2.AsyncClient) -> SdkModel:
    from anthropic import AsyncAnthropic  # noqa: PLC0415 - loaded lazily, see above
    from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
    from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

    client = AsyncAnthropic(
        api_key=provider.key,
        base_url=provider.base_url,
        max_retries=0,
        timeout=None,
        open_telemetry=False,
        http_client=http,
    )
    _lenient(client, _mended_message)
    return AnthropicModel(provider.model, provider=AnthropicProvider(anthropic_client=client))
