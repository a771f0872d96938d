"""Every way a session can end: one configuration for whoever balances, and what both sides saw.

    endings.py config DIRECTORY      writes endings.cfg and its certificates
    endings.py play DIRECTORY LOG    plays all cases at once, prints "case: client saw, server saw"
                                     lines and "end"; LOG is what the balancer says

The case called `killed` is still on when the other lines are there: it waits for who balances to end.

A case is a line of CASES: its name, what its `listen` section has beside the defaults, what the
client does, what the server does.  Their words:

    send N    N bytes           read N     until so many have come, `read -` until the end
    flood     until no more is taken
    shut      FIN, reading goes on         fin, rst   closes with FIN, with RST
    meet      waits for the other one      still      until the other side ends, reading nothing
    tls       a TLS handshake              bye        close_notify, reading goes on
    cut       FIN without close_notify
    half      of a hello or a header       garbage    what is neither
    nap       a tenth of a second          stay       longer than any time-out here
    down, up  the port of the health checks goes, comes
    go        lets the one go that has taken the only place of a server that is `full`

A server that is `deaf` has its queue full: a SYN gets no answer.  `-` is a server that is not there.
"""

import pathlib
import select
import socket
import ssl
import subprocess
import sys
import threading
import time

FIRST, SERVERS, CHECKED = 7300, 7500, 7700
LONG = 12  # seconds that nothing here takes

DEFAULTS = """\
global
    log stdout format raw local0
    maxconn 2000
    hard-stop-after 200ms
defaults
    mode tcp
    log global
    log-format "END %f %b/%s %ts %Tw/%Tc/%Tt %U/%B %rc %sq/%bq FAULTS %[fc_err] %[bc_err] %[bc_err_str] %[last_rule_file] %[last_rule_line]"
    retries 0
    timeout connect 1s
    timeout queue 1s
    timeout client 30s
    timeout server 30s
"""

INSPECT = "tcp-request inspect-delay 20s; tcp-request content accept if { req.len ge 9 }"
ANSWER = "tcp-response inspect-delay 20s; tcp-response content accept if { res.len ge 9 }"
CHECK = "inter 100ms fall 1 rise 1"
NUMBERED = 'error-log-format "END %f %b/%s %ts FAULTS %[fc_err] %[fc_err_str]"'

# name | section | client | server
CASES = """
both ends                      |  | send 5, read 5, shut, read - | read 5, send 5, read -, fin
server ends first              |  | send 5, read -, fin | read 5, send 5, fin
server ends, client half-open  |  | send 5, read -, send 5, fin | read 5, shut, read -, fin
client half-open, answer comes |  | send 5, shut, read -, fin | read -, nap, send 5, fin
nothing said                   |  | meet, nap, fin | meet, read -, fin
nothing said, server ends      |  | read -, fin | nap, fin

client resets when connected   |  | meet, nap, rst | meet, read -, fin
client resets after asking     |  | send 5, meet, rst | read 5, meet, read -, fin
client resets after answer     |  | send 5, read 5, rst | read 5, send 5, read -, fin
client resets under answer     |  | send 5, read 9, rst | read 5, flood, still, fin
client resets half-closed      |  | send 5, shut, meet, nap, rst | read -, meet, stay, fin
client resets after server     |  | send 5, read -, rst | read 5, shut, read -, fin
client closes under answer     |  | send 5, read 9, fin | read 5, flood, still, fin
client closes, answer comes    |  | send 5, fin | read -, nap, send 5, nap, nap, send 5, nap, fin
last bytes find nobody         |  | send 5, read 9, meet, nap, rst | read 5, flood, meet, shut, still, fin
last bytes, client gone        |  | send 5, shut, read 9, meet, nap, rst | read -, flood, meet, fin

client silent                  | timeout client 500ms | read -, fin | read -, fin
client silent after asking     | timeout client 500ms | send 5, read 5, read -, fin | read 5, send 5, read -, fin
client reads nothing           | timeout client 500ms | send 5, stay, fin | read 5, flood, still, fin
client reads nothing to the end | timeout client 500ms | send 5, shut, stay, fin | read -, flood, fin
client silent after server     | timeout client 500ms | send 5, read -, stay, fin | read 5, shut, read -, fin
client-fin, server ended       | timeout client-fin 500ms | send 5, read -, stay, fin | read 5, shut, read -, fin
client silent in tunnel        | timeout tunnel 500ms | send 5, read 5, read -, fin | read 5, send 5, read -, fin
tunnel, half-closed            | timeout tunnel 500ms | send 5, shut, read -, fin | read -, stay, fin

server silent                  | timeout server 500ms | send 5, read -, fin | read 5, read -, fin
server silent from the start   | timeout server 500ms | read -, fin | read -, fin
server reads nothing           | timeout server 500ms | flood, still, fin | stay, fin
server silent, half-closed     | timeout server 500ms | send 5, shut, read -, fin | read -, stay, fin
server-fin, client ended       | timeout server-fin 500ms | send 5, shut, read -, fin | read -, stay, fin
server ended, reads nothing    | timeout server 500ms | flood, still, fin | shut, stay, fin
both silent                    | timeout server 500ms; timeout client 500ms | read -, fin | read -, fin
both silent after talk         | timeout server 500ms; timeout client 500ms | send 5, read 5, read -, fin | read 5, send 5, read -, fin

server resets at once          |  | read -, fin | nap, rst
server resets after asking     |  | send 5, read -, fin | read 5, rst
server resets under answer     |  | send 5, read -, fin | read 5, send 9, nap, rst
server resets half-closed      |  | send 5, shut, read -, fin | read -, nap, rst
server resets after its end    |  | send 5, read -, nap, nap, send 5, nap, send 5, read -, fin | read 5, shut, nap, rst
server resets under request    |  | flood, meet, still, fin | meet, rst
server closes under request    |  | flood, meet, still, fin | meet, fin
answer waits, server resets    |  | send 5, meet, nap, read -, fin | read 5, send 9, meet, nap, rst

server not there               |  | read -, fin | -
server not there, asked        |  | send 5, read -, fin | -
server deaf                    |  | read -, fin | deaf
server deaf, asked             |  | send 5, read -, fin | deaf
client resets, server deaf     |  | nap, rst | deaf
client closes, server deaf     |  | nap, fin | deaf
client asks, closes, deaf      |  | send 5, nap, fin | deaf
client aborts, server deaf     | option abortonclose | nap, fin | deaf
client asks, aborts, deaf      | option abortonclose | send 5, nap, fin | deaf
client silent, server deaf     | timeout client 300ms | read -, fin | deaf
retries, server not there      | retries 1 | read -, fin | -
retries, server deaf           | retries 1; timeout connect 300ms | read -, fin | deaf
no server                      | server-less | read -, fin | -
all servers off                | disabled | read -, fin | read -, fin
source not here                | source 192.0.2.1 | read -, fin | read -, fin

queue too slow                 | full | read -, go, fin | read 5, send 5, read -, fin
queue too slow, asked          | full | send 5, read -, go, fin | read 5, send 5, read -, fin
client resets in queue         | full | nap, rst, nap, go | read 5, send 5, read -, fin
client closes in queue         | full | nap, shut, read -, go, fin | read 5, send 5, read -, fin
client asks, closes in queue   | full | send 5, shut, read -, go, fin | read 5, send 5, read -, fin
client aborts in queue         | full; option abortonclose | send 5, nap, fin, nap, go | read 5, send 5, read -, fin
client silent in queue         | full; timeout client 300ms; timeout tunnel 10s | read -, go, fin | read 5, send 5, stay, fin
queue, then served             | full; timeout queue 10s | nap, go, send 5, read 5, shut, read -, fin | read 5, send 5, read -, fin
queue, client half-closed      | full; timeout queue 10s | send 5, shut, nap, go, read -, fin | read 5, send 5, read -, fin

request too late               | tcp-request inspect-delay 300ms; tcp-request content reject if !{ req.len ge 9 } | send 5, read -, fin | read -, fin
request waits, client silent   | timeout client 500ms; INSPECT | read -, fin | read -, fin
request waits, some came       | timeout client 500ms; INSPECT | send 5, read -, fin | read -, fin
request waits, client closes   | INSPECT; tcp-request content reject | nap, shut, read -, fin | read -, fin
request waits, client resets   | INSPECT | nap, rst | read -, fin
request waits, some, resets    | INSPECT | send 5, nap, rst | read -, fin
request waits, closes, passed  | INSPECT | send 5, shut, read -, fin | read -, fin
request refused                | tcp-request content reject | send 5, read -, fin | read -, fin
session refused                | tcp-request session reject | read -, fin | read -, fin
connection refused             | tcp-request connection reject | read -, fin | read -, fin
request dropped                | tcp-request content silent-drop | send 5, nap, fin | read -, fin
answer refused                 | tcp-response content reject | send 5, read -, fin | read 5, send 5, read -, fin
answer waits, server silent    | timeout server 500ms; ANSWER | send 5, read -, fin | read 5, send 5, read -, fin
answer waits, server resets it | ANSWER | send 5, read -, fin | read 5, send 5, nap, rst
answer waits, server ends      | ANSWER | send 5, read -, fin | read 5, send 5, fin
answer waits, client resets    | ANSWER | send 5, meet, rst | read 5, send 5, meet, read -, fin
answer waits, client silent    | timeout client 500ms; ANSWER | send 5, read -, fin | read 5, send 5, read -, fin

server went down               | check on-marked-down shutdown-sessions | send 5, read 5, meet, read -, fin | read 5, send 5, meet, down, read -, fin
better server came up          | spare | send 5, read 5, meet, read -, fin | read 5, send 5, meet, up, read -, fin

tls to client                  | bind ssl | tls, send 5, read 5, fin | read 5, send 5, read -, fin
tls to client, half-closed     | bind ssl | tls, send 5, bye, read -, fin | read -, nap, send 5, fin
tls to client, server ends     | bind ssl | tls, send 5, read -, fin | read 5, send 5, fin
tls to client, no word         | bind ssl; timeout client 500ms | read -, fin | read -, fin
tls to client, half a word     | bind ssl; timeout client 500ms | half, read -, fin | read -, fin
tls to client, closes          | bind ssl | nap, fin | read -, fin
tls to client, half and closes | bind ssl | half, nap, fin | read -, fin
tls to client, resets          | bind ssl | nap, rst | read -, fin
tls to client, half and resets | bind ssl | half, nap, rst | read -, fin
tls to client, garbage         | bind ssl | garbage, read -, fin | read -, fin
tls to client, closes, numbered | bind ssl; NUMBERED | nap, fin | read -, fin
tls to client, no word, numbered | bind ssl; NUMBERED; timeout client 500ms | read -, fin | read -, fin
tls to client, garbage, numbered | bind ssl; NUMBERED | garbage, read -, fin | read -, fin
tls to client, cut             | bind ssl | tls, send 5, meet, rst | read 5, meet, read -, fin
tls to client, no goodbye      | bind ssl | tls, send 5, read 5, cut | read 5, send 5, read -, fin
tls to client, server resets   | bind ssl | tls, send 5, read -, fin | read 5, rst
tls to client, reads nothing   | bind ssl; timeout client 500ms | tls, send 5, stay, fin | read 5, flood, still, fin
tls to client, silent          | bind ssl; timeout client 500ms | tls, send 5, read -, fin | read 5, read -, fin
tls to client, server silent   | bind ssl; timeout server 500ms | tls, send 5, read -, fin | read 5, read -, fin
null, no word                  | bind ssl; option dontlognull; timeout client 500ms | read -, fin | read -, fin
null, half a word              | bind ssl; option dontlognull; timeout client 500ms | half, read -, fin | read -, fin
null, half and closes          | bind ssl; option dontlognull | half, nap, fin | read -, fin
null, half and resets          | bind ssl; option dontlognull | half, nap, rst | read -, fin
null, garbage                  | bind ssl; option dontlognull | garbage, read -, fin | read -, fin
null, plain                    | option dontlognull | nap, fin | read -, fin

tls to server                  | server ssl | send 5, read 5, shut, read -, fin | tls, read 5, send 5, read -, fin
tls to server, mute            | server ssl | send 5, read -, fin | read -, fin
tls to server, closes          | server ssl | send 5, read -, fin | nap, fin
tls to server, resets          | server ssl | send 5, read -, fin | nap, rst
tls to server, garbage         | server ssl | send 5, read -, fin | garbage, read -, fin
tls to server, unknown         | server ssl verify | send 5, read -, fin | tls, read -, fin
tls to server, client resets   | server ssl | nap, rst | stay, read -, fin
tls to server, cut             | server ssl | send 5, read -, fin | tls, read 5, rst
tls to server, no goodbye      | server ssl | send 5, read -, fin | tls, read 5, send 5, cut
tls to server, silent          | server ssl; timeout server 500ms | send 5, read -, fin | tls, read 5, read -, fin

header missing                 | bind accept-proxy; timeout client 500ms | read -, fin | read -, fin
header cut                     | bind accept-proxy | half, nap, fin | read -, fin
header and nothing             | bind accept-proxy | nap, fin | read -, fin
header reset                   | bind accept-proxy | nap, rst | read -, fin
header and reset               | bind accept-proxy | half, nap, rst | read -, fin
header wrong                   | bind accept-proxy | garbage, read -, fin | read -, fin
header wrong, numbered         | bind accept-proxy; NUMBERED | garbage, read -, fin | read -, fin
header cut, numbered           | bind accept-proxy; NUMBERED | half, nap, fin | read -, fin
header missing, numbered       | bind accept-proxy; NUMBERED; timeout client 500ms | read -, fin | read -, fin
header and nothing, numbered   | bind accept-proxy; NUMBERED | nap, fin | read -, fin
null, no header                | bind accept-proxy; option dontlognull | nap, fin | read -, fin
null, half a header            | bind accept-proxy; option dontlognull | half, nap, fin | read -, fin

killed                         |  | send 5, read 5, read -, fin | read 5, send 5, read -, fin
"""


class Case:
    def __init__(self, index, line):
        self.name, self.section, client, server = (part.strip() for part in line.split("|"))
        self.client, self.server = client.split(", "), server.split(", ")
        self.port, self.server_port = FIRST + index, SERVERS + index
        self.checked_port = CHECKED + index
        self.meeting = threading.Barrier(2, timeout=LONG)
        self.holder = None
        self.saw = {"client": "", "server": ""}

    def __str__(self):
        return f"{self.label()}: client{self.saw['client']}, server{self.saw['server']}"

    def label(self):
        return self.name.replace(" ", "-").replace(",", "")

    def lines(self, folder):
        text = self.section.replace("INSPECT", INSPECT).replace("ANSWER", ANSWER)
        text = text.replace("NUMBERED", NUMBERED)
        bind, server, lines = "", "", []
        for part in filter(None, (part.strip() for part in text.split(";"))):
            word, _, rest = part.partition(" ")
            if part == "bind ssl":
                bind = f" ssl crt {folder}/endings.pem"
            elif word == "bind":
                bind = f" {rest}"
            elif part == "server ssl":
                server = " ssl verify none"
            elif part == "server ssl verify":
                server = f" ssl verify required ca-file {folder}/other.pem"
            elif word == "full":
                server = " maxconn 1"
            elif word == "disabled":
                server = " disabled"
            elif word == "check":
                server = f" {part} port {self.checked_port} {CHECK}"
            elif word == "spare":
                server = " backup"
                better = f"on-marked-up shutdown-backup-sessions port {self.checked_port} {CHECK}"
                lines.append(f"    server better 127.0.0.1:{self.server_port} check {better}")
            elif word != "server-less":
                lines.append(f"    {part}")
        head = [f"listen {self.label()}", f"    bind 127.0.0.1:{self.port}{bind}"]
        if "server-less" not in text:
            lines.append(f"    server s 127.0.0.1:{self.server_port}{server}")
        return head + lines


def cases():
    lines = filter(None, (line.strip() for line in CASES.splitlines()))
    return [Case(index, line) for index, line in enumerate(lines)]


def configuration(folder):
    return DEFAULTS + "\n".join(line for case in cases() for line in case.lines(folder)) + "\n"


class Actor:
    """One side of a case."""

    def __init__(self, case, side, sock, folder):
        self.case, self.side, self.sock, self.folder = case, side, sock, folder
        self.sock.settimeout(LONG)
        self.raw = sock

    def see(self, what):
        self.case.saw[self.side] += f" {what}"

    def play(self):
        script = self.case.client if self.side == "client" else self.case.server
        try:
            for words in map(str.split, script):
                getattr(self, words[0])(*words[1:])
        except ssl.SSLError:
            self.see("bad-tls")
        except ConnectionResetError:
            self.see("reset")
        except BrokenPipeError:
            self.see("broken")
        except (TimeoutError, threading.BrokenBarrierError):
            self.see("NOTHING")
        finally:
            self.sock.close()

    def send(self, count):
        self.sock.sendall(b"x" * int(count))

    def read(self, count):
        got = 0
        wanted = LONG << 30 if count == "-" else int(count)
        while got < wanted:
            piece = self.sock.recv(min(wanted - got, 1 << 16))
            if not piece:
                self.see(f"{got}+end")
                return
            got += len(piece)
        self.see(str(got))

    def flood(self):
        self.sock.settimeout(0.4)
        try:
            while True:
                self.sock.send(b"y" * 65536)
        except (TimeoutError, ssl.SSLWantWriteError):
            self.sock.settimeout(LONG)

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def fin(self):
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(0.2)
            try:
                self.sock = self.sock.unwrap()
            except OSError:
                pass
        self.sock.close()

    def cut(self):
        """FIN without the close_notify of TLS."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def rst(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def meet(self):
        self.case.meeting.wait()

    def still(self):
        """Until the kernel knows that the other side has gone for good."""
        poll = select.poll()
        poll.register(self.sock, select.POLLRDHUP)
        events = poll.poll(LONG * 1000)
        self.see("gone" if events else "NOTHING")

    def nap(self):
        time.sleep(0.1)

    def stay(self):
        time.sleep(1.5)

    def bye(self):
        """close_notify, while the answer is still to come."""
        self.sock.setblocking(False)
        try:
            self.sock.unwrap()
        except ssl.SSLWantReadError:
            self.sock.settimeout(LONG)

    def half(self):
        self.sock.sendall(b"\x16\x03" if "ssl" in self.case.section else b"PROXY TC")

    def garbage(self):
        self.sock.sendall(b"GET / HTTP/1.0\r\n\r\n")

    def tls(self):
        if self.side == "client":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.folder / "endings.pem")
        self.sock = context.wrap_socket(
            self.sock, server_side=self.side == "server", suppress_ragged_eofs=False
        )

    def go(self):
        self.case.holder.close()

    def down(self):
        self.case.checked.close()

    def up(self):
        self.case.checked = checked(self.case)


def checked(case):
    return socket.create_server(("127.0.0.1", case.checked_port), backlog=64)


def serve(case, listener, folder):
    while True:
        sock, _ = listener.accept()
        Actor(case, "server", sock, folder).play()


def prepare(case, folder):
    """Its server, and what its checks connect to."""
    if case.server == ["-"]:
        return
    listener = socket.create_server(
        ("127.0.0.1", case.server_port), backlog=0 if case.server == ["deaf"] else 16
    )
    if "check" in case.section:
        case.checked = checked(case)
    if case.server == ["deaf"]:
        case.deaf = listener, [socket.socket() for _ in range(4)]
        for sock in case.deaf[1]:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", case.server_port))
        return
    threading.Thread(target=serve, args=(case, listener, folder), daemon=True).start()


def play(case, folder):
    if "full" in case.section:
        case.holder = socket.create_connection(("127.0.0.1", case.port), timeout=LONG)
        case.holder.sendall(b"x" * 5)
        assert case.holder.recv(5)
    sock = socket.socket()
    if "flood" in case.server or "flood" in case.client:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.settimeout(LONG)
    sock.connect(("127.0.0.1", case.port))
    Actor(case, "client", sock, folder).play()


def main():
    folder = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "config":
        for name in ("endings", "other"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-keyout", folder / "key", "-out", folder / "cert", "-subj", f"/CN={name}"],
                check=True, capture_output=True, timeout=30,
            )  # fmt: skip
            pem = (folder / "cert").read_text() + (folder / "key").read_text()
            (folder / f"{name}.pem").write_text(pem)
        (folder / "endings.cfg").write_text(configuration(folder))
        return
    log = pathlib.Path(sys.argv[3])
    table = cases()
    for case in table:
        prepare(case, folder)
    for event in ("server-went-down/s is UP", "better-server-came-up/better is DOWN"):
        while event not in log.read_text(errors="replace"):
            time.sleep(0.02)
    players = {
        case.name: threading.Thread(target=play, args=(case, folder)) for case in table
    }
    for player in players.values():
        player.start()
    for name, player in players.items():
        if name != "killed":
            player.join()
    print("\n".join(map(str, table[:-1])), flush=True)
    players["killed"].join()
    print(f"{table[-1]}\nend", flush=True)


if __name__ == "__main__":
    main()
