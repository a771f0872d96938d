/*
 * carry.c - see carry.h.
 */
#include "daemon/carry.h"

#include "common/fingerprint.h"
#include "proxy/proxy.h"
#include "vrrpd/vrrp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CARRY_MAGIC UINT64_C(0x3179727261436454)

struct head {
	uint64_t magic;
	uint64_t layout; /* of the records, as whoever wrote it knows them */
};

struct record_head {
	uint32_t kind, name_len, data_len;
};

uint64_t
carry_layout(void)
{
	uint64_t layout = fingerprint_number(vrrp_saved_layout(), proxy_saved_layout());

	return fingerprint_number(layout, sizeof(struct carry_worker) << 8 | CARRY_N);
}

static void
append(struct carry *carry, const void *data, size_t len)
{
	if (carry->failed || len == 0)
		return;
	if (carry->size - carry->len < len) {
		size_t size = carry->size ? carry->size : 65536;
		char *more;

		while (size - carry->len < len)
			size *= 2;
		more = size <= CARRY_MAX ? realloc(carry->data, size) : NULL;
		if (!more) {
			carry->failed = true;
			return;
		}
		carry->data = more;
		carry->size = size;
	}
	memcpy(carry->data + carry->len, data, len);
	carry->len += len;
}

void
carry_init(struct carry *carry, uint64_t layout)
{
	const struct head head = { CARRY_MAGIC, layout };

	*carry = (struct carry){ 0 };
	append(carry, &head, sizeof head);
}

void
carry_fini(struct carry *carry)
{
	free(carry->data);
	*carry = (struct carry){ 0 };
}

void
carry_add(struct carry *carry, enum carry_kind kind, const char *name, const void *data, size_t len)
{
	const struct record_head head = { kind, (uint32_t)strlen(name) + 1, (uint32_t)len };

	append(carry, &head, sizeof head);
	append(carry, name, head.name_len);
	append(carry, data, len);
}

int
carry_write(const struct carry *carry, int fd)
{
	if (carry->failed)
		return -ENOMEM;
	for (size_t done = 0; done < carry->len;) {
		ssize_t n = write(fd, carry->data + done, carry->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int
carry_next(const void *block, size_t block_len, uint64_t layout, size_t *at,
	   struct carry_record *record)
{
	const char *bytes = block;
	struct record_head head;
	struct head first;

	if (*at == 0) {
		if (block_len < sizeof first)
			return -EBADMSG;
		memcpy(&first, bytes, sizeof first);
		if (first.magic != CARRY_MAGIC || first.layout != layout)
			return -EBADMSG;
		*at = sizeof first;
	}
	if (*at == block_len)
		return 0;
	if (block_len - *at < sizeof head)
		return -EBADMSG;
	memcpy(&head, bytes + *at, sizeof head);
	*at += sizeof head;
	if (head.kind >= CARRY_N || head.name_len == 0 || head.name_len > block_len - *at ||
	    bytes[*at + head.name_len - 1] != '\0' ||
	    head.data_len > block_len - *at - head.name_len)
		return -EBADMSG;
	record->kind = (enum carry_kind)head.kind;
	record->name = bytes + *at;
	record->data = bytes + *at + head.name_len;
	record->len = head.data_len;
	*at += head.name_len + head.data_len;
	return 1;
}
