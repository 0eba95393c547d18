"""Vectors of texts from a provider, for search: OpenAI's embeddings, or a server that speaks their API.

Off until ``MOOTHALL_EMBEDDINGS_MODEL`` names a model. Nothing is loaded or sent before the first text; what goes out
goes to the configured address and nowhere else, with the key in one header (``outgoing``), and what comes back is taken
only if it is a vector of the right size for every text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from moothall.errors import ModelTimeout, ModelUnavailable, SettingsError
from moothall.llm.choice import Provider, header_key, web_address
from moothall.llm.outgoing import outgoing_client
from moothall.resilience import Breaker, Outcome
from moothall.settings import Settings, variable

if TYPE_CHECKING:
    import httpx2

_MOST_BYTES: Final = 16 * 1024 * 1024
"""The longest answer that is read."""

_OK: Final = 200
_OWN_FAULTS: Final = frozenset({400, 413, 422})
"""Refusals of these texts, which say nothing about others."""


class _Embedding(BaseModel):
    index: int = Field(ge=0)
    embedding: list[Annotated[float, Field(allow_inf_nan=False)]]


class _Answer(BaseModel):
    data: list[_Embedding]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions:
    """What a model of vectors is asked with.

    Attributes:
        size: numbers in its vectors.
        seconds: how long an answer may take.
        breaker: leaves the provider alone after failures in a row, so that no search waits for it.
    """

    size: int
    seconds: float
    breaker: Breaker


class Embeddings:
    """A model of vectors at a provider; :class:`moothall.directory.searching.Embedder` of one event loop."""

    def __init__(self, provider: Provider, options: EmbeddingOptions) -> None:
        """Ask `provider.model` at `<base>/embeddings`."""
        self._provider = provider
        self._options = options
        self._client: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return self._options.size

    @property
    def name(self) -> str:
        """Of the model; vectors of another cannot be compared with its own."""
        return self._provider.model

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector of length 1 for each text.

        Raises:
            ModelTimeout: the provider takes too long.
            ModelUnavailable: it cannot be reached, refuses, or its answer is not of this API or of another size.
        """
        breaker = self._options.breaker
        permit = breaker.allow()
        if permit is None:
            raise ModelUnavailable("the embeddings provider is left alone after failures in a row")
        outcome: Outcome = "failed"
        try:
            async with asyncio.timeout(self._options.seconds):
                status, body = await self._post(texts)
            if status != _OK:
                outcome = "neutral" if status in _OWN_FAULTS else "failed"
                raise ModelUnavailable("the embeddings provider refuses", why=f"HTTP {status}")
            vectors = self._read(body, len(texts))
            outcome = "ok"
        except TimeoutError:
            raise ModelTimeout("the embeddings provider did not answer in time") from None
        except asyncio.CancelledError:
            outcome = "neutral"
            raise
        finally:
            breaker.done(permit, outcome)
        return vectors

    async def aclose(self) -> None:
        """Close its connections; the next text opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _opened(self) -> httpx2.AsyncClient:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(outgoing_client, self._provider)  # it reads certificates
            return self._client

    async def _post(self, texts: Sequence[str]) -> tuple[int, bytes]:
        """The status and the body."""
        client = await self._opened()
        import httpx2  # noqa: PLC0415 - loaded with the client, see `outgoing`

        asked = {"model": self.name, "input": list(texts)}
        try:
            async with client.stream("POST", f"{self._provider.base_url.rstrip('/')}/embeddings", json=asked) as reply:
                read = bytearray()
                async for chunk in reply.aiter_bytes():
                    read += chunk
                    if len(read) > _MOST_BYTES:
                        raise ModelUnavailable("the embeddings provider's answer is too long")
                return reply.status_code, bytes(read)
        except httpx2.HTTPError as error:
            # Only the kind of the error: its text may hold the address, with what the operator put into it.
            raise ModelUnavailable("the embeddings provider cannot be reached", why=type(error).__name__) from None

    def _read(self, body: bytes, count: int) -> list[list[float]]:
        try:
            found = _Answer.model_validate_json(body).data
        except ValidationError:
            raise ModelUnavailable("the embeddings provider's answer is not of this API") from None
        if sorted(each.index for each in found) != list(range(count)):
            raise ModelUnavailable("the embeddings provider has not answered for every text")
        if sizes := {len(each.embedding) for each in found} - {self.size}:
            why = f"{self.name} gives vectors of {min(sizes)} numbers, {variable('embeddings_size')} is {self.size}"
            raise ModelUnavailable("the embeddings provider's vectors have another size", why=why)
        return [_unit(each.embedding) for each in sorted(found, key=lambda each: each.index)]


def configured_embeddings(settings: Settings, monotonic: Callable[[], float]) -> Embeddings | None:
    """What ``MOOTHALL_EMBEDDINGS_MODEL`` names, or None where it names nothing.

    The key of OpenAI goes to OpenAI's address alone: an address of its own needs a key of its own.

    Raises:
        SettingsError: the address or the key is none, or the key is missing.
    """
    model = settings.embeddings_model.strip()
    if not model:
        return None
    own = bool(settings.embeddings_base_url.strip())
    address = "embeddings_base_url" if own else "openai_base_url"
    key = header_key(settings, "embeddings_api_key") or ("" if own else header_key(settings, "openai_api_key"))
    if not key:
        raise SettingsError(
            f"the embeddings provider lacks {variable('embeddings_api_key')}",
            hint=f"set {variable('embeddings_api_key')}, for a server that asks for none to any word, "
            f"or take {variable('embeddings_model')} away",
            details={"setting": "embeddings_api_key", "variable": variable("embeddings_api_key")},
        )
    return Embeddings(
        Provider("openai", model, web_address(settings, address), key),
        EmbeddingOptions(
            size=settings.embeddings_size,
            seconds=settings.embeddings_timeout,
            breaker=Breaker(settings.llm_failure_threshold, settings.llm_recovery_timeout, monotonic),
        ),
    )


def _unit(vector: Sequence[float]) -> list[float]:
    length = sum(number * number for number in vector) ** 0.5
    return [number / length for number in vector] if length else list(vector)
