"""subjects.py - the proxies under test, each configured as its users would, with one thread."""

import os
import socket
import ssl
import subprocess
import time

from processes import BenchError, end_tree, prepare_child, process_tree

NGINX_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
# Two descriptors a connection below a limit of 20,000; HAProxy wants more when it may use pipes.
CONNECTIONS_MAX = 9900
CONNECTIONS_MAX_SPLICE = 7000
# HAProxy sets one aside for each check.
CONNECTIONS_MAX_CHECKS = 1000

HAPROXY = """
global
    nbthread {threads}
    maxconn {maxconn}
    {log_target}
defaults
    mode tcp
    {log_option}
    timeout connect 5s
    timeout client {timeout}
    timeout server {timeout}
    {splice}
listen bench
    bind {listen}{ssl}
    balance roundrobin
    server web1 {server} check
{checked}"""

NGINX_SSL = """
    ssl_certificate {pem};
    ssl_certificate_key {pem};
    ssl_protocols TLSv1.2 TLSv1.3;
"""

NGINX = """
load_module {module};
daemon off;
worker_processes {threads};
worker_rlimit_nofile 20000;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 20000; }}
stream {{
    access_log off;
    proxy_connect_timeout 5s;
    proxy_timeout {timeout};
    upstream bench {{ server {server}; }}
    {ssl}
    server {{ listen {listen} backlog=4096{flag}; proxy_pass bench; }}
}}
"""


class Subject:
    """A proxy under test.  `listen`, `server` and each of `checked` are "address:port"."""

    def __init__(self, name, bench, listen, server, checked):
        self.name = name
        self.bench = bench
        self.listen = listen
        self.server = server
        self.process = None
        self.checked = checked
        self.tls = False
        self.more_servers = None
        self.threads = 1
        self.logs_to = None
        self.log = os.path.join(bench.directory, f"{name}.log")

    def path(self, name):
        return os.path.join(self.bench.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def timeout(self):
        """8,000 handshakes take so long that the first connections must bear more silence."""
        return "3m" if self.tls else "30s"

    def haproxy_file(self, splice):
        return HAPROXY.format(
            maxconn=self.connections_max(splice),
            listen=self.listen,
            server=self.server,
            timeout=self.timeout(),
            splice="option splice-auto" if splice else "",
            ssl=f" ssl crt {self.bench.certificate()}" if self.tls else "",
            checked=self.checked_servers(),
            threads=self.threads,
            log_target=f"log {self.logs_to} local0" if self.logs_to else "",
            log_option="log global\n    option tcplog" if self.logs_to else "",
        )

    def connections_max(self, splice):
        if self.more_servers:
            return CONNECTIONS_MAX_CHECKS
        return CONNECTIONS_MAX_SPLICE if splice else CONNECTIONS_MAX

    def checked_servers(self):
        """Backup servers that do nothing but be checked."""
        if not self.more_servers:
            return ""
        count, addresses = self.more_servers
        return "".join(
            f"    server c{i} {self.checked[i % addresses]} check inter 2s backup\n"
            for i in range(count)
        )

    def start(self, scenario):
        self.tls = scenario.tls
        self.more_servers = scenario.more_servers
        self.threads = scenario.threads
        self.logs_to = self.bench.log_sink() if scenario.tcplog else None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(scenario.splice),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=prepare_child(self.bench.proxy_cpus[-self.threads :]),
            )
        host, port = self.listen.split(":")
        deadline = time.monotonic() + 60
        while not answers(host, int(port), self.tls):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                words = self.last_words()
                raise BenchError(f"{self.name} does not serve; its last words:\n{words}")
            time.sleep(0.05)

    def stop(self):
        if self.process:
            end_tree(self.process)
            self.process = None

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def pids(self):
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} has died; its last words:\n{self.last_words()}")
        return process_tree(self.process.pid)


class Relay(Subject):
    def command(self, splice):
        return [self.bench.tool("relay"), self.listen, self.server]


class Haproxy(Subject):
    def command(self, splice):
        file = self.write("haproxy.cfg", self.haproxy_file(splice))
        return ["haproxy", "-db", "-f", file]


class Nginx(Subject):
    def command(self, splice):
        text = NGINX.format(
            module=NGINX_MODULE,
            threads=self.threads,
            directory=self.bench.directory,
            listen=self.listen,
            server=self.server,
            timeout=self.timeout(),
            ssl=NGINX_SSL.format(pem=self.bench.certificate()) if self.tls else "",
            flag=" ssl" if self.tls else "",
        )
        log = self.path("nginx.log")
        return ["nginx", "-e", log, "-c", self.write("nginx.conf", text)]


class Tandem(Subject):
    knows_splice = None

    def command(self, splice):
        if splice and self.knows_splice is None:
            file = self.write("tandem-try.cfg", self.haproxy_file(True))
            check = [self.bench.options.tandem, "-c", "-f", file]
            tried = subprocess.run(check, capture_output=True, timeout=10)
            self.knows_splice = tried.returncode == 0
        file = self.write("tandem.cfg", self.haproxy_file(splice and self.knows_splice))
        rundir = self.path("tandem-run")
        return [self.bench.options.tandem, "-f", file, "-R", rundir, "-db"]


SUBJECTS = {"relay": Relay, "haproxy": Haproxy, "nginx": Nginx, "tandem": Tandem}


def answers(host, port, tls):
    """Does a request through the proxy get a response?"""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=1) as plain:
            s = context.wrap_socket(plain) if tls else plain
            s.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            return s.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
