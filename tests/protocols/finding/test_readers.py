"""Whatever a document says, its reader understands it or refuses it, and what it lists is tamed without fail."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moothall.directory.finding.reading import Discoverer, Document, Reading, digest_of
from moothall.directory.finding.rows import document as stored
from moothall.directory.finding.taming import tamed
from moothall.errors import MoothallError, UpstreamError
from moothall.identity.document import DidDocument
from moothall.protocols.a2a.finding import A2aCards
from moothall.protocols.anp.finding import AnpDescriptions, AnpLists
from moothall.protocols.catalogue.finding import Catalogues
from moothall.protocols.mcp.finding import McpCards

URL = "https://node.example/.well-known/x.json"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


def odd(**usual: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these members, each as it should be or anything else, or missing."""
    members = {
        name: (value if isinstance(value, st.SearchStrategy) else st.just(value)) | JSON
        for name, value in usual.items()
    }
    return st.fixed_dictionaries({}, optional=members)


SKILL = odd(id="wall", name="wall", description="Paints", tags=["a"])
INTERFACE = odd(url="https://node.example/a2a", protocolBinding="JSONRPC", protocolVersion="1.0")
CARD = odd(
    name="painter",
    description="Paints",
    version="1",
    supportedInterfaces=st.lists(INTERFACE, max_size=2),
    url="https://node.example/a2a",
    capabilities=odd(extensions=st.lists(odd(uri="urn:moothall:a2a:capabilities:v1", params=odd(skills=JSON)))),
    skills=st.lists(SKILL, max_size=3),
    signatures=st.lists(odd(protected="e30", signature="e30"), max_size=1),
)
METHOD = odd(
    name="add",
    params=st.lists(odd(name="a", schema=JSON, required=True)),
    result=odd(schema=JSON),
    tags=[{"name": "x"}],
)
OPENRPC = odd(openrpc="1.3.2", servers=[{"url": "/rpc"}], methods=st.lists(METHOD, max_size=2), components=JSON)
DESCRIPTION = odd(
    type="AgentDescription",
    did="did:wba:node.example:a:e1_x",
    name="a",
    owner=odd(name="x"),
    interfaces=st.lists(odd(protocol="openrpc", content=OPENRPC, url="/i.json"), max_size=2),
    proof=JSON,
)
PAGE = odd(**{"@type": "CollectionPage", "items": st.lists(odd(**{"@id": "/a.json"})), "next": "?page=2"})
CATALOGUE = odd(entries=st.lists(odd(type="application/json", url="/a.json", mediaType="x")))
SERVER = odd(name="x", remotes=st.lists(odd(url="https://node.example/mcp")))


class NoRoom:
    async def get(self, url: str) -> Document:
        raise UpstreamError("nothing there")


class NoDocuments:
    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        raise UpstreamError("no such document")


READERS: tuple[Discoverer, ...] = (
    AnpLists(),
    AnpDescriptions(NoDocuments(), lambda _: False),
    A2aCards(NoDocuments()),
    McpCards({}),
    Catalogues(),
)


@given(JSON.filter(lambda value: isinstance(value, dict)) | CARD | DESCRIPTION | PAGE | CATALOGUE | SERVER)
async def test_no_document_makes_a_reader_stumble(value: dict[str, Any]) -> None:
    for reader in READERS:
        if not reader.knows(value):
            continue
        try:
            reading: Reading = await reader.read(Document(URL, URL, value), NoRoom())
        except MoothallError:
            continue
        assert all(isinstance(link, str) for link in reading.links)
        for each in map(tamed, reading.listings):
            assert digest_of(each).startswith("sha256:")
            assert stored(each)
