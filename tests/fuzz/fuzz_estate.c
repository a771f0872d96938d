/*
 * fuzz_estate.c - any bytes as what a guardian left to itself, read as any row of fields: what is read
 * lies within them and within its bounds, and behind a failure there is nothing.
 *
 * The input: how many fields, then what kind each is read as, then the bytes behind the head.
 */
#include "daemon/estate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FINGERPRINT 1
#define TEXT_SIZE   16

static void
read_bytes(struct estate *e)
{
	void *bytes;
	size_t len;

	estate_bytes(e, &bytes, &len);
	assert(bytes ? len > 0 && ((char *)bytes)[len] == '\0' : len == 0);
	assert(!e->failure || !bytes);
	free(bytes);
}

static void
read_text(struct estate *e)
{
	char text[TEXT_SIZE];

	memset(text, 'x', sizeof text);
	estate_text(e, text, sizeof text);
	assert(memchr(text, '\0', sizeof text));
	assert(!e->failure || text[0] == '\0');
}

static void
read_number(struct estate *e, unsigned kind)
{
	int64_t i64 = 1;
	uint64_t u64 = 1;
	uint32_t u32 = 1;
	bool yes = true;
	struct mono mono = { 1 };

	if (kind == 0) {
		estate_i64(e, &i64, -5, 5);
		assert(i64 >= -5 && i64 <= 5 && (!e->failure || i64 == 0));
	} else if (kind == 1) {
		estate_u64(e, &u64);
		assert(!e->failure || u64 == 0);
	} else if (kind == 2) {
		estate_u32(e, &u32, 100);
		assert(u32 <= 100 && (!e->failure || u32 == 0));
	} else if (kind == 3) {
		estate_bool(e, &yes);
		assert(!e->failure || !yes);
	} else {
		estate_mono(e, &mono);
		assert(mono.ns >= 0 && (!e->failure || mono.ns == 0));
	}
}

static void
read_field(struct estate *e, unsigned kind)
{
	int fd = 7;

	switch (kind % 10) {
	case 5:
		estate_fd(e, &fd);
		assert(fd == -1 || (fd > 2 && fd < ESTATE_FD_MAX));
		assert(!e->failure || fd == -1);
		break;
	case 6:
		read_text(e);
		break;
	case 7:
		read_bytes(e);
		break;
	case 8:
		estate_section(e, "section");
		break;
	case 9:
		estate_expect(e, 3);
		break;
	default:
		read_number(e, kind % 10);
	}
	assert(e->at <= e->len);
}

/* Each descriptor has one owner. */
static void
check_fds(const struct estate *e)
{
	for (size_t i = 0; i < e->fds_n; i++)
		for (size_t j = 0; j < i; j++)
			assert(e->fds[i] != e->fds[j]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t fields = size ? data[0] : 0, rest;
	struct estate head, e;
	char *block;

	if (size < 1 + fields)
		return 0;
	rest = size - 1 - fields;
	estate_write(&head, FINGERPRINT);
	/* Of its very size, so that a read beyond it shows. */
	block = malloc(head.len + rest);
	memcpy(block, head.data, head.len);
	memcpy(block + head.len, data + 1 + fields, rest);
	estate_read(&e, block, head.len + rest, FINGERPRINT);
	assert(!e.failure);
	for (size_t i = 0; i < fields; i++)
		read_field(&e, data[1 + i]);
	estate_end(&e);
	assert(e.failure || e.at == e.len);
	check_fds(&e);
	estate_fini(&e);
	estate_fini(&head);
	free(block);
	return 0;
}
