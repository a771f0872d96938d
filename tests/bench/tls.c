/*
 * tls.c - see tls.h.
 */
#include "tests/bench/tls.h"

#include "tests/bench/net.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

static SSL_CTX *ctx;
static SSL_SESSION *session;
static unsigned long long resumed;

static int
keep_session(SSL *ssl, SSL_SESSION *new)
{
	SSL_SESSION_free(session);
	session = new;
	return 1;
}

void
tls_begin(bool resume)
{
	signal(SIGPIPE, SIG_IGN);
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		net_fail("SSL_CTX_new");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (!resume)
		return;
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
}

struct ssl_st *
tls_open(int fd)
{
	SSL *ssl = SSL_new(ctx);

	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		net_fail("SSL_new");
	if (session)
		SSL_set_session(ssl, session);
	SSL_set_connect_state(ssl);
	return ssl;
}

void
tls_close(struct ssl_st *ssl)
{
	if (!ssl)
		return;
	resumed += SSL_session_reused(ssl) == 1;
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
}

/* What recv would have returned. */
static ssize_t
as_socket(SSL *ssl, int n)
{
	int why;

	if (n > 0)
		return n;
	why = SSL_get_error(ssl, n);
	ERR_clear_error();
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return -1;
}

ssize_t
tls_send(struct ssl_st *ssl, const void *data, size_t len)
{
	return as_socket(ssl, SSL_write(ssl, data, (int)len));
}

ssize_t
tls_recv(struct ssl_st *ssl, void *data, size_t len)
{
	return as_socket(ssl, SSL_read(ssl, data, (int)len));
}

unsigned long long
tls_resumed(void)
{
	return resumed;
}
