/*
 * test_proxy_tls.c - TLS through a whole proxy: with clients, with servers, with both.  Two sites
 * where a TLS server is needed: the one's front is the other's server.
 */
#include "tests/unit/proxy/fixture.h"
#include "tests/unit/proxy/papers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* front: TLS to an origin.  back: plain, to `front` over TLS. */
struct pair {
	struct papers papers;
	struct origin origin;
	struct site front, back;
	struct conf_file certs[2];
	struct conf_server *server; /* back's */
};

static void
pair_init(struct pair *p, enum origin_mode mode)
{
	memset(p, 0, sizeof *p);
	papers_init(&p->papers);
	papers_issue(&p->papers, "a", "DNS:a.example.org,IP:127.0.0.1");
	papers_issue(&p->papers, "w", "DNS:*.example.com");
	papers_issue(&p->papers, "client", "DNS:client");
	p->certs[0] = papers_file(&p->papers, "a.pem");
	p->certs[1] = papers_file(&p->papers, "w.pem");
	origin_start(&p->origin, mode, "hello", 0);
	site_init(&p->front);
	site_init(&p->back);
	p->front.bind.tls = (struct conf_tls){ .on = true, .certs = p->certs, .certs_n = 2 };
	site_add_server(&p->front, "plain", p->origin.port);
	p->server = site_add_server(&p->back, "tls", 0);
	p->server->tls = (struct conf_tls){
		.on = true,
		.ca = papers_file(&p->papers, "ca.pem"),
		.sni = "a.example.org",
	};
	p->front.conf.tls_cache_n = 100;
}

static void
start_front(struct pair *p, uint32_t threads_n)
{
	p->front.tls = papers_tls(&p->papers, &p->front.conf);
	assert_non_null(p->front.tls);
	site_start(&p->front, threads_n);
}

static void
start_back(struct pair *p)
{
	struct ip loopback;

	ip_parse("127.0.0.1", &loopback);
	p->server->port = p->front.port;
	p->server->address = sock_addr_from_ip(&loopback, p->front.port);
	p->back.tls = papers_tls(&p->papers, &p->back.conf);
	assert_non_null(p->back.tls);
	site_start(&p->back, 1);
}

static void
pair_fini(struct pair *p)
{
	if (p->back.proxy)
		site_stop(&p->back);
	site_stop(&p->front);
	origin_stop(&p->origin);
	papers_fini(&p->papers);
}

/* ------------------------------------------------------------------ a client */

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

static void
client_init(struct client *c, const struct pair *p)
{
	*c = (struct client){ .ctx = SSL_CTX_new(TLS_client_method()), .fd = -1 };
	SSL_CTX_load_verify_file(c->ctx, papers_path(&p->papers, "ca.pem"));
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
}

/* Connects; what the handshake returns. */
static int
client_connect(struct client *c, const struct pair *p, const char *host, SSL_SESSION *session)
{
	c->fd = site_connect(&p->front);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (host)
		SSL_set_tlsext_host_name(c->ssl, host);
	if (session)
		SSL_set_session(c->ssl, session);
	return SSL_connect(c->ssl);
}

static void
client_close(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	c->ssl = NULL;
}

static void
client_fini(struct client *c)
{
	SSL_CTX_free(c->ctx);
}

/* Reads until the end; what came is text. */
static int
client_read_all(struct client *c, char *text, size_t size)
{
	int have = 0, n;

	while ((n = SSL_read(c->ssl, text + have, (int)size - 1 - have)) > 0)
		have += n;
	text[have] = '\0';
	return SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN ? have : -1;
}

/* The common name of who answered. */
static const char *
shown(struct client *c)
{
	static char name[64];

	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(c->ssl)),
				  NID_commonName, name, sizeof name);
	return name;
}

/* ------------------------------------------------------------------ tests */

static void
a_client_is_served(void **state)
{
	struct pair p;
	struct client c;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	start_front(&p, 1);
	client_init(&c, &p);
	assert_int_equal(client_connect(&c, &p, "a.example.org", NULL), 1);
	/* close_notify came before the FIN: not even a strict client can complain. */
	assert_int_equal(client_read_all(&c, text, sizeof text), 5);
	assert_string_equal(text, "hello");
	client_close(&c);
	client_fini(&c);
	pair_fini(&p);
}

static void
the_host_chooses_the_certificate(void **state)
{
	struct pair p;
	struct client c;

	pair_init(&p, ORIGIN_HOLD);
	start_front(&p, 1);
	client_init(&c, &p);
	assert_int_equal(client_connect(&c, &p, "x.example.com", NULL), 1);
	assert_string_equal(shown(&c), "w");
	client_close(&c);
	assert_int_equal(client_connect(&c, &p, "unknown.example.net", NULL), 1);
	assert_string_equal(shown(&c), "a");
	client_close(&c);
	assert_int_equal(client_connect(&c, &p, NULL, NULL), 1);
	assert_string_equal(shown(&c), "a");
	client_close(&c);
	client_fini(&c);
	pair_fini(&p);
}

static void
strict_sni_refuses_the_unknown(void **state)
{
	struct pair p;
	struct client c;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	p.front.bind.tls.strict_sni = true;
	start_front(&p, 1);
	client_init(&c, &p);
	assert_int_equal(client_connect(&c, &p, "unknown.example.net", NULL), -1);
	client_close(&c);
	assert_int_equal(client_connect(&c, &p, NULL, NULL), -1);
	client_close(&c);
	assert_int_equal(client_connect(&c, &p, "a.example.org", NULL), 1);
	assert_int_equal(client_read_all(&c, text, sizeof text), 5);
	client_close(&c);
	client_fini(&c);
	/* The refused ones have left nothing behind. */
	WAIT_UNTIL(proxy_sessions(p.front.proxy) == 0);
	WAIT_UNTIL(p.origin.accepted > 0);
	assert_int_equal(p.origin.accepted, 1);
	pair_fini(&p);
}

static void
a_protocol_is_agreed_on(void **state)
{
	static const unsigned char wire[] = "\x08http/1.1\x02h2";
	static const unsigned char other[] = "\x03xyz";
	struct pair p;
	struct client c;
	const unsigned char *chosen;
	unsigned len;

	pair_init(&p, ORIGIN_HOLD);
	p.front.bind.tls.alpn = "h2,http/1.1";
	start_front(&p, 1);
	client_init(&c, &p);
	SSL_CTX_set_alpn_protos(c.ctx, wire, sizeof wire - 1);
	assert_int_equal(client_connect(&c, &p, "a.example.org", NULL), 1);
	SSL_get0_alpn_selected(c.ssl, &chosen, &len);
	assert_int_equal(len, 2);
	assert_memory_equal(chosen, "h2", 2);
	client_close(&c);
	/* None in common is no reason to refuse. */
	SSL_CTX_set_alpn_protos(c.ctx, other, sizeof other - 1);
	assert_int_equal(client_connect(&c, &p, "a.example.org", NULL), 1);
	SSL_get0_alpn_selected(c.ssl, &chosen, &len);
	assert_int_equal(len, 0);
	client_close(&c);
	client_fini(&c);
	pair_fini(&p);
}

static void
versions_are_kept(void **state)
{
	struct pair p;
	struct client c;

	pair_init(&p, ORIGIN_HOLD);
	p.front.bind.tls.min_version = CONF_TLS_1_3;
	start_front(&p, 1);
	client_init(&c, &p);
	SSL_CTX_set_max_proto_version(c.ctx, TLS1_2_VERSION);
	assert_int_equal(client_connect(&c, &p, NULL, NULL), -1);
	client_close(&c);
	SSL_CTX_set_max_proto_version(c.ctx, 0);
	assert_int_equal(client_connect(&c, &p, NULL, NULL), 1);
	client_close(&c);
	client_fini(&c);
	pair_fini(&p);
}

static void
clients_show_certificates(void **state)
{
	struct pair p;
	struct client c;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	p.front.bind.tls.verify = CONF_TLS_VERIFY_REQUIRED;
	p.front.bind.tls.ca = papers_file(&p.papers, "ca.pem");
	start_front(&p, 1);
	client_init(&c, &p);
	/* With TLS 1.3 the client learns of the refusal when it reads. */
	if (client_connect(&c, &p, NULL, NULL) == 1)
		assert_int_equal(client_read_all(&c, text, sizeof text), -1);
	client_close(&c);
	assert_int_equal(p.origin.accepted, 0);
	SSL_CTX_use_certificate_file(c.ctx, papers_path(&p.papers, "client.pem"), SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(c.ctx, papers_path(&p.papers, "client.pem"), SSL_FILETYPE_PEM);
	assert_int_equal(client_connect(&c, &p, NULL, NULL), 1);
	assert_int_equal(client_read_all(&c, text, sizeof text), 5);
	client_close(&c);
	client_fini(&c);
	pair_fini(&p);
}

static void
what_is_no_tls_is_refused(void **state)
{
	struct pair p;
	char text[256];
	int fd;

	pair_init(&p, ORIGIN_NAME);
	start_front(&p, 1);
	fd = site_connect(&p.front);
	assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	while (recv(fd, text, sizeof text, 0) > 0)
		;
	close(fd);
	WAIT_UNTIL(proxy_sessions(p.front.proxy) == 0);
	assert_int_equal(p.origin.accepted, 0);
	pair_fini(&p);
}

static void
silence_is_limited(void **state)
{
	struct pair p;
	char byte;
	int fd;

	pair_init(&p, ORIGIN_NAME);
	p.front.proxies[0].timeout_client_ms = 50;
	start_front(&p, 1);
	fd = site_connect(&p.front);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	WAIT_UNTIL(proxy_sessions(p.front.proxy) == 0);
	pair_fini(&p);
}

/* The session that the server gave, when it has: TLS 1.3 sends it after the handshake. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **slot = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(*slot);
	*slot = session;
	return 1;
}

static void
resume_often(int version, bool tickets)
{
	struct pair p;
	struct client c;
	SSL_SESSION *session = NULL;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	p.front.bind.tls.no_tickets = !tickets;
	start_front(&p, 2);
	client_init(&c, &p);
	SSL_CTX_set_max_proto_version(c.ctx, version);
	SSL_CTX_set_session_cache_mode(c.ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_app_data(c.ctx, &session);
	SSL_CTX_sess_set_new_cb(c.ctx, keep_session);
	/* The kernel deals these out to both threads: chance leaves none out of 40. */
	for (int i = 0; i < 40; i++) {
		assert_int_equal(client_connect(&c, &p, "a.example.org", session), 1);
		assert_int_equal(SSL_session_reused(c.ssl), i > 0);
		assert_int_equal(client_read_all(&c, text, sizeof text), 5);
		SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		client_close(&c);
		assert_non_null(session);
	}
	SSL_SESSION_free(session);
	client_fini(&c);
	pair_fini(&p);
}

static void
threads_resume_each_others_sessions(void **state)
{
	resume_often(TLS1_3_VERSION, true);
	resume_often(TLS1_2_VERSION, true);
	resume_often(TLS1_2_VERSION, false);
	resume_often(TLS1_3_VERSION, false);
}

static void
a_server_speaks_tls(void **state)
{
	struct pair p;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	start_front(&p, 1);
	start_back(&p);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(site_fetch(&p.back, text, sizeof text), 5);
		assert_string_equal(text, "hello");
	}
	pair_fini(&p);
}

static void
a_server_that_is_another_is_not_used(void **state)
{
	struct pair p;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	p.back.proxies[1].retries = 0;
	start_front(&p, 1);
	p.server->tls.sni = "other.example.org";
	start_back(&p);
	assert_int_equal(site_fetch(&p.back, text, sizeof text), 0);
	assert_int_equal(p.origin.accepted, 0);
	assert_int_equal(site_server(&p.back, 0).connect_errors, 1);
	pair_fini(&p);
}

static void
an_address_can_be_verified(void **state)
{
	struct pair p;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	start_front(&p, 1);
	p.server->tls.sni = NULL;
	p.server->tls.verifyhost = "127.0.0.1";
	start_back(&p);
	assert_int_equal(site_fetch(&p.back, text, sizeof text), 5);
	pair_fini(&p);
}

static void
a_server_that_does_not_speak_tls_is_given_up(void **state)
{
	struct pair p;
	char text[64];

	pair_init(&p, ORIGIN_NAME);
	p.back.proxies[1].retries = 0;
	start_front(&p, 1);
	p.front.port = p.origin.port; /* straight to the origin */
	start_back(&p);
	assert_int_equal(site_fetch(&p.back, text, sizeof text), 0);
	assert_int_equal(site_server(&p.back, 0).connect_errors, 1);
	pair_fini(&p);
}

/* Plain to TLS to plain, there and back: every byte twice through each layer. */
static void
much_data_arrives_whole(void **state)
{
	enum { TOTAL = 8 << 20 };
	unsigned char *sent = malloc(TOTAL), *got = malloc(TOTAL);
	size_t out = 0, in = 0;
	struct pair p;
	ssize_t n;
	int fd;

	pair_init(&p, ORIGIN_ECHO);
	start_front(&p, 1);
	start_back(&p);
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)(i * 7 + (i >> 13));
	fd = site_connect(&p.back);
	while (in < TOTAL) {
		/* What is on the way stays below what the buffers hold, and pieces are odd. */
		while (out < TOTAL && out - in < 200000) {
			size_t piece = 1 + out % 40961;

			if (piece > TOTAL - out)
				piece = TOTAL - out;
			n = send(fd, sent + out, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n <= 0)
				break;
			out += (size_t)n;
			if (out == TOTAL)
				shutdown(fd, SHUT_WR);
		}
		n = recv(fd, got + in, TOTAL - in, 0);
		assert_true(n > 0);
		in += (size_t)n;
	}
	assert_int_equal(recv(fd, got, 1, 0), 0);
	assert_memory_equal(sent + 1, got + 1, TOTAL - 1);
	close(fd);
	WAIT_UNTIL(proxy_sessions(p.back.proxy) == 0 && proxy_sessions(p.front.proxy) == 0);
	pair_fini(&p);
	free(sent);
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_served),
		cmocka_unit_test(the_host_chooses_the_certificate),
		cmocka_unit_test(strict_sni_refuses_the_unknown),
		cmocka_unit_test(a_protocol_is_agreed_on),
		cmocka_unit_test(versions_are_kept),
		cmocka_unit_test(clients_show_certificates),
		cmocka_unit_test(what_is_no_tls_is_refused),
		cmocka_unit_test(silence_is_limited),
		cmocka_unit_test(threads_resume_each_others_sessions),
		cmocka_unit_test(a_server_speaks_tls),
		cmocka_unit_test(a_server_that_is_another_is_not_used),
		cmocka_unit_test(an_address_can_be_verified),
		cmocka_unit_test(a_server_that_does_not_speak_tls_is_given_up),
		cmocka_unit_test(much_data_arrives_whole),
	};

	/* What a client of the test writes to may be gone. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
