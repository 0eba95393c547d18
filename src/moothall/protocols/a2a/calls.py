"""One request to an agent that there is, as the door hands it on."""

from __future__ import annotations

from dataclasses import dataclass

from moothall.messages import Lang
from moothall.protocols.a2a.bindings import Binding, RestBinding, RpcBinding
from moothall.protocols.a2a.card import CardAgent
from moothall.protocols.a2a.media import A2A_JSON
from moothall.protocols.house import Scope


@dataclass(frozen=True, slots=True)
class Call:
    """The request.

    Attributes:
        agent: who is asked.
        path: what follows the agent's address; empty for JSON-RPC.
        scope: of ASGI.
        request_id: under which the log has it.
        lang: the client's.
    """

    agent: CardAgent
    path: str
    scope: Scope
    request_id: str
    lang: Lang

    @property
    def plain(self) -> Binding:
        """Writes the answer to a request that could not be read."""
        if self.path:
            return RestBinding(self.request_id, self.lang, A2A_JSON)
        return RpcBinding(None, "1.0", self.request_id, self.lang)
