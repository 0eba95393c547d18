"""`ServiceTemplate`: options that many services share, whatever stands behind each of them (row SOA-03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar, Unpack

from moothall.capability.decorators import CapabilityDecorator
from moothall.capability.options import Options

F = TypeVar("F", bound=Callable[..., Any])


class ServiceTemplate(CapabilityDecorator):
    """A decorator to be applied to many functions; errors, repetitions, limits and cache are the same for all.

    ::

        careful = ServiceTemplate(timeout=5, retry=2, idempotent=True, cache_ttl=60)

        @careful
        async def price(item: str) -> float: ...

        @careful.using(source="did", did="did:wba:…")
        async def stock(item: str) -> int: ...
    """

    what = "ServiceTemplate()"

    def using(self, **options: Unpack[Options]) -> Self:
        """The same template with more options, or other ones.

        Raises:
            OptionError: when it is applied, as `capability`.
        """
        return type(self)(**{**self.options, **options})  # type: ignore[misc, arg-type, unused-ignore]
