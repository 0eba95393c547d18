"""Who may use the admin routes: whoever proves to be the node's owner. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from moothall.errors import Forbidden, Unauthenticated

ADMIN = "/api/v1/admin"


class OwnerOnly:
    """Guards every address below `ADMIN`: the owner token, as ``Authorization: Bearer`` or as ``X-Admin-Key``."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check(self, path: str, headers: Mapping[str, Sequence[str]]) -> None:
        """Let the owner pass, and everybody to the other addresses; ``headers`` as `Admission.check` takes them.

        Raises:
            Unauthenticated: the request carries no token.
            Forbidden: it carries another one.
        """
        if not (path == ADMIN or path.startswith(f"{ADMIN}/")):
            return
        given = presented(_first(headers, "authorization"), _first(headers, "x-admin-key"))
        if not given:
            raise Unauthenticated("no owner token in Authorization: Bearer or X-Admin-Key")
        if not hmac.compare_digest(given.encode(), self._token):
            raise Forbidden("not the owner token of this node")


def presented(authorization: str, admin_key: str) -> str:
    """The token a request carries, empty when it carries none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else admin_key.strip()


def _first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(headers.get(name, ())), "")
