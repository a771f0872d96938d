/*
 * estate.c - see estate.h.
 */
#include "daemon/estate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct head {
	char format[sizeof ESTATE_FORMAT - 1];
	uint64_t fingerprint;
};

static const char no_memory[] = "out of memory";
static const char damaged[] = "it is damaged";

void
estate_fail(struct estate *e, const char *why)
{
	if (!e->failure)
		e->failure = why;
}

/* ---- bytes ---- */

static void
append(struct estate *e, const void *data, size_t len)
{
	if (e->failure || len == 0)
		return;
	if (e->size - e->len < len) {
		size_t size = e->size ? e->size : 4096;
		char *more;

		while (size - e->len < len && size <= ESTATE_MAX)
			size *= 2;
		more = size <= ESTATE_MAX ? realloc(e->data, size) : NULL;
		if (!more) {
			estate_fail(e, no_memory);
			return;
		}
		e->data = more;
		e->size = size;
	}
	memcpy(e->data + e->len, data, len);
	e->len += len;
}

/* The next `len` bytes, or NULL: there are not so many. */
static const void *
take(struct estate *e, size_t len)
{
	const char *at = e->data + e->at;

	if (e->failure)
		return NULL;
	if (e->len - e->at < len) {
		estate_fail(e, damaged);
		return NULL;
	}
	e->at += len;
	return at;
}

static bool
take_kind(struct estate *e, char kind)
{
	const char *found = take(e, 1);

	if (found && *found == kind)
		return true;
	estate_fail(e, damaged);
	return false;
}

/* ---- beginning and end ---- */

void
estate_write(struct estate *e, uint64_t fingerprint)
{
	struct head head = { ESTATE_FORMAT, fingerprint };

	*e = (struct estate){ .writing = true, .section = "head" };
	append(e, &head, sizeof head);
}

void
estate_read(struct estate *e, const void *data, size_t len, uint64_t fingerprint)
{
	const struct head *found;
	struct head head;

	*e = (struct estate){
		.data = (char *)(uintptr_t)data,
		.len = len,
		.section = "head",
		.seen = calloc(1, ESTATE_FD_MAX / 8),
	};
	if (!e->seen)
		estate_fail(e, no_memory);
	found = take(e, sizeof head);
	if (!found)
		return;
	memcpy(&head, found, sizeof head);
	if (memcmp(head.format, ESTATE_FORMAT, sizeof head.format) != 0)
		estate_fail(e, "it is of another format");
	else if (head.fingerprint != fingerprint)
		estate_fail(e, "guardian and worker speak another language in that version");
}

void
estate_fini(struct estate *e)
{
	if (e->writing)
		free(e->data);
	free(e->fds);
	free(e->seen);
	*e = (struct estate){ 0 };
}

void
estate_end(struct estate *e)
{
	estate_section(e, "end");
	if (!e->writing && e->at != e->len)
		estate_fail(e, damaged);
}

/* ---- fields ---- */

static void
put_number(struct estate *e, char kind, int64_t value)
{
	append(e, &kind, 1);
	append(e, &value, sizeof value);
}

static int64_t
get_number(struct estate *e, char kind)
{
	const void *found = take_kind(e, kind) ? take(e, sizeof(int64_t)) : NULL;
	int64_t value = 0;

	if (found)
		memcpy(&value, found, sizeof value);
	return value;
}

void
estate_i64(struct estate *e, int64_t *value, int64_t min, int64_t max)
{
	if (e->writing) {
		put_number(e, 'n', *value);
		return;
	}
	*value = get_number(e, 'n');
	if (!e->failure && *value >= min && *value <= max)
		return;
	estate_fail(e, damaged);
	*value = 0;
}

void
estate_u64(struct estate *e, uint64_t *value)
{
	int64_t number = e->writing ? (int64_t)*value : 0;

	estate_i64(e, &number, INT64_MIN, INT64_MAX);
	*value = (uint64_t)number;
}

void
estate_u32(struct estate *e, uint32_t *value, uint32_t max)
{
	int64_t number = e->writing ? *value : 0;

	estate_i64(e, &number, 0, max);
	*value = (uint32_t)number;
}

void
estate_int(struct estate *e, int *value, int min, int max)
{
	int64_t number = e->writing ? *value : 0;

	estate_i64(e, &number, min, max);
	*value = (int)number;
}

void
estate_bool(struct estate *e, bool *value)
{
	int64_t number = e->writing ? *value : 0;

	estate_i64(e, &number, 0, 1);
	*value = number;
}

void
estate_mono(struct estate *e, struct mono *value)
{
	estate_i64(e, &value->ns, 0, INT64_MAX);
}

void
estate_timer(struct estate *e, struct timer_heap *heap, struct timer *timer)
{
	struct mono when = timer_armed(timer) ? timer->when : (struct mono){ 0 };

	estate_mono(e, &when);
	if (!e->writing && !e->failure && when.ns)
		timer_arm(heap, timer, when);
}

void
estate_expect(struct estate *e, size_t n)
{
	int64_t number = (int64_t)n;

	estate_i64(e, &number, number, number);
}

static void
mention(struct estate *e, int fd)
{
	if (e->fds_n == e->fds_size) {
		size_t size = e->fds_size ? e->fds_size * 2 : 64;
		int *more = realloc(e->fds, size * sizeof *more);

		if (!more) {
			estate_fail(e, no_memory);
			return;
		}
		e->fds = more;
		e->fds_size = size;
	}
	e->fds[e->fds_n++] = fd;
}

/* The standard streams are nobody's estate, and a descriptor has one owner. */
static bool
is_new_fd(struct estate *e, int64_t fd)
{
	uint8_t bit;

	if (fd <= 2 || fd >= ESTATE_FD_MAX)
		return false;
	if (!e->seen)
		return true;
	bit = (uint8_t)(1 << fd % 8);
	if (e->seen[fd / 8] & bit)
		return false;
	e->seen[fd / 8] |= bit;
	return true;
}

void
estate_fd(struct estate *e, int *fd)
{
	int64_t number = e->writing ? *fd : -1;

	if (e->writing)
		put_number(e, 'd', number);
	else
		number = get_number(e, 'd');
	if (!e->failure && number != -1 && !is_new_fd(e, number))
		estate_fail(e, damaged);
	if (!e->failure && number != -1)
		mention(e, (int)number);
	*fd = e->failure ? -1 : (int)number;
}

static void
put_bytes(struct estate *e, char kind, const void *data, size_t len)
{
	uint32_t written = (uint32_t)len;

	if (len > ESTATE_MAX) {
		estate_fail(e, no_memory);
		return;
	}
	append(e, &kind, 1);
	append(e, &written, sizeof written);
	append(e, data, len);
}

/* Where they are; NULL if it failed. */
static const char *
get_bytes(struct estate *e, char kind, size_t *len)
{
	const void *found = take_kind(e, kind) ? take(e, sizeof(uint32_t)) : NULL;
	uint32_t written = 0;

	if (found)
		memcpy(&written, found, sizeof written);
	*len = written;
	return found ? take(e, written) : NULL;
}

void
estate_section(struct estate *e, const char *name)
{
	const char *found;
	size_t len = strlen(name);

	if (!e->failure)
		e->section = name;
	if (e->writing) {
		put_bytes(e, '#', name, len);
		return;
	}
	found = get_bytes(e, '#', &len);
	if (found && (len != strlen(name) || memcmp(found, name, len) != 0))
		estate_fail(e, damaged);
}

void
estate_text(struct estate *e, char *text, size_t size)
{
	size_t len = e->writing ? strlen(text) : 0;
	const char *found;

	if (e->writing) {
		put_bytes(e, 's', text, len);
		return;
	}
	found = get_bytes(e, 's', &len);
	if (found && (len >= size || memchr(found, '\0', len)))
		estate_fail(e, damaged);
	if (e->failure)
		len = 0;
	memcpy(text, len ? found : "", len);
	text[len] = '\0';
}

void
estate_bytes(struct estate *e, void **data, size_t *len)
{
	const char *found;
	char *copy = NULL;

	if (e->writing) {
		put_bytes(e, 's', *data, *data ? *len : 0);
		return;
	}
	found = get_bytes(e, 's', len);
	if (found && *len) {
		copy = malloc(*len + 1);
		if (!copy)
			estate_fail(e, no_memory);
	}
	if (copy) {
		memcpy(copy, found, *len);
		copy[*len] = '\0';
	} else {
		*len = 0;
	}
	*data = copy;
}
