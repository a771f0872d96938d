/*
 * tls_conn.c - see tls_conn.h.  Run by the session's thread; contexts are shared by all threads.
 *
 * OpenSSL reads and writes through a BIO of our own, for two reasons.  It knows from the conn's flags
 * when the socket is empty, so that the end of a record costs no system call that says EAGAIN; and
 * it tells the conn what the socket can do.  CONN_CAN_READ stays set while OpenSSL still holds
 * bytes, though the socket may be empty.
 */
#include "proxy/tls_conn.h"

#include "conf/alpn.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>

static BIO_METHOD *method;
static int session_slot; /* index of ex_data: SSL_SESSION ** of a client */

/* ------------------------------------------------------------------ the BIO */

static int
bio_read(BIO *bio, char *data, int len)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (c->flags & CONN_RAW_EOF)
		return 0;
	if (!(c->flags & CONN_CAN_READ)) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = conn_socket_ops.read(c, data, (size_t)len);
	if (c->flags & CONN_EOF) {
		/* Of the socket; what it means for the session, SSL_read says. */
		c->flags &= ~CONN_EOF;
		c->flags |= CONN_RAW_EOF;
	}
	if (n < 0) {
		errno = (int)-n;
		return -1;
	}
	if (n == 0 && !(c->flags & CONN_RAW_EOF)) {
		BIO_set_retry_read(bio);
		return -1;
	}
	return (int)n;
}

static int
bio_write(BIO *bio, const char *data, int len)
{
	struct conn *c = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (!(c->flags & CONN_CAN_WRITE)) {
		BIO_set_retry_write(bio);
		return -1;
	}
	n = conn_socket_ops.write(c, data, (size_t)len, c->flags & CONN_LAST);
	if (n < 0) {
		errno = (int)-n;
		return -1;
	}
	if (n == 0) {
		BIO_set_retry_write(bio);
		return -1;
	}
	return (int)n;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct conn *c = BIO_get_data(bio);

	if (command == BIO_CTRL_FLUSH)
		return 1;
	if (command == BIO_CTRL_EOF)
		return (c->flags & CONN_RAW_EOF) != 0;
	return 0;
}

/* A session to resume next time; the thread's own slot keeps it. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **slot = SSL_get_ex_data(ssl, session_slot);

	if (!slot)
		return 0;
	SSL_SESSION_free(*slot);
	*slot = session;
	return 1;
}

static void
init(void)
{
	OPENSSL_init_ssl(0, NULL);
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "conn");
	if (!method)
		abort();
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_ctrl(method, bio_ctrl);
	session_slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void
tls_conn_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}

void
tls_conn_prepare(SSL_CTX *ctx)
{
	/* The relay keeps what was not taken, not always at the same address. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* A record's head and body in one system call. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
}

/* ------------------------------------------------------------------ conn_ops */

/* Why a call of OpenSSL returned `ret` <= 0: 0 = blocked or ended, as `flags` say; else -errno. */
static int
reason(struct conn *c, int ret)
{
	int error = errno, why = SSL_get_error(c->layer, ret);

	switch (why) {
	case SSL_ERROR_WANT_READ:
		c->flags &= ~CONN_CAN_READ;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		c->flags &= ~CONN_CAN_READ;
		c->flags |= CONN_EOF;
		return 0;
	}
	ERR_clear_error();
	if (why == SSL_ERROR_SYSCALL)
		return error && !(c->flags & CONN_RAW_EOF) ? -error : -ECONNRESET;
	return -EPROTO;
}

static ssize_t
tls_read(struct conn *c, void *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		int n = SSL_read(c->layer, (char *)data + have, (int)(len - have)), r;

		if (n <= 0) {
			r = reason(c, n);
			if (r < 0 && have == 0)
				return r;
			/* A failure after data is told by the next call; one that has to write
			 * first goes on when it can. */
			if (r < 0 || SSL_want_write(c->layer))
				c->flags |= CONN_CAN_READ;
			return (ssize_t)have;
		}
		have += (size_t)n;
		if (!(c->flags & (CONN_CAN_READ | CONN_RAW_EOF)) && !SSL_has_pending(c->layer))
			return (ssize_t)have;
	}
	c->flags |= CONN_CAN_READ;
	return (ssize_t)have;
}

static ssize_t
tls_write(struct conn *c, const void *data, size_t len, bool last)
{
	size_t done = 0;
	int r = 0;

	if (last)
		c->flags |= CONN_LAST;
	while (done < len) {
		int n = SSL_write(c->layer, (const char *)data + done, (int)(len - done));

		if (n <= 0) {
			r = reason(c, n);
			break;
		}
		done += (size_t)n;
	}
	c->flags &= ~CONN_LAST;
	if (r < 0 && done == 0)
		return r;
	return (ssize_t)done;
}

/* close_notify, on the segment of the FIN; where it finds no room, the FIN alone must do. */
static void
tls_finish(struct conn *c)
{
	c->flags |= CONN_LAST;
	if (!SSL_in_init(c->layer))
		SSL_shutdown(c->layer);
	ERR_clear_error();
	c->flags &= ~CONN_LAST;
}

static void
tls_release(struct conn *c)
{
	/* However it ended, the session may be resumed. */
	SSL_set_shutdown(c->layer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->layer);
	c->layer = NULL;
}

static const struct conn_ops ops = {
	.read = tls_read,
	.write = tls_write,
	.finish = tls_finish,
	.release = tls_release,
};

/* ------------------------------------------------------------------ the handshake */

static int
attach(struct conn *c, SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);
	BIO *bio = ssl ? BIO_new(method) : NULL;

	if (!bio) {
		SSL_free(ssl);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	c->layer = ssl;
	c->ops = &ops;
	return 0;
}

int
tls_accept(struct conn *c, SSL_CTX *ctx)
{
	int r = attach(c, ctx);

	if (r == 0)
		SSL_set_accept_state(c->layer);
	return r;
}

int
tls_connect(struct conn *c, SSL_CTX *ctx, const struct tls_asked *asked)
{
	unsigned char wire[ALPN_WIRE_MAX];
	X509_VERIFY_PARAM *param;
	int r = attach(c, ctx);

	if (r < 0)
		return r;
	SSL_set_connect_state(c->layer);
	if (asked->sni && SSL_set_tlsext_host_name(c->layer, asked->sni) != 1)
		r = -ENOMEM;
	if (asked->alpn) {
		int len = alpn_wire(asked->alpn, wire, sizeof wire);

		if (len < 0 || SSL_set_alpn_protos(c->layer, wire, (unsigned)len) != 0)
			r = -ENOMEM;
	}
	if (asked->verify) {
		param = SSL_get0_param(c->layer);
		/* An address is compared with addresses, a name with names. */
		if (X509_VERIFY_PARAM_set1_ip_asc(param, asked->verify) != 1 &&
		    SSL_set1_host(c->layer, asked->verify) != 1)
			r = -ENOMEM;
	}
	if (asked->session) {
		SSL_set_ex_data(c->layer, session_slot, asked->session);
		if (*asked->session)
			SSL_set_session(c->layer, *asked->session);
	}
	ERR_clear_error();
	return r;
}

int
tls_handshake(struct conn *c)
{
	int n = SSL_do_handshake(c->layer), r;

	if (n == 1) {
		/* What came with the last of it may be in OpenSSL's buffer already. */
		if (SSL_has_pending(c->layer) || (c->flags & CONN_RAW_EOF))
			c->flags |= CONN_CAN_READ;
		return 1;
	}
	r = reason(c, n);
	return r == 0 && (c->flags & CONN_EOF) ? -ECONNRESET : r;
}

const char *
tls_host_asked(const struct conn *c)
{
	return c->layer ? SSL_get_servername(c->layer, TLSEXT_NAMETYPE_host_name) : NULL;
}
