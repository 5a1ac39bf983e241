"""The network between web processes and PostgreSQL: a TCP proxy that can be cut in several ways.

    python -m tests.faults.network LISTEN TARGET

reads a word a line: `pass`, `reset` (all connections are reset and no new ones are taken),
`swallow` (everything is taken and nothing handed on) or `halve` (each answer is cut off halfway).
"""

import asyncio
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field

PASS, RESET, SWALLOW, HALVE = "pass", "reset", "swallow", "halve"
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_CHUNK = 65_536  # bytes


class Network:
    """The proxy as a process; whoever made it ends it."""

    def __init__(self, listen: int, target: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.network", str(listen), str(target)],
            stdin=subprocess.PIPE,
        )

    def become(self, way: str) -> None:
        """Behave so from now on; what was swallowed is never handed on: its connections end."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{way}\n".encode())
        self._process.stdin.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class _Proxy:
    target: int
    way: str = PASS
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.way == RESET:
            _reset(writer)
            return
        self.open.add(writer)
        try:
            if self.way == SWALLOW:
                while await reader.read(_CHUNK):
                    pass
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self.open.add(back)
            try:
                await asyncio.gather(self._hand(reader, back), self._answer(there, writer))
            finally:
                self.open.discard(back)
                back.close()
        except OSError:
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _hand(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.way != SWALLOW:
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.way == SWALLOW:
                continue
            if self.way == HALVE:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    def become(self, way: str) -> None:
        was, self.way = self.way, way
        if way == RESET or was == SWALLOW:
            for writer in list(self.open):
                _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    writer.transport.abort()


async def _serve(listen: int, target: int) -> None:
    proxy = _Proxy(target)
    server = await asyncio.start_server(proxy.take, "127.0.0.1", listen)
    told = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    while word := (await told.readline()).decode().strip():
        proxy.become(word)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
