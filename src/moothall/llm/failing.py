"""How asking a model fails: the client that cannot be loaded, and what a failure is called outside this room."""

from __future__ import annotations

import asyncio
from typing import Final

from moothall.errors import DecisionRefused, ModelTimeout, ModelUnavailable
from moothall.llm.model import Model, ModelFailure
from moothall.llm.trail import trail
from moothall.telemetry import logger

_log = logger("llm")
_LOADING: Final = 20.0
"""Seconds that a question waits for the client to be loaded; it takes two, on a busy machine some more."""


async def loaded(model: Model) -> None:
    """Wait for the client, but not for ever; without it no question can be asked, whoever asks.

    Raises:
        ModelFailure: it is not there.
    """
    try:
        async with asyncio.timeout(_LOADING):
            await model.warm()
    except TimeoutError:
        raise ModelFailure("unavailable", "the client takes too long to load", outage=True) from None
    except Exception as error:  # noqa: BLE001 - a broken installation, lost certificates: each has its own kind
        _log.error("the client of %s cannot be loaded: %s", model.provider, trail(error))
        raise ModelFailure("unavailable", "the client cannot be loaded", outage=True) from None


def told(failure: ModelFailure) -> ModelTimeout | ModelUnavailable | DecisionRefused:
    """The error of the tree that a failure is."""
    if failure.failure == "timeout":
        return ModelTimeout("the language model did not answer in time", why=str(failure))
    if failure.failure == "unreadable":
        return DecisionRefused("the language model gave no answer", why=str(failure))
    return ModelUnavailable("the language model cannot be reached", why=str(failure))
