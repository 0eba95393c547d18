"""A DID with its document and private key in one JSON file, as spec A keeps it (rows META-ALICE-04, META-BOB-04)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from moothall.canonical import dumps, loads
from moothall.clock import Clock
from moothall.errors import Conflict, InvalidInput, StorageError, Told
from moothall.identity import identity_files
from moothall.identity.agent import AgentIdentity, NewIdentity, new_identity
from moothall.identity.creation import KEY
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey, Signer
from moothall.identity.keystore import DEFAULT_AGENT, Keystore
from moothall.storage import private

_HINT: Final = "put the right file there, or move it away so that a new DID is made"


@dataclass(frozen=True, slots=True)
class DidInfo:
    """A DID.

    Attributes:
        private_key: PEM (PKCS #8).
        did: the identifier.
        did_document: its document, JSON.
    """

    private_key: str = field(repr=False)
    did: str
    did_document: str = field(repr=False)

    @classmethod
    def made(cls, domain: str, description_url: str, clock: Clock) -> Self:
        """A new one at a domain (``host`` or ``host:port``).

        Raises:
            InvalidInput: no DID can name the domain.
        """
        new = new_identity(
            DEFAULT_AGENT,
            domain,
            ("agents", DEFAULT_AGENT),
            created=clock.now(),
            description_url=description_url,
        )
        return cls(new.keys[KEY].decode("ascii"), new.identity.did.text, new.identity.body.decode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """One from a file.

        Raises:
            FileNotFoundError: there is none.
            StorageError: it is damaged, or others could read it; it is left as it is.
        """
        content = private.secret(path, 1 << 20, _HINT)
        try:
            kept = loads(content)
            found = cls(str(kept["private_key"]), str(kept["did"]), str(kept["did_document"]))
            found.identity()
        except (ValueError, TypeError, KeyError, InvalidInput) as error:
            told = Told("identity.file_damaged", {"path": path}, hint="identity.file_damaged_hint")
            raise StorageError(f"the identity in {path} cannot be used", told=told) from error
        return found

    def write(self, path: Path) -> None:
        """Keep it in a file that only its owner can read (0600).

        Raises:
            OSError: it cannot be written.
        """
        kept = {"did": self.did, "did_document": self.did_document, "private_key": self.private_key}
        private.write(path, dumps(kept))

    def identity(self) -> AgentIdentity:
        """What it stands for, checked.

        Raises:
            InvalidInput: key, document and DID do not belong together.
        """
        did = Did.parse(self.did)
        body = self.did_document.encode()
        document = DidDocument.load(did, loads(body))
        signer = Signer(f"{did}#{KEY}", PrivateKey.from_pem(self.private_key.encode("ascii", "replace")))
        if document.authentication.get(signer.keyid) != signer.key.public:
            raise InvalidInput("the key is not that of the document", told=Told("identity.key"))
        return AgentIdentity(DEFAULT_AGENT, did, document, body, signer)

    def install(self, keystore: Keystore) -> None:
        """Make it the identity of the node's own agent at its domain.

        Raises:
            Conflict: that agent has another one there.
            InvalidInput, StorageError: it cannot be used, or written.
        """
        identity = self.identity()
        folder = keystore.folder(DEFAULT_AGENT, identity.did.domain)
        known = keystore.load(DEFAULT_AGENT, identity.did.domain)
        if known is not None:
            if known.did.text != self.did:
                raise Conflict("the node has another DID at this domain", details={"did": known.did.text})
            return
        for directory in (keystore.root.parent, keystore.root, folder.parent):
            private.directory(directory)
        identity_files.write(folder, NewIdentity(identity, {KEY: self.private_key.encode("ascii")}))
