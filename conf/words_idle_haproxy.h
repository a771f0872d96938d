/*
 * words_idle_haproxy.h - words of HAProxy's that have nothing to do here, or cannot work, and why.
 * Those with a neighbour that works stand beside it in the tables themselves.
 */
#pragma once

#include "conf/table.h"

/* clang-format off */
#define HAPROXY_IDLE(word, reason)                                                                 \
	{                                                                                          \
		word, CONF_TYPE_NOTICE, .flags = ROW_NO, .doc = reason                             \
	}
#define HAPROXY_IDLE_LOUD(word, reason)                                                            \
	{                                                                                          \
		word, CONF_TYPE_NOTICE, .flags = ROW_NO | ROW_LOUD, .doc = reason                  \
	}
#define HAPROXY_REFUSED(word, reason)                                                              \
	{                                                                                          \
		word, CONF_TYPE_REFUSED, .doc = reason,                                            \
	}
/* A word of HTTP's that is gone, and what has taken its place. */
#define HAPROXY_MODERN(word, form)                                                                 \
	HAPROXY_REFUSED(word, WHY_NEEDS "; its modern form is `" form "`")
/* A parameter with `args` words behind it. */
#define HAPROXY_PARAMETER(word, args, reason)                                                      \
	{                                                                                          \
		word, CONF_TYPE_NOTICE, .min = args, .doc = reason                                 \
	}
#define HAPROXY_PARAMETER_REFUSED(word, args, reason)                                              \
	{                                                                                          \
		word, CONF_TYPE_REFUSED, .min = args, .doc = reason                                \
	}

#define WHY_HTTP    "only HTTP mode uses it, which this version does not have"
#define WHY_NEEDS   "needs mode http, which this version does not have"
#define WHY_DEVICE  "devices are not recognised"
#define WHY_LUA     "there is no Lua"
#define WHY_QUIC    "there is no QUIC"
#define WHY_BUFFERS "buffers are taken from the kernel's own sizes as they are needed"
#define WHY_POLLER  "epoll is the only poller"
#define WHY_THREADS "`nbthread` threads run where the system puts them"
#define WHY_TLS     "the TLS library's own choice is used"
#define WHY_PEERS   "stick tables are not shared between the nodes"
#define WHY_LIMIT   "connections are not limited by their rate"
#define WHY_TABLES  "stick tables come with a later version"

#define GLOBAL_IDLE_ROWS                                                                           \
	HAPROXY_IDLE("51degrees-cache-size", WHY_DEVICE),                                          \
	HAPROXY_IDLE("51degrees-data-file", WHY_DEVICE),                                           \
	HAPROXY_IDLE("51degrees-property-name-list", WHY_DEVICE),                                  \
	HAPROXY_IDLE("51degrees-property-separator", WHY_DEVICE),                                  \
	HAPROXY_IDLE("51degrees-allow-unmatched", WHY_DEVICE),                                     \
	HAPROXY_IDLE("51degrees-use-performance-graph", WHY_DEVICE),                               \
	HAPROXY_IDLE("51degrees-use-predictive-graph", WHY_DEVICE),                                \
	HAPROXY_IDLE("51degrees-difference", WHY_DEVICE),                                          \
	HAPROXY_IDLE("51degrees-drift", WHY_DEVICE),                                               \
	HAPROXY_IDLE("deviceatlas-json-file", WHY_DEVICE),                                         \
	HAPROXY_IDLE("deviceatlas-log-level", WHY_DEVICE),                                         \
	HAPROXY_IDLE("deviceatlas-properties-cookie", WHY_DEVICE),                                 \
	HAPROXY_IDLE("deviceatlas-separator", WHY_DEVICE),                                         \
	HAPROXY_IDLE("wurfl-cache-size", WHY_DEVICE), HAPROXY_IDLE("wurfl-data-file", WHY_DEVICE), \
	HAPROXY_IDLE("wurfl-engine-mode", WHY_DEVICE),                                             \
	HAPROXY_IDLE("wurfl-patch-file", WHY_DEVICE),                                              \
	HAPROXY_IDLE("wurfl-information-list", WHY_DEVICE),                                        \
	HAPROXY_IDLE("wurfl-information-list-separator", WHY_DEVICE),                              \
	HAPROXY_IDLE("wurfl-useragent-priority", WHY_DEVICE),                                      \
	HAPROXY_IDLE("acme.scheduler", "certificates are not fetched"),                            \
	HAPROXY_IDLE("anonkey", "`-dump` hides secrets and nothing else"),                         \
	HAPROXY_IDLE("close-spread-time", "sessions end when the process stops"),                  \
	HAPROXY_IDLE("cluster-secret", WHY_HTTP),                                                  \
	HAPROXY_IDLE("expose-experimental-directives", "nothing here is experimental"),            \
	HAPROXY_IDLE("expose-deprecated-directives", "old words are translated with a warning"),   \
	HAPROXY_IDLE("force-cfg-parser-pause", "it was a debugging aid"),                          \
	HAPROXY_IDLE("h1-accept-payload-with-any-method", WHY_HTTP),                               \
	HAPROXY_IDLE("h1-case-adjust-file", WHY_HTTP),                                             \
	HAPROXY_IDLE("h1-do-not-close-on-insecure-transfer-encoding", WHY_HTTP),                   \
	HAPROXY_IDLE("h2-workaround-bogus-websocket-clients", WHY_HTTP),                           \
	HAPROXY_IDLE("harden.reject-privileged-ports.tcp", "clients of every port are served"),    \
	HAPROXY_IDLE("harden.reject-privileged-ports.quic", WHY_QUIC),                             \
	HAPROXY_IDLE("http-err-codes", WHY_HTTP), HAPROXY_IDLE("http-fail-codes", WHY_HTTP),       \
	HAPROXY_IDLE("httpclient.resolvers.disabled", WHY_HTTP),                                   \
	HAPROXY_IDLE("httpclient.resolvers.id", WHY_HTTP),                                         \
	HAPROXY_IDLE("httpclient.resolvers.prefer", WHY_HTTP),                                     \
	HAPROXY_IDLE("httpclient.retries", WHY_HTTP),                                              \
	HAPROXY_IDLE("httpclient.ssl.ca-file", WHY_HTTP),                                          \
	HAPROXY_IDLE("httpclient.timeout.connect", WHY_HTTP),                                      \
	HAPROXY_IDLE("limited-quic", WHY_QUIC), HAPROXY_IDLE("no-quic", WHY_QUIC),                 \
	HAPROXY_IDLE("lua-load", WHY_LUA), HAPROXY_IDLE("lua-load-per-thread", WHY_LUA),           \
	HAPROXY_IDLE("lua-prepend-path", WHY_LUA),                                                 \
	HAPROXY_IDLE("localpeer", WHY_PEERS),                                                      \
	HAPROXY_IDLE("maxcompcpuusage", WHY_HTTP), HAPROXY_IDLE("maxcomprate", WHY_HTTP),          \
	HAPROXY_IDLE("maxzlibmem", WHY_HTTP),                                                      \
	HAPROXY_IDLE_LOUD("maxconnrate", WHY_LIMIT), HAPROXY_IDLE_LOUD("maxsessrate", WHY_LIMIT),  \
	HAPROXY_IDLE_LOUD("maxsslrate", WHY_LIMIT),                                                \
	HAPROXY_IDLE("no-memory-trimming", "memory is kept where it is used"),                     \
	HAPROXY_IDLE("noevports", WHY_POLLER), HAPROXY_IDLE("nokqueue", WHY_POLLER),               \
	HAPROXY_IDLE("nosepoll", WHY_POLLER),                                                      \
	HAPROXY_IDLE("nogetaddrinfo", "names are resolved by the system's resolver"),              \
	HAPROXY_IDLE("numa-cpu-mapping", WHY_THREADS), HAPROXY_IDLE("thread-group", WHY_THREADS),  \
	HAPROXY_IDLE("thread-groups", WHY_THREADS),                                                \
	HAPROXY_IDLE("thread-hard-limit", WHY_THREADS),                                            \
	HAPROXY_IDLE("cpu-policy", WHY_THREADS), HAPROXY_IDLE("cpu-set", WHY_THREADS),             \
	HAPROXY_IDLE("ocsp-update.disable", "certificates' status is not fetched"),                \
	HAPROXY_IDLE("ocsp-update.httpproxy", "certificates' status is not fetched"),              \
	HAPROXY_IDLE("ocsp-update.maxdelay", "certificates' status is not fetched"),               \
	HAPROXY_IDLE("ocsp-update.mindelay", "certificates' status is not fetched"),               \
	HAPROXY_IDLE("ocsp-update.mode", "certificates' status is not fetched"),                   \
	HAPROXY_IDLE("pp2-never-send-local", "checks never pretend to be a client"),               \
	HAPROXY_IDLE("prealloc-fd", "descriptors are taken as they are needed"),                   \
	HAPROXY_IDLE("profiling.memory", "it was a debugging aid"),                                \
	HAPROXY_IDLE("profiling.tasks", "it was a debugging aid"),                                 \
	HAPROXY_IDLE("setcap", "capabilities are what each process needs"),                        \
	HAPROXY_IDLE("shm-stats-file", "state is shown by `tandem status`"),                       \
	HAPROXY_IDLE("shm-stats-file-max-objects", "state is shown by `tandem status`"),           \
	HAPROXY_IDLE("stats-file", "state is shown by `tandem status`"),                           \
	HAPROXY_IDLE("ssl-default-bind-sigalgs", WHY_TLS),                                         \
	HAPROXY_IDLE("ssl-default-bind-client-sigalgs", WHY_TLS),                                  \
	HAPROXY_IDLE("ssl-default-server-sigalgs", WHY_TLS),                                       \
	HAPROXY_IDLE("ssl-default-server-client-sigalgs", WHY_TLS),                                \
	HAPROXY_IDLE("ssl-load-extra-del-ext", WHY_TLS),                                           \
	HAPROXY_IDLE("ssl-load-extra-files", WHY_TLS), HAPROXY_IDLE("ssl-mode-async", WHY_TLS),    \
	HAPROXY_IDLE("ssl-passphrase-cmd", WHY_TLS), HAPROXY_IDLE("ssl-propquery", WHY_TLS),       \
	HAPROXY_IDLE("ssl-provider", WHY_TLS), HAPROXY_IDLE("ssl-provider-path", WHY_TLS),         \
	HAPROXY_IDLE("ssl-security-level", WHY_TLS),                                               \
	HAPROXY_IDLE("ssl-skip-self-issued-ca", WHY_TLS),                                          \
	HAPROXY_IDLE("strict-limits", "a limit that cannot be set is told at the start"),          \
	HAPROXY_IDLE("warn-blocked-traffic-after", "a hung thread shows in `tandem status`"),      \
	HAPROXY_IDLE("tune.applet.zero-copy-forwarding", WHY_HTTP),                                \
	HAPROXY_IDLE("tune.buffers.limit", WHY_BUFFERS),                                           \
	HAPROXY_IDLE("tune.buffers.reserve", WHY_BUFFERS),                                         \
	HAPROXY_IDLE("tune.comp.maxlevel", WHY_HTTP),                                              \
	HAPROXY_IDLE("tune.disable-fast-forward", WHY_BUFFERS),                                    \
	HAPROXY_IDLE("tune.disable-zero-copy-forwarding", WHY_BUFFERS),                            \
	HAPROXY_IDLE("tune.events.max-events-at-once", WHY_LUA),                                   \
	HAPROXY_IDLE("tune.epoll.mask-events", WHY_POLLER),                                        \
	HAPROXY_IDLE("tune.fail-alloc", "it was a debugging aid"),                                 \
	HAPROXY_IDLE("tune.fd.edge-triggered", WHY_POLLER),                                        \
	HAPROXY_IDLE("tune.glitches.kill.cpu-usage", WHY_HTTP),                                    \
	HAPROXY_IDLE("tune.h1.zero-copy-fwd-recv", WHY_HTTP),                                      \
	HAPROXY_IDLE("tune.h1.zero-copy-fwd-send", WHY_HTTP),                                      \
	HAPROXY_IDLE("tune.h2.be.glitches-threshold", WHY_HTTP),                                   \
	HAPROXY_IDLE("tune.h2.be.initial-window-size", WHY_HTTP),                                  \
	HAPROXY_IDLE("tune.h2.be.max-concurrent-streams", WHY_HTTP),                               \
	HAPROXY_IDLE("tune.h2.be.rxbuf", WHY_HTTP),                                                \
	HAPROXY_IDLE("tune.h2.fe.glitches-threshold", WHY_HTTP),                                   \
	HAPROXY_IDLE("tune.h2.fe.initial-window-size", WHY_HTTP),                                  \
	HAPROXY_IDLE("tune.h2.fe.max-concurrent-streams", WHY_HTTP),                               \
	HAPROXY_IDLE("tune.h2.fe.max-total-streams", WHY_HTTP),                                    \
	HAPROXY_IDLE("tune.h2.fe.rxbuf", WHY_HTTP),                                                \
	HAPROXY_IDLE("tune.h2.max-frame-size", WHY_HTTP),                                          \
	HAPROXY_IDLE("tune.h2.zero-copy-fwd-send", WHY_HTTP),                                      \
	HAPROXY_IDLE("tune.idle-pool.shared", "connections are not pooled"),                       \
	HAPROXY_IDLE("tune.listener.multi-queue", "the kernel shares out what connects"),          \
	HAPROXY_IDLE("tune.vars.check-max-size", "checks set no variables"),                       \
	HAPROXY_IDLE("tune.h1.be.glitches-threshold", WHY_HTTP),                                   \
	HAPROXY_IDLE("tune.h1.fe.glitches-threshold", WHY_HTTP),                                   \
	HAPROXY_IDLE("tune.h2.log-errors", WHY_HTTP),                                              \
	HAPROXY_IDLE("tune.bufsize.small", WHY_BUFFERS),                                           \
	HAPROXY_IDLE("tune.cli.max-payload-size", "it is asked with `tandem status`"),             \
	HAPROXY_IDLE("tune.quic.listen", WHY_QUIC),                                                \
	HAPROXY_IDLE("max-threads-per-group", WHY_THREADS),                                        \
	HAPROXY_IDLE("dns-accept-family", "the system's resolver says which addresses there are"), \
	HAPROXY_IDLE("tune.lua.bool-sample-conversion", WHY_LUA),                                  \
	HAPROXY_IDLE("tune.lua.openlibs", WHY_LUA),                                                \
	HAPROXY_IDLE("tune.lua.burst-timeout", WHY_LUA),                                           \
	HAPROXY_IDLE("tune.lua.forced-yield", WHY_LUA),                                            \
	HAPROXY_IDLE("tune.lua.log.loggers", WHY_LUA),                                             \
	HAPROXY_IDLE("tune.lua.log.stderr", WHY_LUA),                                              \
	HAPROXY_IDLE("tune.lua.maxmem", WHY_LUA),                                                  \
	HAPROXY_IDLE("tune.lua.service-timeout", WHY_LUA),                                         \
	HAPROXY_IDLE("tune.lua.session-timeout", WHY_LUA),                                         \
	HAPROXY_IDLE("tune.lua.task-timeout", WHY_LUA),                                            \
	HAPROXY_IDLE("tune.max-checks-per-thread", "checks are spread over their interval"),       \
	HAPROXY_IDLE("tune.max-rules-at-once", WHY_HTTP),                                          \
	HAPROXY_IDLE("tune.memory.hot-size", WHY_BUFFERS),                                         \
	HAPROXY_IDLE("tune.notsent-lowat.client", WHY_BUFFERS),                                    \
	HAPROXY_IDLE("tune.notsent-lowat.server", WHY_BUFFERS),                                    \
	HAPROXY_IDLE("tune.pattern.cache-size", WHY_HTTP),                                         \
	HAPROXY_IDLE("tune.peers.max-updates-at-once", WHY_PEERS),                                 \
	HAPROXY_IDLE("tune.pool-high-fd-ratio", "connections are not pooled"),                     \
	HAPROXY_IDLE("tune.pool-low-fd-ratio", "connections are not pooled"),                      \
	HAPROXY_IDLE("tune.pt.zero-copy-forwarding", WHY_BUFFERS),                                 \
	HAPROXY_IDLE("tune.quic.cc-hystart", WHY_QUIC),                                            \
	HAPROXY_IDLE("tune.quic.frontend.conn-tx-buffers.limit", WHY_QUIC),                        \
	HAPROXY_IDLE("tune.quic.frontend.default-max-window-size", WHY_QUIC),                      \
	HAPROXY_IDLE("tune.quic.frontend.glitches-threshold", WHY_QUIC),                           \
	HAPROXY_IDLE("tune.quic.frontend.max-data-size", WHY_QUIC),                                \
	HAPROXY_IDLE("tune.quic.frontend.max-idle-timeout", WHY_QUIC),                             \
	HAPROXY_IDLE("tune.quic.frontend.max-streams-bidi", WHY_QUIC),                             \
	HAPROXY_IDLE("tune.quic.frontend.max-tx-mem", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.max-frame-loss", WHY_QUIC),                                        \
	HAPROXY_IDLE("tune.quic.reorder-ratio", WHY_QUIC),                                         \
	HAPROXY_IDLE("tune.quic.retry-threshold", WHY_QUIC),                                       \
	HAPROXY_IDLE("tune.quic.socket-owner", WHY_QUIC),                                          \
	HAPROXY_IDLE("tune.quic.zero-copy-fwd-send", WHY_QUIC),                                    \
	HAPROXY_IDLE("tune.quic.cc.cubic.min-losses", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.disable-tx-pacing", WHY_QUIC),                                     \
	HAPROXY_IDLE("tune.quic.disable-udp-gso", WHY_QUIC),                                       \
	HAPROXY_IDLE("tune.quic.frontend.max-window-size", WHY_QUIC),                              \
	HAPROXY_IDLE("tune.quic.frontend.stream-data-ratio", WHY_QUIC),                            \
	HAPROXY_IDLE("tune.quic.backend.max-idle-timeout", WHY_QUIC),                              \
	HAPROXY_IDLE("tune.quic.mem.tx-max", WHY_QUIC),                                            \
	HAPROXY_IDLE("tune.quic.fe.cc.hystart", WHY_QUIC),                                         \
	HAPROXY_IDLE("tune.quic.fe.cc.max-frame-loss", WHY_QUIC),                                  \
	HAPROXY_IDLE("tune.quic.fe.cc.max-win-size", WHY_QUIC),                                    \
	HAPROXY_IDLE("tune.quic.fe.cc.reorder-ratio", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.fe.max-idle-timeout", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.fe.sec.glitches-threshold", WHY_QUIC),                             \
	HAPROXY_IDLE("tune.quic.fe.sec.retry-threshold", WHY_QUIC),                                \
	HAPROXY_IDLE("tune.quic.fe.sock-per-conn", WHY_QUIC),                                      \
	HAPROXY_IDLE("tune.quic.fe.stream.data-ratio", WHY_QUIC),                                  \
	HAPROXY_IDLE("tune.quic.fe.stream.max-concurrent", WHY_QUIC),                              \
	HAPROXY_IDLE("tune.quic.fe.stream.max-total", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.fe.stream.rxbuf", WHY_QUIC),                                       \
	HAPROXY_IDLE("tune.quic.fe.tx.pacing", WHY_QUIC),                                          \
	HAPROXY_IDLE("tune.quic.fe.tx.udp-gso", WHY_QUIC),                                         \
	HAPROXY_IDLE("tune.quic.be.cc.hystart", WHY_QUIC),                                         \
	HAPROXY_IDLE("tune.quic.be.cc.max-frame-loss", WHY_QUIC),                                  \
	HAPROXY_IDLE("tune.quic.be.cc.max-win-size", WHY_QUIC),                                    \
	HAPROXY_IDLE("tune.quic.be.cc.reorder-ratio", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.be.max-idle-timeout", WHY_QUIC),                                   \
	HAPROXY_IDLE("tune.quic.be.sec.glitches-threshold", WHY_QUIC),                             \
	HAPROXY_IDLE("tune.quic.be.stream.data-ratio", WHY_QUIC),                                  \
	HAPROXY_IDLE("tune.quic.be.stream.max-concurrent", WHY_QUIC),                              \
	HAPROXY_IDLE("tune.quic.be.stream.rxbuf", WHY_QUIC),                                       \
	HAPROXY_IDLE("tune.quic.be.tx.pacing", WHY_QUIC),                                          \
	HAPROXY_IDLE("tune.quic.be.tx.udp-gso", WHY_QUIC),                                         \
	HAPROXY_IDLE("tune.h2.fe.max-rst-at-once", WHY_HTTP),                                      \
	HAPROXY_IDLE("tune.defaults.purge", "`defaults` are kept as long as the configuration"),   \
	HAPROXY_IDLE("tune.listener.default-shards", "each thread accepts from all listeners"),    \
	HAPROXY_IDLE("tune.ssl.certificate-compression", WHY_TLS),                                 \
	HAPROXY_IDLE("cpu-affinity", WHY_THREADS),                                                 \
	HAPROXY_IDLE("jwt.decrypt_alg_list", WHY_HTTP),                                            \
	HAPROXY_IDLE("tune.rcvbuf.backend", WHY_BUFFERS),                                          \
	HAPROXY_IDLE("tune.rcvbuf.frontend", WHY_BUFFERS),                                         \
	HAPROXY_IDLE("tune.sndbuf.backend", WHY_BUFFERS),                                          \
	HAPROXY_IDLE("tune.sndbuf.frontend", WHY_BUFFERS),                                         \
	HAPROXY_IDLE("tune.recv_enough", WHY_BUFFERS),                                             \
	HAPROXY_IDLE("tune.ring.queues", WHY_BUFFERS),                                             \
	HAPROXY_IDLE("tune.renice.runtime", WHY_THREADS),                                          \
	HAPROXY_IDLE("tune.renice.startup", WHY_THREADS),                                          \
	HAPROXY_IDLE("tune.runqueue-depth", WHY_THREADS),                                          \
	HAPROXY_IDLE("tune.sched.low-latency", WHY_THREADS),                                       \
	HAPROXY_IDLE("tune.ssl.capture-buffer-size", WHY_TLS),                                     \
	HAPROXY_IDLE("tune.ssl.capture-cipherlist-size", WHY_TLS),                                 \
	HAPROXY_IDLE("tune.ssl.force-private-cache", "all threads share one cache of sessions"),   \
	HAPROXY_IDLE("tune.ssl.hard-maxrecord", WHY_TLS),                                          \
	HAPROXY_IDLE("tune.ssl.keylog", WHY_TLS),                                                  \
	HAPROXY_IDLE("tune.ssl.ocsp-update.maxdelay", "certificates' status is not fetched"),      \
	HAPROXY_IDLE("tune.ssl.ocsp-update.mindelay", "certificates' status is not fetched"),      \
	HAPROXY_IDLE("tune.ssl.ssl-ctx-cache-size", WHY_TLS),                                      \
	HAPROXY_IDLE("tune.stick-counters", WHY_TABLES),                                           \
	HAPROXY_IDLE("tune.takeover-other-tg-connections", "connections are not pooled"),          \
	HAPROXY_IDLE("tune.vars.proc-max-size", WHY_HTTP),                                         \
	HAPROXY_IDLE("tune.vars.reqres-max-size", WHY_HTTP),                                       \
	HAPROXY_IDLE("tune.vars.sess-max-size", WHY_HTTP),                                         \
	HAPROXY_IDLE("tune.vars.txn-max-size", WHY_HTTP),                                          \
	HAPROXY_IDLE("tune.zlib.memlevel", WHY_HTTP), HAPROXY_IDLE("tune.zlib.windowsize", WHY_HTTP)

/* HTTP's words, and others that a proxy's section may have. */
#define PROXY_IDLE_ROWS                                                                            \
	HAPROXY_IDLE("option forwarded", WHY_HTTP), HAPROXY_IDLE("option originalto", WHY_HTTP),   \
	HAPROXY_IDLE("option http-buffer-request", WHY_HTTP),                                      \
	HAPROXY_IDLE("option http-drop-request-trailers", WHY_HTTP),                               \
	HAPROXY_IDLE("option http-drop-response-trailers", WHY_HTTP),                              \
	HAPROXY_IDLE("option http-restrict-req-hdr-names", WHY_HTTP),                              \
	HAPROXY_IDLE("option http-use-htx", WHY_HTTP), HAPROXY_IDLE("option httpslog", WHY_HTTP),  \
	HAPROXY_IDLE("option accept-unsafe-violations-in-http-request", WHY_HTTP),                 \
	HAPROXY_IDLE("option accept-unsafe-violations-in-http-response", WHY_HTTP),                \
	HAPROXY_IDLE("option use-small-buffers", WHY_BUFFERS),                                     \
	HAPROXY_IDLE("option tcpsplice", "`option splice-auto` splices in both directions"),       \
	HAPROXY_IDLE("guid", "proxies are called by their name"),                                  \
	HAPROXY_IDLE("hash-preserve-affinity",                                                     \
		     "`balance source` gives a client always one server"),                         \
	HAPROXY_IDLE("max-session-srv-conns", "connections are not pooled"),                       \
	HAPROXY_IDLE("timeout client-hs", "`timeout client` counts from the first byte on"),       \
	HAPROXY_IDLE("timeout appsession", WHY_HTTP),                                              \
	HAPROXY_IDLE("use-fcgi-app", WHY_HTTP),                                                    \
	HAPROXY_REFUSED("transparent", "comes with a later version"),                              \
	HAPROXY_REFUSED("stick", WHY_TABLES),                                                      \
	HAPROXY_REFUSED("monitor", WHY_NEEDS),                                                     \
	HAPROXY_REFUSED("quic-initial", WHY_QUIC),                                                 \
	HAPROXY_MODERN("block", "http-request deny"),                                              \
	HAPROXY_MODERN("reqadd", "http-request add-header"),                                       \
	HAPROXY_MODERN("reqdel", "http-request del-header"),                                       \
	HAPROXY_MODERN("reqidel", "http-request del-header"),                                      \
	HAPROXY_MODERN("reqrep", "http-request replace-header"),                                   \
	HAPROXY_MODERN("reqirep", "http-request replace-header"),                                  \
	HAPROXY_MODERN("reqallow", "http-request allow"),                                          \
	HAPROXY_MODERN("reqiallow", "http-request allow"),                                         \
	HAPROXY_MODERN("reqpass", "http-request allow"),                                           \
	HAPROXY_MODERN("reqipass", "http-request allow"),                                          \
	HAPROXY_MODERN("reqdeny", "http-request deny"),                                            \
	HAPROXY_MODERN("reqideny", "http-request deny"),                                           \
	HAPROXY_MODERN("reqtarpit", "http-request tarpit"),                                        \
	HAPROXY_MODERN("reqitarpit", "http-request tarpit"),                                       \
	HAPROXY_MODERN("reqsetbe", "use_backend"),                                                 \
	HAPROXY_MODERN("reqisetbe", "use_backend"),                                                \
	HAPROXY_MODERN("rspadd", "http-response add-header"),                                      \
	HAPROXY_MODERN("rspdel", "http-response del-header"),                                      \
	HAPROXY_MODERN("rspidel", "http-response del-header"),                                     \
	HAPROXY_MODERN("rsprep", "http-response replace-header"),                                  \
	HAPROXY_MODERN("rspirep", "http-response replace-header"),                                 \
	HAPROXY_MODERN("rspdeny", "http-response deny"),                                           \
	HAPROXY_MODERN("rspideny", "http-response deny"),                                          \
	HAPROXY_MODERN("appsession", "stick on req.cook(NAME)"),                                   \
	HAPROXY_REFUSED("force-be-switch", "comes with a later version"),                          \
	HAPROXY_REFUSED("ssl-f-use", "write `crt` behind `bind`")

#define BIND_IDLE_ROWS                                                                             \
	HAPROXY_PARAMETER("guid-prefix", 1, "`name` is how it is called in the log"),              \
	HAPROXY_PARAMETER("label", 1, "`name` is how it is called in the log"),                    \
	HAPROXY_PARAMETER("nbconn", 1, "it concerns reverse HTTP only"),                           \
	HAPROXY_PARAMETER("idle-ping", 1, WHY_HTTP),                                               \
	HAPROXY_PARAMETER("quic-cc-algo", 1, WHY_QUIC),                                            \
	HAPROXY_PARAMETER("quic-force-retry", 0, WHY_QUIC),                                        \
	HAPROXY_PARAMETER("quic-socket", 1, WHY_QUIC),                                             \
	HAPROXY_PARAMETER("sigalgs", 1, WHY_TLS), HAPROXY_PARAMETER("client-sigalgs", 1, WHY_TLS), \
	HAPROXY_PARAMETER("ocsp-update", 1, "certificates' status is not fetched"),                \
	HAPROXY_PARAMETER("tls-tickets", 0, "it is the default"),                                  \
	HAPROXY_PARAMETER("ktls", 1, "the TLS library decides"),                                   \
	HAPROXY_PARAMETER_REFUSED("tcp-ss", 1, "comes with a later version"),                      \
	HAPROXY_PARAMETER_REFUSED("ech", 1, "comes with a later version"),                         \
	HAPROXY_PARAMETER("no-strict-sni", 0, "it is the default"),                                \
	HAPROXY_PARAMETER_REFUSED("no-alpn", 0, "leave `alpn` out"),                               \
	HAPROXY_PARAMETER_REFUSED("default-crt", 1, "the first `crt` is the default"),             \
	HAPROXY_PARAMETER_REFUSED("force-sslv3", 0, "SSLv3 is never spoken"),                      \
	HAPROXY_PARAMETER_REFUSED("ca-sign-file", 1, "comes with a later version"),                \
	HAPROXY_PARAMETER_REFUSED("ca-sign-pass", 1, "comes with a later version"),                \
	HAPROXY_PARAMETER_REFUSED("cc", 1, "set it for the whole host (sysctl)"),                  \
	HAPROXY_PARAMETER_REFUSED("tcp-md5sig", 1, "comes with a later version")

#define SERVER_IDLE_ROWS                                                                           \
	HAPROXY_PARAMETER("guid", 1, "servers are called by their name"),                          \
	HAPROXY_PARAMETER("stick", 0, "there are no stick tables"),                                \
	HAPROXY_PARAMETER("log-bufsize", 1, WHY_BUFFERS),                                          \
	HAPROXY_PARAMETER("log-proto", 1, WHY_HTTP),                                               \
	HAPROXY_PARAMETER("max-reuse", 1, "connections are not pooled"),                           \
	HAPROXY_PARAMETER("pool-conn-name", 1, "connections are not pooled"),                      \
	HAPROXY_PARAMETER("idle-ping", 1, "connections are not pooled"),                           \
	HAPROXY_PARAMETER("no-tfo", 0, "TCP fast open is not used"),                               \
	HAPROXY_PARAMETER("no-check-send-proxy", 0, "it is the default"),                          \
	HAPROXY_PARAMETER("no-send-proxy", 0, "it is the default"),                                \
	HAPROXY_PARAMETER("no-send-proxy-v2", 0, "it is the default"),                             \
	HAPROXY_PARAMETER("no-send-proxy-v2-ssl", 0, "it is the default"),                         \
	HAPROXY_PARAMETER("no-send-proxy-v2-ssl-cn", 0, "it is the default"),                      \
	HAPROXY_PARAMETER("no-verifyhost", 0, "it is the default"),                                \
	HAPROXY_PARAMETER("tls-tickets", 0, "it is the default"),                                  \
	HAPROXY_PARAMETER("ktls", 1, "the TLS library decides"),                                   \
	HAPROXY_PARAMETER("no-sni-auto", 0, "it is the default"),                                  \
	HAPROXY_PARAMETER("no-check-sni-auto", 0, "it is the default"),                            \
	HAPROXY_PARAMETER_REFUSED("sni-auto", 0, "needs mode http, say the name with `sni`"),      \
	HAPROXY_PARAMETER_REFUSED("check-sni-auto", 0, "say the name with `check-sni`"),           \
	HAPROXY_PARAMETER("renegotiate", 0, WHY_TLS),                                              \
	HAPROXY_PARAMETER("no-renegotiate", 0, WHY_TLS),                                           \
	HAPROXY_PARAMETER("sigalgs", 1, WHY_TLS), HAPROXY_PARAMETER("client-sigalgs", 1, WHY_TLS), \
	HAPROXY_PARAMETER("check-pool-conn-name", 1, "connections are not pooled"),                \
	HAPROXY_PARAMETER("check-reuse-pool", 0, "connections are not pooled"),                    \
	HAPROXY_PARAMETER("hash-key", 1, "`balance source` hashes by the server's place"),         \
	HAPROXY_PARAMETER("resolve-net", 1, "host names are resolved once, at the start"),         \
	HAPROXY_PARAMETER("allow-0rtt", 0, "early data is not sent"),                              \
	HAPROXY_PARAMETER_REFUSED("shard", 1, WHY_PEERS),                                          \
	HAPROXY_PARAMETER_REFUSED("set-proxy-v2-tlv-fmt(ID)", 1, "comes with a later version"),    \
	HAPROXY_PARAMETER_REFUSED("strict-maxconn", 0, "`maxconn` is always strict"),              \
	HAPROXY_PARAMETER_REFUSED("cc", 1, "set it for the whole host (sysctl)"),                  \
	HAPROXY_PARAMETER_REFUSED("force-sslv3", 0, "SSLv3 is never spoken"),                      \
	HAPROXY_PARAMETER_REFUSED("tcp-md5sig", 1, "comes with a later version")
/* clang-format on */
