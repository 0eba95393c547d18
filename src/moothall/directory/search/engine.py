"""The search of a node: what is listed, found by meaning, in a directory of its own that can be made again any time.

Writing is done by one thread, which takes in everything that waits at once; reading by a few others. The event loop
only hands work over and takes answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from moothall.clock import Clock, SystemClock
from moothall.directory.search import dense
from moothall.directory.search.answering import ARMS, Reader
from moothall.directory.search.shelf import Shelf
from moothall.directory.searching import LONGEST, MOST, Filters, Found
from moothall.errors import InvalidInput, ModelTimeout, ModelUnavailable, MoothallError, StorageError, Told
from moothall.telemetry import logger

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.listing import Listing
    from moothall.directory.places import Gazetteer
    from moothall.directory.searching import Embedder, Visible

T = TypeVar("T")
_READERS: Final = 3
_EMBEDDED: Final = 64
"""Listings that a provider is asked about at once."""

_log = logger("search")


@dataclass(frozen=True, slots=True)
class _Change:
    """What waits to be written: listings to take in, or targets to take out."""

    listings: Sequence[Listing]
    targets: Sequence[str]
    done: asyncio.Future[None]


class SearchIndex:
    """Finds by meaning; see :class:`moothall.directory.searching.Search`."""

    def __init__(
        self,
        folder: Path,
        vocabulary: Vocabulary,
        gazetteer: Gazetteer,
        *,
        clock: Clock | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """Work in `folder`, which belongs to this process alone; `open` it first.

        With an `embedder`, what is taken in is embedded afterwards, and found by its concepts and words meanwhile.
        """
        model = dense.Model(embedder.name, embedder.size) if embedder else dense.NO_MODEL
        self._shelf = Shelf(folder, vocabulary, gazetteer, model)
        self._embedder = embedder
        self._embedding: asyncio.Task[None] | None = None
        self._reader = Reader(self._shelf, gazetteer, clock or SystemClock())
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="moothall-search-write")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="moothall-search")
        self._waiting: deque[_Change] = deque()
        self._told: list[Callable[[], None]] = []
        self._open = self._closed = False

    async def open(self) -> None:
        """Open the index; what is torn or of another version is made anew, from its tables or empty.

        Raises:
            StorageError: the directory cannot be used.
        """
        await self._write(self._shelf.open)
        self._open = True
        self._embed()

    async def aclose(self) -> None:
        """Finish what is being written, and close the files."""
        self._open = False
        if self._closed:
            return
        self._closed = True
        if self._embedding is not None:
            self._embedding.cancel()
            await asyncio.wait([self._embedding])
        await asyncio.to_thread(self._reading.shutdown)
        await self._write(self._close)
        self._writing.shutdown(wait=False)

    def _close(self) -> None:
        self._reader.close()
        self._shelf.close()

    @property
    def version(self) -> str:
        """Of what is indexed now; another after every change."""
        return self._shelf.version

    def __len__(self) -> int:
        """How many listings there are."""
        return self._shelf.count

    def on_change(self, told: Callable[[], None]) -> None:
        """Have a callable called on the event loop after every change."""
        self._told.append(told)

    async def search(
        self, query: str, filters: Filters, visible: Visible, *, limit: int = 20, arms: frozenset[str] = ARMS
    ) -> Found:
        """The best hits for a query in words, Chinese or English; an empty query lists what the filters leave.

        With fewer `arms` only concepts or only words answer, to measure what each does.

        Raises:
            InvalidInput: the query or a filter makes no sense.
            StorageError: the index cannot be read.
        """
        if len(query) > LONGEST:
            raise InvalidInput(
                f"the query has {len(query)} characters, {LONGEST} are allowed",
                told=Told("search.long", {"count": len(query), "most": LONGEST}),
            )
        if not 1 <= limit <= MOST:
            raise InvalidInput(f"limit: {limit} is not from 1 to {MOST}", told=Told("search.limit", {"most": MOST}))
        vector = await self._vector(query)
        return await self._read(partial(self._reader.answer, query, filters, visible, limit, arms, vector))

    async def get(self, target: str) -> Listing | None:
        """What a target names.

        Raises:
            StorageError: the index cannot be read.
        """
        return await self._read(partial(self._reader.listing, target))

    async def targets(self) -> Mapping[str, str]:
        """Everything that is indexed: digests (`documents.digest_of`) by target.

        Raises:
            StorageError: the index cannot be read.
        """
        return await self._read(self._reader.digests)

    async def put(self, listings: Iterable[Listing]) -> None:
        """Take in what is new or was changed; found from the return of this on. Of equal targets the last one counts.

        Raises:
            StorageError: it could not be written; of very many the first may have been.
        """
        await self._change(tuple(listings), ())

    async def remove(self, targets: Iterable[str]) -> None:
        """Take out; targets that are not there are no matter.

        Raises:
            StorageError: it could not be written; of very many the first may have been.
        """
        await self._change((), tuple(targets))

    async def relearn(self, vocabulary: Vocabulary) -> None:
        """Go over to another vocabulary; listings that say what was changed in it are read again. Nothing, once closed.

        Raises:
            StorageError: it could not be written.
        """
        if self._closed:
            return
        await self._write(partial(self._shelf.relearn, vocabulary))
        self._tell()
        self._embed()

    async def settled(self) -> None:
        """Wait until what was taken in before has its vectors, or the provider has failed."""
        if self._embedding is not None:
            await asyncio.wait([self._embedding])

    async def _vector(self, query: str) -> Sequence[float] | None:
        """Of a query; None: there is none to be had, and concepts and words have to do."""
        if self._embedder is None or not query.strip() or not len(self._shelf.now.vectors.ids):
            return None
        try:
            return (await self._embedder.embed([query]))[0]
        except (ModelUnavailable, ModelTimeout) as error:
            _log.warning("a query was not embedded: %s", error)
            return None

    def _embed(self) -> None:
        if self._embedder is not None and self._open and (self._embedding is None or self._embedding.done()):
            self._embedding = asyncio.create_task(self._embed_all(self._embedder), name="search: vectors")

    async def _embed_all(self, embedder: Embedder) -> None:
        """Embed what has no vectors; what fails is tried again after the next change."""
        try:
            while listings := await self._write(partial(self._shelf.without_vectors, _EMBEDDED)):
                vectors = await embedder.embed([dense.line(listing) for listing in listings.values()])
                await self._write(partial(self._shelf.keep_vectors, dict(zip(listings, vectors, strict=True))))
                self._tell()
        except (MoothallError, ValueError) as error:
            _log.warning("listings were not embedded: %s", error)

    async def _change(self, listings: Sequence[Listing], targets: Sequence[str]) -> None:
        if not listings and not targets:
            return
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append(_Change(listings, targets, done))
        drained = loop.run_in_executor(self._writing, self._drain)
        await asyncio.wait([done, drained], return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            await drained  # it failed, or has left word for the loop
        await done
        self._embed()

    def _drain(self) -> None:
        """Write all that waits as one change; in the writing thread, which tidies up once nobody waits for it."""
        changes: list[_Change] = []
        while self._waiting:
            changes.append(self._waiting.popleft())
        if not changes:
            return
        wanted: dict[str, Listing | None] = {}
        for change in changes:
            wanted.update((listing.target, listing) for listing in change.listings)
            wanted.update((target, None) for target in change.targets)
        failure: BaseException | None = None
        try:
            self._shelf.change(wanted)
        except StorageError as error:
            failure = error
        for change in changes:
            change.done.get_loop().call_soon_threadsafe(self._settle, change.done, failure)
        self._shelf.rest()

    def _settle(self, done: asyncio.Future[None], failure: BaseException | None) -> None:
        if not done.done():
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)
        if failure is None:
            self._tell()

    def _tell(self) -> None:
        for told in self._told:
            told()

    async def _write(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writing, work))

    async def _read(self, work: Callable[[], T]) -> T:
        if not self._open:
            raise StorageError("the search index is closed")
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)
