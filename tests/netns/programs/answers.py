"""Servers with one answer each, right and wrong ones, for checks to judge: answers.py."""

import asyncio


def http(status, reason, body=b"", headers=b""):
    head = b"HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n\r\n"
    return head % (status, reason, headers, len(body)) + body


def reply(text, wait=True, hold=False, close=True):
    """Answers the first words, or at once; closes 50 ms later, or much later; or only holds."""

    async def serve(reader, writer):
        try:
            if wait:
                await reader.read(4096)
            if not hold:
                writer.write(text)
            await asyncio.sleep(0.05 if close and not hold else 60)
            writer.close()
        except OSError:
            pass

    return serve


SERVERS = {
    7001: reply(http(200, b"OK", b"hello world")),
    7002: reply(http(503, b"Service Unavailable")),
    7003: reply(b"garbage\r\n\r\n"),
    7004: reply(b"", hold=True),
    7005: reply(b"", wait=True),
    7006: reply(http(404, b"Not Found")),
    7007: reply(b"+PONG\r\n", close=False),
    7008: reply(b"-NOAUTH Authentication required.\r\n", close=False),
    7009: reply(b"220 mail ready\r\n", wait=False, close=False),
    7010: reply(b"554 go away\r\n", wait=False, close=False),
    7011: reply(b"SSH-2.0-OpenSSH\r\n", wait=False, close=False),
    7012: reply(b"R\0\0\0\x08\0\0\0\0", close=False),
    7013: reply(b"E\0\0\0\x08SFATAL\0", close=False),
    7014: reply(bytes.fromhex("300c02010161070a010004000400"), close=False),
    7015: reply(b"\x16\x03\x01\0\x30\x02\0\0", close=False),
    7016: reply(
        b"\x4a\0\0\0\x0a8.0.30\0\x01\0\0\0abcdefgh\0\xff\xff\xff\2\0\xff\xdf\x15"
        + b"\0" * 10 + b"abcdefghijkl\0mysql_native_password\0",
        wait=False,
        close=False,
    ),
    7017: reply(b"\x12\0\0\0\xff\x6a\x04Host is blocked", wait=False, close=False),
    7018: reply(http(200, b"OK", b"hello world", b"X-Role: leader\r\n")),
}


async def main():
    for port, serve in SERVERS.items():
        await asyncio.start_server(serve, "127.0.0.1", port)
    print("listening", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
