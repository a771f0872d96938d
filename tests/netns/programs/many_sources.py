"""Which server answers whom: many_sources.py SOURCES PORT...

Five servers on 127.0.0.1:7101... answer their name; each port is asked from that many addresses,
half of them IPv6.  Prints one line of names for each port.
"""

import asyncio
import sys

NAMES = {7100 + number: b"s%d" % number for number in range(1, 6)}


async def name_of(port):
    async def serve(reader, writer):
        writer.write(NAMES[port])
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port)


def source(number):
    spread = number * 2654435761 % 2**32
    if number % 2:
        return "::1", f"fd00::{spread >> 16:x}:{spread & 0xffff:x}"
    return "127.0.0.1", f"127.{spread >> 24}.{spread >> 16 & 255}.{1 + (spread >> 8) % 254}"


async def ask(port, number):
    to, by = source(number)
    reader, writer = await asyncio.open_connection(to, port, local_addr=(by, 0))
    answer = await reader.read()
    writer.close()
    await asyncio.sleep(0.005)  # the session before must not count when the next is placed
    return answer.decode()


async def main(sources, *ports):
    servers = [await name_of(port) for port in NAMES]
    for port in ports:
        print(port, *[await ask(port, number) for number in range(int(sources))], flush=True)
    for server in servers:
        server.close()


asyncio.run(main(*sys.argv[1:]))
