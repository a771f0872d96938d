/*
 * test_proxy_header.c - PROXY protocol headers: both versions read and written, cut at every byte,
 * and spoilt.
 */
#include "proxy/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#define TEXT(literal) ((struct proxy_header_text){ literal, sizeof literal - 1 })

static struct proxy_header header;
static size_t len;

static enum proxy_header_result
read_text(const char *text)
{
	return proxy_header_read(text, strlen(text), &header, &len);
}

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static struct proxy_header
sample(const char *source, const char *destination)
{
	return (struct proxy_header){
		.source = ip_of(source),
		.destination = ip_of(destination),
		.source_port = 56324,
		.destination_port = 443,
	};
}

static void
assert_text(struct proxy_header_text text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.at, expected, text.len);
}

static void
version_1(void **state)
{
	char buf[PROXY_HEADER_ROOM];

	assert_int_equal(read_text("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET"),
			 PROXY_HEADER_OK);
	assert_int_equal(len, 45);
	assert_false(header.local);
	assert_string_equal(ip_format(&header.source, buf), "192.0.2.1");
	assert_string_equal(ip_format(&header.destination, buf), "198.51.100.7");
	assert_int_equal(header.source_port, 56324);
	assert_int_equal(header.destination_port, 443);
	assert_int_equal(read_text("PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 0 65535\r\n"),
			 PROXY_HEADER_OK);
	assert_int_equal(header.source.family, AF_INET6);
	assert_int_equal(read_text("PROXY UNKNOWN\r\n"), PROXY_HEADER_OK);
	assert_true(header.local);
	assert_int_equal(read_text("PROXY UNKNOWN what ever 1 2 3 4 5\r\n"), PROXY_HEADER_OK);
	assert_true(header.local);
}

static void
version_1_refused(void **state)
{
	static const struct {
		const char *text;
		enum proxy_header_result result;
	} cases[] = {
		{ "GET / HTTP/1.0\r\n", PROXY_HEADER_NONE },
		{ "PROXY\r\n", PROXY_HEADER_NONE },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n", PROXY_HEADER_ADDRESS },
		{ "PROXY \r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 +1 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 ::1 ::2 1 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP6 192.0.2.1 ::2 1 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY TCP4 localhost 192.0.2.2 1 2\r\n", PROXY_HEADER_ADDRESS },
		{ "PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890"
		  "123456789012345678901234567890123456789",
		  PROXY_HEADER_LENGTH },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (read_text(cases[i].text) != cases[i].result)
			fail_msg("%s: %s", cases[i].text,
				 proxy_header_reason(read_text(cases[i].text)));
	assert_int_equal(proxy_header_read("PROXY UNKNOWN\0\r\n", 16, &header, &len),
			 PROXY_HEADER_ADDRESS);
}

/* Cut anywhere, a header is the beginning of one. */
static void
cut_anywhere(void **state)
{
	struct proxy_header out = sample("2001:db8::1", "2001:db8::2");
	char buf[PROXY_HEADER_ROOM];
	size_t full[2];

	out.authority = TEXT("www.example.org");
	out.checksum = true;
	for (int version = 0; version < 2; version++) {
		full[version] = version ? proxy_header_write_v2(buf, &out)
					: proxy_header_write_v1(buf, &out);
		for (size_t cut = 0; cut < full[version]; cut++)
			assert_int_equal(proxy_header_read(buf, cut, &header, &len),
					 PROXY_HEADER_MORE);
		assert_int_equal(proxy_header_read(buf, full[version], &header, &len),
				 PROXY_HEADER_OK);
		assert_int_equal(len, full[version]);
	}
}

static void
version_2(void **state)
{
	struct proxy_header out = sample("192.0.2.1", "198.51.100.7");
	/* Section 2.2: 12 bytes of signature, version and command, family and protocol, length. */
	static const unsigned char expected[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01"
						"\xc6\x33\x64\x07\xdc\x04\x01\xbb";
	char buf[PROXY_HEADER_ROOM];

	len = proxy_header_write_v2(buf, &out);
	assert_int_equal(len, sizeof expected - 1);
	assert_memory_equal(buf, expected, len);
	out.alpn = TEXT("h2");
	out.authority = TEXT("www.example.org");
	out.unique_id = TEXT("4711");
	out.checksum = true;
	out.tls = (struct proxy_header_tls){
		.on = true,
		.client_cert = true,
		.session_cert = true,
		.verify = 10,
		.version = TEXT("TLSv1.3"),
		.common_name = TEXT("client"),
		.cipher = TEXT("TLS_AES_128_GCM_SHA256"),
		.signature = TEXT("SHA256"),
		.key = TEXT("EC256"),
	};
	len = proxy_header_write_v2(buf, &out);
	assert_int_equal(proxy_header_read(buf, len, &header, &len), PROXY_HEADER_OK);
	assert_true(ip_equal(&header.source, &out.source));
	assert_true(ip_equal(&header.destination, &out.destination));
	assert_int_equal(header.source_port, out.source_port);
	assert_int_equal(header.destination_port, out.destination_port);
	assert_text(header.alpn, "h2");
	assert_text(header.authority, "www.example.org");
	assert_text(header.unique_id, "4711");
	assert_true(header.tls.on && header.tls.client_cert && header.tls.session_cert);
	assert_int_equal(header.tls.verify, 10);
	assert_text(header.tls.version, "TLSv1.3");
	assert_text(header.tls.common_name, "client");
	assert_text(header.tls.cipher, "TLS_AES_128_GCM_SHA256");
	assert_text(header.tls.signature, "SHA256");
	assert_text(header.tls.key, "EC256");
}

/* Whatever byte is changed, the checksum or something before it notices. */
static void
checksum(void **state)
{
	struct proxy_header out = sample("192.0.2.1", "198.51.100.7");
	char buf[PROXY_HEADER_ROOM];
	size_t full;

	/* The sum of a header of LOCAL with nothing but the sum, calculated elsewhere. */
	static const unsigned char known[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\x07\x03\0\x04";

	out.checksum = true;
	full = proxy_header_write_v2(buf, &out);
	for (size_t i = 0; i < full; i++) {
		/* Of another type, the sum would be an extension like any other. */
		if (i == full - 7)
			continue;
		buf[i] ^= 0x40;
		assert_int_not_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_OK);
		buf[i] ^= 0x40;
	}
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_OK);
	out = (struct proxy_header){ .local = true, .checksum = true };
	full = proxy_header_write_v2(buf, &out);
	assert_memory_equal(buf, known, sizeof known - 1);
	assert_memory_equal(buf + full - 4, "\xa9\xb8\x7e\x8f", 4);
}

static void
version_2_refused(void **state)
{
	struct proxy_header out = sample("192.0.2.1", "198.51.100.7");
	char buf[PROXY_HEADER_ROOM];
	size_t full;

	out.authority = TEXT("example");
	full = proxy_header_write_v2(buf, &out);
	buf[12] = 0x11;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_VERSION);
	buf[12] = 0x22;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_VERSION);
	/* LOCAL: addresses stand there and count for nothing. */
	buf[12] = 0x20;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_OK);
	assert_true(header.local);
	assert_int_equal(header.source.family, AF_UNSPEC);
	buf[12] = 0x21;
	/* UDP is nothing that we could be asked about. */
	buf[13] = 0x12;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_OK);
	assert_true(header.local);
	buf[13] = 0x11;
	buf[30] = 1;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_TLV);
	buf[15] = 4;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_LENGTH);
	buf[14] = 0x7f;
	assert_int_equal(proxy_header_read(buf, full, &header, &len), PROXY_HEADER_LENGTH);
}

/* What does not fit the room is left out, and the header is whole. */
static void
long_texts(void **state)
{
	static char text[PROXY_HEADER_ROOM];
	struct proxy_header out = sample("192.0.2.1", "198.51.100.7");
	char buf[PROXY_HEADER_ROOM];

	memset(text, 'x', sizeof text);
	out.checksum = true;
	for (size_t n = 900; n < sizeof text; n++) {
		out.authority = (struct proxy_header_text){ text, n };
		out.unique_id = TEXT("short");
		len = proxy_header_write_v2(buf, &out);
		assert_true(len <= sizeof buf);
		assert_int_equal(proxy_header_read(buf, len, &header, &len), PROXY_HEADER_OK);
		assert_true(header.checksum);
	}
	assert_null(header.authority.at);
	assert_text(header.unique_id, "short");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),    cmocka_unit_test(version_1_refused),
		cmocka_unit_test(cut_anywhere), cmocka_unit_test(version_2),
		cmocka_unit_test(checksum),     cmocka_unit_test(version_2_refused),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
