"""A conversation about protocols over one connection: what comes is handed to it until either side leaves."""

from __future__ import annotations

from moothall.errors import MoothallError
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.protocols.frames.link import FAILED, GOING, Link


async def feed(link: Link, meta: MetaProtocol) -> None:
    """Hand frames over until the connection ends; what waits in the conversation ends with it.

    Cancelling it closes the connection and ends the conversation, too.
    """
    try:
        while True:
            await meta.handle_meta_data(await link.receive())
    except MoothallError as error:
        await meta.aclose(error)
    finally:
        await meta.aclose()
        await link.close(GOING if meta.protocol else FAILED)
