/*
 * fuzz_hello.c - any bytes as the first ones of a connection: what is found lies within them, and
 * what is there does not change with the bytes behind it.
 */
#include "proxy/hello.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that can be asked. */
struct answers {
	enum hello_result results[10];
	struct hello_text texts[4];
	int64_t numbers[3];
};

static void
inside(enum hello_result r, const struct hello_text *text, const char *data, size_t len)
{
	if (r == HELLO_FOUND)
		assert(text->data >= data && text->len <= len &&
		       (size_t)(text->data - data) <= len - text->len);
}

static struct answers
ask(const char *data, size_t len)
{
	static const struct hello_text any = { "", 0 }, one = { "mstshash", 8 };
	struct answers a = { 0 };
	enum hello_result *r = a.results;

	r[0] = hello_type(data, len, &a.numbers[0]);
	r[1] = hello_version(data, len, &a.numbers[1]);
	r[2] = hello_ticket(data, len, &a.numbers[2]);
	r[3] = hello_curves(data, len);
	r[4] = hello_http(data, len);
	r[5] = hello_host(data, len, &a.texts[0]);
	r[6] = hello_alpn(data, len, 0, &a.texts[1]);
	r[7] = hello_rdp_cookie(data, len, &any, &a.texts[2]);
	r[8] = hello_rdp_cookie(data, len, &one, &a.texts[3]);
	for (unsigned i = 0; i < 4; i++)
		inside(r[5 + i], &a.texts[i], data, len);
	for (unsigned i = 1; hello_alpn(data, len, i, &a.texts[1]) == HELLO_FOUND; i++)
		inside(HELLO_FOUND, &a.texts[1], data, len);
	return a;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t part_len = size ? data[size - 1] * size / 256 : 0;
	/* Of their very size, so that a read beyond them shows. */
	char *whole = malloc(size + !size), *part = malloc(part_len + !part_len);
	struct answers all, some;

	memcpy(whole, data, size);
	memcpy(part, data, part_len);
	all = ask(whole, size);
	some = ask(part, part_len);
	/* A verdict on fewer bytes holds for more. */
	for (unsigned i = 0; i < 9; i++)
		if (i != 4 && some.results[i] != HELLO_WAIT)
			assert(some.results[i] == all.results[i]);
	for (unsigned i = 0; i < 3; i++)
		if (some.results[i] == HELLO_FOUND)
			assert(some.numbers[i] == all.numbers[i]);
	free(whole);
	free(part);
	return 0;
}
