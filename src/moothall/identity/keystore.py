"""The identities of this node's agents, under ``<data>/identity/<agent>/<domain>/``.

A DID names the domain that it is found at, so an agent has an identity for each domain that its node ever had; the one
of the present domain is in use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from moothall.canonical import dumps
from moothall.clock import Clock, SystemClock
from moothall.errors import Conflict, InvalidInput, Told
from moothall.identity import identity_files
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.creation import described
from moothall.identity.did import Did
from moothall.identity.keys import Algorithm
from moothall.storage import private

FOLDER: Final = "identity"
DEFAULT_AGENT: Final = "node"
"""The agent that capabilities belong to which belong to none other."""

AGENT_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", re.ASCII)
"""What an agent may be called: without dots, so that ``AGENT.NAME`` can be read in one way only."""


@dataclass(frozen=True, slots=True)
class Keystore:
    """The folder of the identities; it is made when the first of them is."""

    root: Path
    clock: Clock

    @classmethod
    def open(cls, data: Path, clock: Clock | None = None) -> Keystore:
        """The keystore of a data directory."""
        return cls(data / FOLDER, clock or SystemClock())

    def folder(self, agent: str, domain: str) -> Path:
        """Where an agent's identity at a domain is, or would be.

        Raises:
            InvalidInput: the name is no name of an agent, or the domain is an IP address or none.
        """
        if not AGENT_NAME.fullmatch(agent):
            raise InvalidInput("not the name of an agent", told=Told("identity.agent_name"))
        return self.root / agent / Did.at(domain).domain.replace(":", "%3A")

    def load(self, agent: str, domain: str) -> AgentIdentity | None:
        """An agent's identity at a domain (``host`` or ``host:port``); None when it has none there.

        Raises:
            InvalidInput: as `folder`.
            StorageError: it cannot be read, is damaged, or its key is open to others.
        """
        try:
            return identity_files.read(self.folder(agent, domain), agent)
        except FileNotFoundError:
            return None

    def create(
        self,
        agent: str,
        domain: str,
        *,
        path: Sequence[str] | None = None,
        algorithm: Algorithm = "Ed25519",
        description_url: str = "",
        agreement: bool = False,
    ) -> AgentIdentity:
        """Make an agent's identity at a domain; its path is ``agents/<agent>`` unless given, an empty one gives none.

        Raises:
            InvalidInput: as `folder`, or a segment of the path is none.
            Conflict: it has one there.
            StorageError: it cannot be written.
        """
        folder = self.folder(agent, domain)
        for directory in (self.root.parent, self.root, folder.parent):
            private.directory(directory)
        new = new_identity(
            agent,
            domain,
            ("agents", agent) if path is None else path,
            created=self.clock.now(),
            algorithm=algorithm,
            description_url=description_url,
            agreement=agreement,
        )
        identity_files.write(folder, new)
        return new.identity

    def ensure(self, agent: str, domain: str, *, description_url: str = "") -> AgentIdentity:
        """An agent's identity at a domain, made when it is missing; its document names `description_url`.

        Raises:
            InvalidInput: as `folder`.
            StorageError: it cannot be read or written, is damaged, or its key is open to others.
        """
        found = self.load(agent, domain)
        if found is None:
            try:
                return self.create(agent, domain, description_url=description_url)
            except Conflict:  # another process was faster
                found = self.load(agent, domain) or _vanished()
        if not description_url or found.document.description_url == description_url:
            return found
        document = described(found.document, found.signer, description_url, self.clock.now())
        folder = self.folder(agent, domain)
        identity_files.replace_document(folder, dumps(document))
        return identity_files.read(folder, agent)

    def all(self) -> tuple[AgentIdentity, ...]:
        """Every identity, by the names of agents and domains.

        Raises:
            StorageError: one cannot be read, is damaged, or its key is open to others.
        """
        folders = sorted(path.parent for path in self.root.glob(f"*/*/{identity_files.DOCUMENT}"))
        shown = [folder for folder in folders if not folder.name.startswith(".")]
        return tuple(identity_files.read(folder, folder.parent.name) for folder in shown)


def _vanished() -> NoReturn:
    raise Conflict("the identity was made and taken away at the same time")
