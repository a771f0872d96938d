/*
 * fuzz_proxy_header.c - any bytes at the beginning of a connection.  What is read as a header can be
 * written and read again, and says the same.
 */
#include "proxy/proxy_header.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_same_text(struct proxy_header_text a, struct proxy_header_text b)
{
	/* One that does not fit is left out. */
	if (b.at)
		assert(a.len == b.len && memcmp(a.at, b.at, a.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its very size, so that a read beyond it shows. */
	char *bytes = malloc(size + !size), buf[PROXY_HEADER_ROOM];
	struct proxy_header header, again;
	enum proxy_header_result result;
	size_t len, written;

	memcpy(bytes, data, size);
	result = proxy_header_read(bytes, size, &header, &len);
	assert(result < PROXY_HEADER_RESULTS);
	if (result == PROXY_HEADER_OK) {
		assert(len > 0 && len <= size && len <= PROXY_HEADER_MAX);
		written = proxy_header_write_v2(buf, &header);
		assert(written <= sizeof buf);
		assert(proxy_header_read(buf, written, &again, &len) == PROXY_HEADER_OK);
		assert(len == written);
		assert(ip_equal(&header.source, &again.source));
		assert(ip_equal(&header.destination, &again.destination));
		assert(header.source_port == again.source_port ||
		       header.source.family == AF_UNSPEC);
		assert_same_text(header.authority, again.authority);
		assert_same_text(header.tls.common_name, again.tls.common_name);
		written = proxy_header_write_v1(buf, &header);
		assert(proxy_header_read(buf, written, &again, &len) == PROXY_HEADER_OK);
		assert(ip_equal(&header.source, &again.source));
	}
	free(bytes);
	return 0;
}
