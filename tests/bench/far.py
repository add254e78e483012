"""A host that is far away: what goes to it and comes back arrives later, in order."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def far(address: str, seconds: float, port: int = 22) -> Iterator[int]:
    """A port of this machine that leads to one of the host's, each way taking so long."""
    loop = asyncio.new_event_loop()

    async def along(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # either side may end it so
            while data := await reader.read(1 << 16):
                loop.call_later(seconds, writer.write, data)
        loop.call_later(seconds, writer.close)

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(address, port)
        await asyncio.gather(along(reader, back), along(there, writer))

    server = loop.run_until_complete(asyncio.start_server(lead, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
