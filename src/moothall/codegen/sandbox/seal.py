"""Images are authenticated: what a worker is made to load was made by this very sandbox."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from moothall.canonical import sha256
from moothall.codegen.sandbox.port import Image, SandboxLimits
from moothall.errors import IntegrityError

_MAC: Final = 32


class Seal:
    """Seals the states of modules with a key of its own, which never leaves it.

    The key is new with each sandbox: states do not outlive it, since another version of the runtime could not read
    them. Sources do.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def image(self, source: str, limits: SandboxLimits, state: bytes) -> Image:
        """The image of a module that was loaded under these limits."""
        digest = sha256(source.encode())
        return Image(digest=digest, source=source, state=self._mac(digest, limits, state) + state, limits=limits)

    def opened(self, image: Image) -> bytes:
        """The state in an image.

        Raises:
            IntegrityError: the image was not made here, or is not as it was.
        """
        mac, state = image.state[:_MAC], image.state[_MAC:]
        if not hmac.compare_digest(mac, self._mac(image.digest, image.limits, state)):
            raise IntegrityError("this image was not made by this sandbox")
        return state

    def _mac(self, digest: str, limits: SandboxLimits, state: bytes) -> bytes:
        return hmac.digest(self._key, f"{digest}\n{limits!r}\n".encode() + state, "sha256")
