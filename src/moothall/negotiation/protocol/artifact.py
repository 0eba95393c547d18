"""The description of an agreed protocol for others, derived from its document (row WIRE-NEGO-12).

Whoever has the document derives the same description, so it has the same digest everywhere; a signature by the DID of
who serves it says that it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moothall.canonical import canonical, sha256
from moothall.errors import IntegrityError, InvalidInput, Told
from moothall.identity import jws
from moothall.identity.keys import PublicKey, Signer
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import Example, JsonObject

TYPE: Final = "moothall-protocol+jws"
CONTENT_TYPE: Final = "application/json"
SECURITY_PROFILE: Final = "transport-protected"
METHOD: Final = "request"
"""The one method of a protocol that was agreed on."""

_FROZEN: Final = ConfigDict(frozen=True, extra="ignore")


class Method(BaseModel):
    """A method: its name, and where the schemas of its request and response are found."""

    model_config = _FROZEN

    name: str
    request_schema_uri: str
    response_schema_uri: str


class ProtocolArtifact(BaseModel):
    """The description.

    Attributes:
        protocol_id: short name, ``protocol.<first 16 digits of the hash>``.
        protocol_uri: ``urn:moothall:protocol:sha256:…`` of the document, byte for byte.
        version: of the description's form and meaning.
        methods: what may be asked for; the fragments of their URIs are headings of the document.
        content_types: of requests and responses.
        security_profiles: under which it may be spoken.
        examples: requests with their responses.
        test_cases: that both sides agreed on.
        digest: ``sha256:…`` of all of this but itself and the signature.
        signature: by who serves it; empty: nobody signed.
    """

    model_config = _FROZEN

    protocol_id: str
    protocol_uri: str
    version: str
    methods: tuple[Method, ...]
    content_types: tuple[str, ...] = (CONTENT_TYPE,)
    security_profiles: tuple[str, ...] = (SECURITY_PROFILE,)
    examples: tuple[Example, ...] = ()
    test_cases: tuple[JsonObject, ...] = ()
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    signature: str = ""


def artifact_of(
    document: ProtocolDocument,
    cases: Sequence[JsonObject] = (),
    version: str = "1.0",
    security_profiles: Sequence[str] = (SECURITY_PROFILE,),
) -> ProtocolArtifact:
    """The description of a document, not signed.

    Raises:
        InvalidInput: what it says has no canonical form.
    """
    uri = f"urn:moothall:protocol:{document.digest}"
    body: dict[str, Any] = {
        "protocol_id": document.name,
        "protocol_uri": uri,
        "version": version,
        "methods": [
            {"name": METHOD, "request_schema_uri": f"{uri}#request", "response_schema_uri": f"{uri}#response"},
        ],
        "content_types": [CONTENT_TYPE],
        "security_profiles": list(security_profiles),
        "examples": [example.model_dump(mode="json") for example in document.examples],
        "test_cases": list(cases),
    }
    return ProtocolArtifact.model_validate({**body, "digest": sha256(canonical(body))})


def schemas_of(document: ProtocolDocument) -> Mapping[str, JsonObject]:
    """The JSON Schemas of a document by the URIs under which its description names them."""
    uri = f"urn:moothall:protocol:{document.digest}"
    return {f"{uri}#request": document.request, f"{uri}#response": document.response}


def signed(artifact: ProtocolArtifact, signer: Signer) -> ProtocolArtifact:
    """The description with a signature.

    Raises:
        InvalidInput: the key is of no kind that counts.
    """
    return artifact.model_copy(update={"signature": jws.sign(signer, TYPE, {"artifact": artifact.digest})})


def signer_of(artifact: ProtocolArtifact) -> str:
    """The DID URL of the key that a description says it is signed with.

    Raises:
        IntegrityError: it has no signature.
    """
    return _statement(artifact).keyid


def verify(artifact: ProtocolArtifact, key: PublicKey) -> None:
    """Make sure that a description is what its digest says, and that this key signed it.

    Raises:
        IntegrityError: it is not, or the key did not.
    """
    statement = _statement(artifact)
    if not statement.signed_by(key) or dict(statement.claims) != {"artifact": artifact.digest}:
        raise _refused()
    if digest_of(artifact) != artifact.digest:
        raise _refused()


def digest_of(artifact: ProtocolArtifact) -> str:
    """The digest that a description has to have.

    Raises:
        InvalidInput: it has no canonical form.
    """
    return sha256(canonical(artifact.model_dump(mode="json", exclude={"digest", "signature"})))


def read(body: object) -> ProtocolArtifact:
    """Read a description of a stranger.

    Raises:
        IntegrityError: it is none, or not what its digest says.
    """
    try:
        artifact = ProtocolArtifact.model_validate(body)
        right = digest_of(artifact) == artifact.digest
    except (ValidationError, InvalidInput) as error:
        raise _refused() from error
    if not right:
        raise _refused()
    return artifact


def _statement(artifact: ProtocolArtifact) -> jws.Jws:
    try:
        return jws.read(artifact.signature, TYPE)
    except InvalidInput as error:
        raise _refused() from error


def _refused() -> IntegrityError:
    return IntegrityError("the protocol is not what it is said to be", told=Told("agreeing.artifact"))
