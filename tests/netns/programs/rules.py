"""Rules in TCP mode: one configuration for whoever balances, and what comes back for which bytes.

    rules.py config DIRECTORY    writes rules.cfg and its files of values
    rules.py ask                 serves the backends, asks every frontend, prints "case: answer" lines

Each expression has a frontend of its own that goes to `yes` if it holds and to `no` if not; frontends
of the other kind route by what a ClientHello says.  The servers answer with their names.
"""

import itertools
import pathlib
import random
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

FIRST, TLS, TIMES, SERVERS = 7200, 7100, 7150, {"yes": 7001, "no": 7002, "one": 7003, "two": 7004}
BYTES = b"SSH-2.0-x\x00\x02ab tail=1;WORD"

# What holds for a connection from 127.0.0.1 with BYTES as its first ones, as HAProxy sees it, is
# found out by asking it.
EXPRESSIONS = """
src 127.0.0.1
src 127.0.0.0/255.0.0.0
src 10.0.0.0/8 192.168.0.0/16 127.0.0.1/32
src ::ffff:127.0.0.1
src ::1 2001:db8::/32
src -f networks.lst
src,ipmask(8) 127.0.0.0
src,ipmask(255.255.0.0) 127.1.0.0
src -m str 127.0.0.1
src -m beg 127.
src -m len 9
src -m found
src_port gt 1023
src_port lt 1024
src_port 1:65535
dst 127.0.0.1
dst_port ge 7200 le 100
dst_port lt 7200
src_is_local
dst_conn 1
fe_conn 1
be_conn(yes) 0
nbsrv(yes) 1
nbsrv(yes) gt 1
srv_is_up(yes/s)
srv_conn(yes/s) 0
avg_queue(yes) 0
queue(yes) 0:5
connslots(yes) eq -1
be_conn_free(yes) -- -1
so_id 1
so_name -m found
fc_rcvd_proxy
fc_pp_authority -m found
fc_pp_unique_id -m found
always_true
always_false
ssl_fc
ssl_fc_sni -m found
bool(true)
bool(false)
int(5) 5
int(5) 1:4
int(5) gt 4 lt 6
int(5) -m bool
int(0) -m bool
int(-3) -m str -- -3
int(5),add(2),mul(3),sub(1),div(4),mod(3) 2
int(12),and(10),or(1),xor(2) 11
int(7),odd
int(7),even
int(7),neg -- -7
int(0),not
int(255),cpl -- -256
int(9223372036854775807),add(1) 9223372036854775807
str(abc) abc
str(abc) -i ABC
str(abc) ABC
str(ABC) -m beg -i ab
str(abc) -m end bc
str(abc) -m end -i BC
str(abcdef) -m sub cd xx
str(abcdef) -m len 6
str(abcdef) -m len 1:5
str(a/b/c) -m dir b
str(a/bb/c) -m dir b
str(www.example.com) -m dom example
str(www.example.com) -m dom example.com
str(www.example.com) -m dom xample
str(www.example.com) -m reg ^w+\\.ex
str(WWW.example.com) -m reg -i ^w+\\.ex
str(7) -m int 5:9
str(7x) -m int 5:9
str(x7) -m int 0
str(-7) -m int lt 0
str() -m int 0
str(1.5) -m bool
str(10.1.2.3) -m ip 10.0.0.0/8
str(abc) -m found
str(abc) -m bin 616263
str(abc),upper ABC
str(ABC),lower abc
str(abc),hex 616263
str(ff),hex2i 255
str(abc),length 3
str(b.example),map(hosts.map) two
str(B.example),map(hosts.map) -m found
str(B.example),lower,map_str(hosts.map,none) two
str(c.example),map_str(hosts.map,none) none
str(twice),map(hosts.map) first
str(spaced),map(hosts.map) -m str "several words"
str(/img/big/x),map_beg(paths.map) big
str(/img/x),map_beg(paths.map) img
str(/other),map_beg(paths.map) root
str(other),map_beg(paths.map) -m found
str(a.img),map_end(ends.map) image
str(needle),map_sub(ends.map) -m str inner
str(www.dom.org),map_dom(ends.map) domain
str(a/dir/b),map_dir(ends.map) directory
str(r77),map_reg(regs.map) number
str(web-17),map_regm(groups.map) n17.web
str(xyz),map_regm(groups.map) [yxyzA]
str(xz),map_regm(groups.map) [xzA]
str(none),map_regm(groups.map,dflt) dflt
str(7),map_int(numbers.map) seven
int(12),map_int(numbers.map) teens
int(99),map_int(numbers.map) -m found
src,map_ip(networks.map) host
ipv4(127.0.1.1),map_ip(networks.map) near
ipv4(127.9.1.1),map_ip(networks.map) loop
ipv4(10.1.1.1),map_ip(networks.map,far) far
ipv6(2001:db8:1::1),map_ip(networks.map) six-one
ipv6(2001:db8:2::1),map_ip(networks.map) six
str(a),map_str_int(values.map) 12
str(a),map_str_int(values.map),add(1) 13
str(z),map_str_int(values.map,5) 5
str(b),map_str_int(values.map) lt 0
str(a),map_str_ip(addresses.map) 10.0.0.0/8
str(b),map_str_ip(addresses.map) 2001:db8::/32
str(a1b22),regsub([0-9],x) -m str axb22
str(a1b22),regsub([0-9]+,x,g) -m str axbx
str(a1b22),regsub([0-9]*,-,g) -m found
str(ABab),regsub(b,x,gi) -m str AxAx
str(abc),regsub(x,y) -m str abc
str(abc),regsub(b,) -m str ac
str(abc),bytes(1) -m str bc
str(abc),bytes(1,1) -m str b
str(a.b..c),field(2,.) b
str(a.b..c),field(3,.) -m len 0
str(a.b..c),field(-1,.) c
str(a.b..c),field(2,.,2) b.
str(a.b..c),field(2,.,0) b..c
str(a.b..c),word(3,.) c
str(a.b..c),word(-2,.) b
str(a.b..c),word(4,.) -m found
str(a.b..c),word(2,.,2) b..c
str(xxaxx),ltrim(x),rtrim(x) a
str(abc),base64 YWJj
str(YWJj),b64dec -m str abc
str(abc),crc32 891568578
str(abc),djb2 193485963
str(abc),crc32c 910901175
str(abc),set-var(txn.new),length 3
str(abc),set-var(txn.new),length,add(txn.n) 10
int(5),set-var(txn.new),add(txn.new) 10
int(7),unset-var(txn.n) -m int 7
int(7),unset-var(txn.n),sub(txn.n) -m found
int(7),add(sess.none) -m found
str(7),secure_memcmp(txn.n)
str(8),secure_memcmp(txn.n)
str(x-127.0.0.1),secure_memcmp(txn.f)
str(x),secure_memcmp(sess.none) -m found
int(258),htonl,hex 00000102
bin(fbff00),ub64enc -- -_8A
bin(fbff),ub64enc -- -_8
var(txn.f),set-var(txn.f),upper X-127.0.0.1
var(txn.f),unset-var(txn.f),upper X-127.0.0.1
str(),ub64enc -m len 0
bin(22c3a92f),json(utf8) -- "\\\"\\u00e9\\/"
bin(41c3),json(utf8) -m found
fc_err 0
fc_err_str Success
bc_err -m found
srv_sess_rate(yes/s) ge 0
bin(101100044d5154540402003c0005636c69656e),mqtt_is_valid
bin(101100044d5154540402003c0005636c69656e),mqtt_field_value(connect,client_identifier) -m str clien
bin(200a01000712000261622401),mqtt_field_value(connack,36) -m str 1
req.payload(0,0),mqtt_is_valid
str(abc),crc32c(1) gt 0
str(abc),wt6 gt 0
str(abc),wt6,mod(97) 30:60
str(abc),wt6(1),mod(97) 0:48
bin(61620d0a63),cut_crlf -m str ab
str(abc),digest(MD5),hex 900150983CD24FB0D6963F7D28E17F72
str(abc),hmac(sha256,a2V5),hex -m beg 9C196E32
str(abc),hmac(sha256,txn.n) -m found
str(abc),hmac(sha256,sess.none) -m found
str(abc),xxh32 852579327
str(abc),xxh64(-7) -- -5180778048759447037
str(abc),xxh3(-9) -- -3163746738959506015
str(abc),sdbm(1) 659243622
str(abc),url_enc abc
str(a%2),url_dec -m found
str(a%zz),url_dec -m found
str(),url_dec -m found
bin(01),be2dec(.,2,1) -m found
str(-),ub64dec -m found
str(-_8),ub64dec,hex FBFF
str(+/8A),ub64dec -m found
str(),add_item(-,txn.f,x) x-127.0.0.1x
str(yes/s),srv_queue 0
str(yes/none),srv_queue -m found
str(none/s),srv_queue -m found
fc_rtt lt 1000
fc_rtt(us) ge 0
fc_lost 0
fc_retrans 0
fc_unacked 0:100
capture.req.hdr(0) SSH-2
capture.req.hdr(1) -m len 9
capture.req.hdr(2) -m found
str(abc),djb2(1) 4169841423
str(abc),sdbm 807794786
str(abc),sha1,hex A9993E364706816ABA3E25717850C26C9CD0D89D
str(abc),sha2(256),hex -m beg BA7816BF
str(abc),concat(-,,x) abc-x
int(0),utime(%Y-%m-%d) 1970-01-01
int(1),bool,iif(good,bad) good
bin(616200ff) -m bin 616200ff
bin(616263) -m str abc
ipv4(10.1.2.3) 10.1.2.0/24
ipv6(2001:db8::1) 2001:db8::/32
ipv6(::ffff:10.1.2.3) 10.0.0.0/8
env(NOBODY_SET_THIS) -m found
rand(1) 0
rand(10) lt 10
nbproc 1
req.len ge 8
req.len 26
req.len gt 5000
payload(0,4) 5353482d
req.payload(0,4) -m str SSH-
req.payload(0,4) -m reg ^S+H
req.payload(4,0) -m beg 2.0
req.payload(4,0) -m sub tail
req.payload(4,0) -m sub x
req.payload(0,0),length 26
req.payload(99,4) -m found
req.payload(20,99) -m found
req.payload_lv(10,1) -m str ab
req.payload_lv(10,1,0) -m str SS
req.payload_lv(10,1,+2) -m str " t"
req.payload(0,0),lower -m sub ssh
req.payload(13,13),field(2,=) 1;WORD
req.ssl_hello_type 1
req.ssl_sni -m found
req.ssl_ver 3.0:3.3
req.rdp_cookie -m found
req.rdp_cookie_cnt 0
req.proto_http
var(sess.a) -m str 127.0.0.1
var(sess.none) -m found
var(sess.none,dflt) -m str dflt
var(txn.n),add(1) 8
var(txn.f) -m str x-127.0.0.1
int(1),add(txn.n) 8
str(7),strcmp(txn.n) 0
be_id gt 0
fe_name -m beg expr
fe_defbe no
hostname -m len gt 0
wait_end
stopping
src 127.0.0.1 || always_false
""".strip().splitlines()

MAPS = {
    "hosts": "# hosts\na.example one\n  b.example\t \ttwo\n\ntwice first\ntwice second\n"
    "spaced several words\n",
    "paths": "/ root\n/img img\n/img/big big\n/img/bigger bigger\n",
    "ends": ".img image\needl inner\ndom domain\ndir directory\n",
    "regs": "^x other\n^r[0-9]+$ number\n^r rest\n",
    "groups": "^([a-z]+)-([0-9]+)$ n\\2.\\1\n^x(y)?z [\\1\\0\\x41]\n",
    "numbers": "7 seven\n10:19 teens\n12 twelve\n",
    "networks": "127.0.0.0/8 loop\n127.0.0.0/16 near\n127.0.0.1 host\n2001:db8::/32 six\n"
    "2001:db8:1::/48 six-one\n",
    "values": "a 12\nb -3\n",
    "addresses": "a 10.1.2.3\nb 2001:db8::7\n",
}

TLS_RULES = """
    acl exact req.ssl_sni -i App.Example.Org
    acl ends req.ssl_sni -m end -i .end.example .zwei.example
    acl begins req_ssl_sni -m beg pre
    acl inside req.ssl_sni -m sub needle
    acl domain req.ssl_sni -m dom dom
    acl matches req.ssl_sni -m reg ^r[0-9]+\\.example$
    acl listed req.ssl_sni -i -f hosts.lst
    acl h2 req.ssl_alpn h2
    use_backend one if exact or ends || begins
    use_backend two if inside or domain or matches
    use_backend yes if listed !h2
    use_backend %[req.ssl_sni,field(1,.)] if { req.ssl_sni -m end .dynamic.example }
    default_backend no
"""

HOSTS = [
    "app.example.org", "APP.EXAMPLE.ORG", "xapp.example.org", "a.end.example", "A.END.EXAMPLE",
    "end.example", "b.zwei.example", "prefix.example", "PREfix.example", "a-needle-b.example",
    "a.dom.example", "a.xdom.example", "r12.example", "r12.examplex", "listed.example",
    "two.dynamic.example", "nobody.dynamic.example", "other.example", None,
]  # fmt: skip


COMMON = """defaults common
    mode tcp
    log global
    option tcplog
    timeout client 20s
    timeout server 20s
    timeout connect 5s"""

# Sections that have the rules of `defaults`, before their own, which have an ACL of the same name.
# HAProxy 2.6 forgets those of `defaults` where one had to wait for bytes, and those of connections and
# sessions where the section has none itself: here it does not come to that.
FOLLOWERS = f"""
defaults asked from common
    acl mine dst_port {TLS + 8}
    tcp-request inspect-delay 10s
    tcp-request connection set-var(sess.order) str(defaults)
    tcp-request session set-var(sess.order) var(sess.order),concat(-session)
    tcp-request content capture src len 20
    tcp-request content set-var(txn.mine) bool(true) if mine
    tcp-request content accept if {{ dst_port {TLS + 10} }}
frontend following from asked
    bind 127.0.0.1:{TLS + 8},127.0.0.1:{TLS + 10}-{TLS + 12}
    acl mine dst_port {TLS + 11}
    tcp-request inspect-delay 1ms
    tcp-request content reject if {{ dst_port {TLS + 10} }}
    use_backend one if mine
    use_backend answering if {{ var(txn.mine) -m bool }}
    use_backend answering if {{ dst_port {TLS + 12} }}
    default_backend no
frontend told from asked
    bind 127.0.0.1:{TLS + 9}
    tcp-request connection set-var(sess.order) var(sess.order),concat(-own)
    tcp-request session set-var(sess.order) var(sess.order),concat(-last)
    tcp-request content capture dst_port len 5
    log-format 'LOG told %[var(sess.order)] %[capture.req.hdr(0)] %[capture.req.hdr(1)] %[var(sess.answer)] %B'
    default_backend answering
defaults let_in from common
    tcp-request connection accept if {{ src 127.0.0.1 }}
frontend inside from let_in
    bind 127.0.0.1:{TLS + 13}
    tcp-request connection reject
    default_backend one
defaults answered from common
    acl mine dst_port {TLS + 12}
    tcp-request content set-var(txn.kind) str(last) if mine
    tcp-response content set-var(sess.answer) str(first)
backend answering from answered
    tcp-request content set-var(txn.kind) var(txn.kind),concat(-own) if {{ src 127.0.0.1 }}
    tcp-response content set-var(sess.answer) var(sess.answer),concat(-own)
    use-server yes if {{ var(txn.kind) -m str last-own }}
    server two 127.0.0.1:{SERVERS["two"]}
    server yes 127.0.0.1:{SERVERS["yes"]}
"""


# What is captured in which place, and how the log shows it; %B: HAProxy logs when all has been said.
CAPTURES = f"""
frontend capture0
    bind 127.0.0.1:{TLS + 20}
    log-format 'LOG capture 0 hr=%hr hs=%hs hrl=%hrl hsl=%hsl %[capture.req.hdr(0)] %[capture.res.hdr(0)] %B'
    default_backend one
frontend capture1
    bind 127.0.0.1:{TLS + 21}
    declare capture request len 4
    tcp-request content capture dst_port len 9
    declare capture request len 20
    declare capture response len 3
    declare capture response len 30
    tcp-request content set-var(txn.a) src,capture-req(0),length
    tcp-request content set-var(txn.b) str(),capture-req(2)
    tcp-request content set-var(txn.c) int(7),capture-req(9)
    log-format 'LOG capture 1 {{ALL}} %[capture.req.hdr(2)] %[capture.req.hdr(3)] %[var(txn.a)] %[var(txn.b)] %B'
    default_backend capturing
frontend capture2
    bind 127.0.0.1:{TLS + 22}
    declare capture request len 9
    declare capture request len 30
    declare capture response len 4
    tcp-request content set-var(txn.a) bin(617c627b637d642265236609),capture-req(1)
    tcp-request content set-var(txn.b) bin(0041ff),capture-req(0)
    log-format 'LOG capture 2 {{ALL}} %[capture.req.hdr(1),length] %[src,capture-res(0)] %hs %[src,capture-res(1)] %B'
    default_backend one
backend capturing
    tcp-request content set-var(txn.d) str(backend),capture-req(2)
    tcp-response content set-var(txn.e) dst_port,capture-res(0)
    tcp-response content set-var(txn.e) str(answer),capture-res(1)
    server s 127.0.0.1:{SERVERS["two"]}
""".replace("{ALL}", "hr=%hr hs=%hs hrl=%hrl hsl=%hsl %{+Q}hr %{+Q}hs %{+Q}hrl %{+E}hr")


# Of the whole process: set when it begins, then by each of these connections.
PROCESS = """    set-var proc.state str(primary)
    set-var proc.prio int(100)
    set-var proc.threshold int(250),sub(proc.prio)
    set-var-fmt proc.text "a-%[var(proc.state)]-%[var(proc.threshold)]"
    set-var proc.ip ipv4(192.0.2.7)
    set-var proc.bin bin(0041ff)
    set-var proc.none var(proc.nothing)"""
SHARED = f"""
frontend process
    bind 127.0.0.1:{TLS + 23}
    tcp-request connection set-var(proc.count) var(proc.count,0),add(1)
    tcp-request connection set-var(proc.state,ifgt) str(second) if {{ var(proc.count) -m int gt 1 }}
    tcp-request connection unset-var(proc.text) if {{ var(proc.count) -m int gt 2 }}
    log-format 'LOG process %[var(proc.count)] VALUES %B'
    default_backend one
""".replace(
    "VALUES",
    "|".join(
        f"%[{value}]"
        for value in (
            "var(proc.state)", "var(proc.prio)", "var(proc.threshold)", "var(proc.text)", "var(proc.ip)",
            "var(proc.bin),hex", "var(proc.none)", "str(x),set-var(proc.state,ifnotexists)",
            "str(y),set-var(proc.new,ifexists)", "var(proc.new)", "str(z),set-var(proc.n2,ifset)",
            "str(z),set-var(proc.n2,ifnotset)", "int(5),set-var(proc.prio,ifgt)", "var(proc.prio)",
            "int(7),set-var(proc.prio,ifgt)", "var(proc.state),set-var(proc.copy)", "var(proc.copy)",
            "var(proc.copy),unset-var(proc.copy)", "var(proc.copy)", "str(a),concat(-,proc.text,-)",
            "int(3),add(proc.prio)", "str(u),strcmp(proc.state)",
        )
    ),
)  # fmt: skip


def configuration(folder):
    lines = ["global", "    log stdout len 8192 format raw local0", PROCESS]
    lines += [COMMON + FOLLOWERS + COMMON.replace("common", "all") + CAPTURES + SHARED]
    for i, expression in enumerate(EXPRESSIONS):
        condition = " || ".join("{ " + part + " }" for part in expression.split(" || "))
        lines += [
            f"frontend expr{i}",
            f"    bind 127.0.0.1:{FIRST + i}",
            "    tcp-request connection set-var(sess.a) src",
            "    tcp-request inspect-delay 10s",
            "    tcp-request content set-var(txn.n) int(7)",
            "    tcp-request content set-var-fmt(txn.f) x-%[src]",
            "    tcp-request content capture req.payload(0,9) len 5 if { req.len ge 26 }",
            "    tcp-request content capture src len 20 if { req.len ge 26 }",
            "    tcp-request content accept if { req.len ge 26 }",
            f"    use_backend yes if {condition}",
            "    default_backend no",
        ]
    lines += ["frontend tls", f"    bind 127.0.0.1:{TLS}", "    tcp-request inspect-delay 10s"]
    lines += ["    tcp-request content accept if { req.ssl_hello_type 1 }", TLS_RULES]
    # It is not worth waiting for what cannot come.
    lines += ["frontend impatient", f"    bind 127.0.0.1:{TLS + 1}"]
    lines += ["    tcp-request inspect-delay 2s"]
    lines += ["    tcp-request content reject if !{ req.ssl_hello_type 1 }", TLS_RULES]
    lines += ["frontend rdp", f"    bind 127.0.0.1:{TLS + 2}", "    tcp-request inspect-delay 10s"]
    lines += ["    tcp-request content accept if RDP_COOKIE", "    acl mine req.rdp_cookie mine"]
    lines += ["    acl named req.rdp_cookie(mstshash) -m beg u", "    use_backend one if mine"]
    lines += ["    use_backend two if named", "    default_backend no"]
    lines += ["frontend formats", f"    bind 127.0.0.1:{TLS + 3} name door"]
    lines += ["    log-format '" + FORMAT + "'", "    default_backend chosen"]
    for i in range(2):
        lines += [f"frontend made{i}", f"    bind 127.0.0.1:{TLS + 6 + i}"]
        lines += ["    tcp-request content set-var-fmt(txn.f) x-%[src]", "    default_backend one"]
        lines += [f"    log-format 'LOG made {i} " + "|".join(MADE[i::2]) + "'"]
    for i, state in enumerate(STATES):
        lines += [f"frontend state{i}", f"    bind 127.0.0.1:{TLS + 14 + i}"]
        lines += [f"    log-format 'LOG state {i} " + "|".join(changes(state)) + " %B'"]
        lines += ["    default_backend one"]
    lines += doors(folder)
    for name, port in SERVERS.items():
        lines += [f"backend {name}", f"    server s 127.0.0.1:{port}"]
    lines += ["backend chosen", "    use-server b if { src 127.0.0.1 }", "    server a 127.0.0.1:7001"]
    lines += ["    tcp-response content set-log-level silent if !{ cur_server_timeout 20000 }"]
    lines += ["    server b 127.0.0.1:7002", "    tcp-response content accept if { res.len gt 0 }"]
    text = "\n".join(lines) + "\n"
    text = re.sub(r"(map\w*\()(\w+\.map)", rf"\1{folder}/\2", text)
    return text.replace("-f ", f"-f {folder}/")


# Of each certificate; of each connection with TLS.
CERTIFICATE = (
    "version serial,hex sha1,hex der,sha1,hex s_dn s_dn(CN) s_dn(O,-1) i_dn i_dn(CN,-1) notbefore "
    "notafter key_alg sig_alg"
)
CONNECTION = (
    "alpn protocol cipher alg_keysize use_keysize is_resumed client_random,hex,length "
    "server_random,hex,length unique_id,hex,length"
)


def tls_words(*asked):
    return [f"{beginning}_{word}" for beginning, words in asked for word in words.split()]


def doors(folder):
    """A frontend that is told of its clients and has TLS on both sides, and what it connects to."""
    outer = ["fc_rcvd_proxy", "fc_pp_authority", "fc_pp_unique_id", "src", "ssl_bc"]
    outer += ["cur_tunnel_timeout", "ssl_fc_session_key,hex,length"]
    outer += tls_words(("ssl_fc", CONNECTION), ("ssl_f", CERTIFICATE))
    outer += tls_words(("ssl_bc", CONNECTION), ("ssl_s", CERTIFICATE))
    inner = tls_words(("ssl_fc", CONNECTION), ("ssl_f", CERTIFICATE), ("ssl_c", CERTIFICATE))
    formats = {
        name: " ".join(f"{word}=%[{word}]" for word in words)
        for name, words in (("outer", outer), ("inner", inner))
    }
    lines = ["listen outer", f"    bind 127.0.0.1:{TLS + 4} accept-proxy ssl crt {folder}/outer.pem"]
    lines += [f"    server inner 127.0.0.1:{TLS + 5} ssl verify none crt {folder}/client.pem alpn in"]
    lines += ["listen inner", f"    bind 127.0.0.1:{TLS + 5} ssl crt {folder}/inner.pem alpn in"]
    lines[-1] += f" verify optional ca-file {folder}/client.pem"
    lines += [f"    server s 127.0.0.1:{SERVERS['one']}"]
    for name, words in formats.items():
        lines.insert(lines.index(f"listen {name}") + 1, f"    log-format 'LOG {name} {words}'")
    return lines


def certificates(folder):
    for name, key in (("outer", "rsa:2048"), ("inner", "ec"), ("client", "ec")):
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else []
        subject = f"/C=DE/O=first/O=second/CN={name}.example.org"
        command = ["openssl", "req", "-x509", "-newkey", key, *curve, "-nodes", "-days", "9"]
        command += ["-subj", subject, "-keyout", folder / "key", "-out", folder / "cert"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        text = (folder / "cert").read_text() + (folder / "key").read_text()
        (folder / f"{name}.pem").write_text(text)


# What converters make of texts of several lengths.
MADE = [
    f"%[{word}]"
    for made in (
        "digest(sha1),hex", "digest(sha512-256),hex", "digest(sha3-384),hex",
        "digest(blake2s256),hex", "hmac(sha512,),hex", "hmac(md5,c2VjcmV0),hex", "xxh32", "xxh32(9)",
        "xxh64", "xxh64(9)", "xxh3", "xxh3(9)", "xxh3(-9)", "sdbm(1)", "djb2(1)", "wt6", "wt6(1)",
        "crc32", "crc32(1)", "crc32c", "crc32c(1)", "url_enc", "url_enc(query)", "url_dec", "url_dec(1)", "be2hex",
        "be2hex(:,2)", "be2hex(--,3,1)", "be2hex(,3,1)", "be2dec(.,1)", "be2dec(-,2,1)", "be2dec(,8)",
        "base64,b64dec,hex", "ub64enc,ub64dec,hex", "add_item(-,,x)", "add_item(;,txn.f)",
        "add_item(;,txn.none)", "add_item(;,txn.none,x)",
    )
    for word in (f"str({text}),{made}" for text in ("", "abc", "a%20b+c/d?e+~%2f", "0123456789" * 7))
]  # fmt: skip

# What a variable may have been before a conditional change, and what it may become.
STATES = [
    "", "str(a),set-var(txn.V),unset-var(txn.V)", "int(5),set-var(txn.V)", "str(abc),set-var(txn.V)",
    "str(),set-var(txn.V)",
]  # fmt: skip
CONDITIONS = [
    "ifexists", "ifnotexists", "ifempty", "ifnotempty", "ifset", "ifnotset", "ifgt", "iflt",
    "ifset,ifgt", "ifnotexists,ifnotempty", "ifempty,ifset", "ifgt,iflt",
]  # fmt: skip


def changes(state):
    """Of each condition and new value: what comes of it, what the variable is, whether it exists."""
    cells = itertools.product(CONDITIONS, ("str()", "str(q)", "int(4)", "int(9)", "src"))
    for i, (condition, value) in enumerate(cells):
        after = f"%[{value},set-var(txn.V,{condition})]/%[var(txn.V)]/%[str(z),set-var(txn.V,ifexists)]"
        yield ((f"%[{state}]" if state else "") + after).replace("txn.V", f"txn.v{i}")


# Between bars: what differs from run to run is cut out by who compares.
FORMAT = (
    "LOG %ci %{+X}ci %{+Q}ci|%f %ft %{+Q}ft|%b/%s %{+Q}s|%B %U|%ts %tsc %ST|%rc %{+Q}rc|%si:%sp "
    "%{+X}si:%{+X}sp|%fi:%fp %{+X}fp|%bi|%ac/%fc/%bc/%sc|%sq/%bq|%sslc %sslv|%ID|%%|"
    "%[bin(00414243)] %[bin(414200)] %[str(a),hex] %[bool(true)] %[int(12)] %{+X}[int(12)]|%[src]|"
    "%[str(a]b)] %{+E}[str(a]b)] %{+Q}[str(a]b)] %{+Q,+E}[str(a]b)]|%[str()] %{+Q}[str()]|"
    "%[ssl_fc] %[ssl_fc_sni] %{+Q}[ssl_fc_sni]|%[so_name] %[fe_defbe] %[srv_name]|%{+Q}o %b  %f %{-Q}b"
)


class Server(threading.Thread):
    """Says its name and what it got, once the client has said all."""

    def __init__(self, name, port):
        super().__init__(daemon=True)
        self.name_sent = name.encode()
        self.socket = socket.create_server(("127.0.0.1", port), backlog=64)

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            got = b""
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                got += piece
                if piece.endswith(b"NOW"):
                    break
            connection.sendall(b"%s %d" % (self.name_sent, len(got)))


def ask(port, pieces):
    """What comes back for these bytes, sent piece by piece."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        try:
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
            while True:
                piece = client.recv(65536)
                if not piece:
                    break
                answer += piece
        except ConnectionError:
            answer += b"<reset>"
    return answer.decode()


def header():
    """A PROXY header, version 2, with an authority and an identifier."""
    body = socket.inet_aton("192.0.2.9") + socket.inet_aton("192.0.2.10") + struct.pack(">HH", 9, 10)
    for kind, value in ((2, b"host.example"), (5, b"no-17")):
        body += struct.pack(">BH", kind, len(value)) + value
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", 0x21, 0x11, len(body)) + body


def ask_door(port):
    """What comes back by TLS behind a PROXY header."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        plain.sendall(header())
        with context.wrap_socket(plain) as client:
            client.sendall(b"all of it NOW")
            return client.recv(65536).decode()


def hello(host, protocols=None):
    """A ClientHello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=host)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def rdp(cookie):
    body = b"\xe0\x00\x00\x00\x00\x00Cookie: " + cookie + b"\r\n"
    return b"\x03\x00" + struct.pack(">HB", len(body) + 5, len(body)) + body


def cut(data, rng):
    """The same in pieces of random sizes."""
    pieces = []
    while data:
        size = rng.randint(1, 40)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def cases():
    rng = random.Random(7)
    for i, expression in enumerate(EXPRESSIONS):
        yield expression, FIRST + i, [BYTES]
    for host in HOSTS:
        yield f"tls {host}", TLS, [hello(host)]
        yield f"tls {host} in pieces", TLS, cut(hello(host), rng)
    first = hello("listed.example", ["h2", "http/1.1"])
    yield "tls h2", TLS, [first]
    yield "tls one by one", TLS, [first[i : i + 1] for i in range(len(first))]
    yield "tls cut short", TLS, [first[:100]]
    yield "no tls", TLS, [b"GET / HTTP/1.0\r\n\r\n"]
    yield "nothing", TLS, []
    yield "impatient no tls", TLS + 1, [b"GET / HTTP/1.0\r\n\r\n"]
    yield "impatient tls", TLS + 1, [hello("app.example.org")]
    yield "impatient cut short", TLS + 1, [first[:100]]
    yield "rdp mine", TLS + 2, [rdp(b"other=mine")]
    yield "rdp user", TLS + 2, cut(rdp(b"mstshash=user"), rng)
    yield "rdp other", TLS + 2, [rdp(b"msts=user")]
    yield "rdp none", TLS + 2, [rdp(b"")]
    yield "no rdp", TLS + 2, [b"GET / HTTP/1.0\r\n\r\n"]
    for port in 8, 10, 11, 12, 13:
        yield f"following {port}", TLS + port, [b"abc"]
    yield "told", TLS + 9, [b"abc"]
    for i in range(3):
        yield f"capture {i}", TLS + 20 + i, [b"abc"]
    for i in range(3):
        yield f"process {i}", TLS + 23, [b"abc"]
    yield "formats", TLS + 3, [b"abc"]
    yield "made", TLS + 6, [b"abc"]
    yield "made", TLS + 7, [b"abc"]
    for i in range(len(STATES)):
        yield f"state {i}", TLS + 14 + i, [b"abc"]


def listening():
    """The local ports that somebody listens on."""
    rows = pathlib.Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    return {int(row.split()[1].split(":")[1], 16) for row in rows if row.split()[3] == "0A"}


def main():
    if sys.argv[1] == "config":
        folder = pathlib.Path(sys.argv[2])
        (folder / "networks.lst").write_text("# networks\n10.0.0.0/8\n  127.0.0.0/24\n")
        for name, lines in MAPS.items():
            (folder / f"{name}.map").write_text(lines)
        (folder / "hosts.lst").write_text("Listed.Example\n#other.example\n\n")
        certificates(folder)
        (folder / "rules.cfg").write_text(configuration(folder))
        return
    for name, port in SERVERS.items():
        Server(name, port).start()
    while not {port for _, port, _ in cases()} <= listening():
        time.sleep(0.02)
    for name, port, pieces in cases():
        print(f"{name}: {ask(port, pieces)}", flush=True)
    print(f"door: {ask_door(TLS + 4)}", flush=True)


if __name__ == "__main__":
    main()
