# SPDX-License-Identifier: Apache-2.0
"""A relay to a port of the loopback that is as far away as is said: every byte takes half of the
round trip longer, each way."""
import asyncio
import contextlib
import threading


class Latency:
    """with Latency(port, 0.05) as relay: relay.port"""

    def __init__(self, port, round_trip):
        self.upstream = port
        self.one_way = round_trip / 2
        self.loop = asyncio.new_event_loop()
        self.port = None

    def __enter__(self):
        started = threading.Event()

        def run():
            asyncio.set_event_loop(self.loop)
            server = self.loop.run_until_complete(
                asyncio.start_server(self._relay, "127.0.0.1", 0, backlog=256))
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            self.loop.run_forever()
            server.close()
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            if tasks:
                self.loop.run_until_complete(asyncio.wait(tasks))

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        started.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def _relay(self, reader, writer):
        with contextlib.suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            await asyncio.gather(self._pump(reader, up_writer), self._pump(up_reader, writer))

    async def _pump(self, reader, writer):
        """In order, since all wait equally long."""
        while True:
            data = b""
            with contextlib.suppress(OSError):
                data = await reader.read(65536)
            self.loop.call_later(self.one_way, self._deliver, writer, data)
            if not data:
                return

    @staticmethod
    def _deliver(writer, data):
        with contextlib.suppress(OSError, RuntimeError):
            if data:
                writer.write(data)
            else:
                writer.close()
