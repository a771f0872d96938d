/*
 * test_estate.c - what the guardian leaves to itself: fields come back as they were written, and of
 * what is cut short, changed or somebody else's nothing is believed.
 */
#include "daemon/estate.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FINGERPRINT 0x1234

/* One of each kind. */
struct fields {
	int64_t i64;
	uint64_t u64;
	uint32_t u32;
	int number;
	bool yes;
	struct mono mono;
	int fd, none, other;
	char text[16];
	void *bytes;
	size_t bytes_len;
	void *nothing;
	size_t nothing_len;
};

static void
visit(struct estate *e, struct fields *f)
{
	estate_section(e, "fields");
	estate_i64(e, &f->i64, -10, 10);
	estate_u64(e, &f->u64);
	estate_u32(e, &f->u32, 100);
	estate_int(e, &f->number, -1, INT_MAX);
	estate_bool(e, &f->yes);
	estate_mono(e, &f->mono);
	estate_expect(e, 3);
	estate_fd(e, &f->fd);
	estate_fd(e, &f->none);
	estate_fd(e, &f->other);
	estate_text(e, f->text, sizeof f->text);
	estate_bytes(e, &f->bytes, &f->bytes_len);
	estate_bytes(e, &f->nothing, &f->nothing_len);
	estate_end(e);
}

static const struct fields sample = {
	.i64 = -10,
	.u64 = UINT64_MAX,
	.u32 = 100,
	.number = INT_MAX,
	.yes = true,
	.mono = { 77 },
	.fd = 5,
	.none = -1,
	.other = ESTATE_FD_MAX - 1,
	.text = "fifteen letters",
	.bytes = (void *)(uintptr_t) "a\0b",
	.bytes_len = 3,
};

static void
write_sample(struct estate *e)
{
	struct fields f = sample;

	estate_write(e, FINGERPRINT);
	visit(e, &f);
	assert_false(estate_failed(e));
}

/* What is there to be freed is freed, however it ended. */
static const char *
read_back(const void *data, size_t len, uint64_t fingerprint, struct fields *f)
{
	struct estate e;
	const char *failure;

	memset(f, 0xaa, sizeof *f);
	f->bytes = f->nothing = NULL;
	estate_read(&e, data, len, fingerprint);
	visit(&e, f);
	failure = e.failure;
	assert_true(failure || e.at == len);
	if (!failure)
		assert_int_equal(e.fds_n, 2);
	free(f->bytes);
	free(f->nothing);
	estate_fini(&e);
	return failure;
}

static void
test_fields_come_back(void **state)
{
	struct estate e, back;
	struct fields f = { 0 };

	write_sample(&e);
	assert_int_equal(e.fds_n, 2);
	estate_read(&back, e.data, e.len, FINGERPRINT);
	visit(&back, &f);
	assert_null(back.failure);
	assert_int_equal(f.i64, -10);
	assert_true(f.u64 == UINT64_MAX);
	assert_int_equal(f.u32, 100);
	assert_int_equal(f.number, INT_MAX);
	assert_true(f.yes);
	assert_int_equal(f.mono.ns, 77);
	assert_int_equal(f.fd, 5);
	assert_int_equal(f.none, -1);
	assert_int_equal(f.other, ESTATE_FD_MAX - 1);
	assert_string_equal(f.text, sample.text);
	assert_int_equal(f.bytes_len, 3);
	assert_memory_equal(f.bytes, "a\0b", 4);
	assert_null(f.nothing);
	assert_int_equal(back.fds[0], 5);
	assert_int_equal(back.fds[1], ESTATE_FD_MAX - 1);
	free(f.bytes);
	estate_fini(&back);
	estate_fini(&e);
}

static void
test_other_versions_are_refused(void **state)
{
	struct estate e;
	struct fields f;

	write_sample(&e);
	assert_non_null(strstr(read_back(e.data, e.len, FINGERPRINT + 1, &f), "another language"));
	e.data[14]++; /* the number in ESTATE_FORMAT */
	assert_non_null(strstr(read_back(e.data, e.len, FINGERPRINT, &f), "another format"));
	estate_fini(&e);
}

/* Behind the first failure everything is zero, nothing or none. */
static void
test_nothing_is_left_undefined(void **state)
{
	struct estate e;
	struct fields f;

	write_sample(&e);
	assert_non_null(read_back(e.data, sizeof ESTATE_FORMAT, FINGERPRINT, &f));
	assert_int_equal(f.i64, 0);
	assert_int_equal(f.fd, -1);
	assert_false(f.yes);
	assert_string_equal(f.text, "");
	assert_int_equal(f.bytes_len, 0);
	estate_fini(&e);
}

static void
test_damage_is_noticed(void **state)
{
	struct estate e;
	struct fields f;
	char *copy;

	write_sample(&e);
	for (size_t len = 0; len < e.len; len++) {
		copy = malloc(len + !len); /* of its very size, so that a read beyond it shows */
		memcpy(copy, e.data, len);
		assert_non_null(read_back(copy, len, FINGERPRINT, &f));
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * e.len; bit++) {
		copy = malloc(e.len);
		memcpy(copy, e.data, e.len);
		copy[bit / 8] ^= (char)(1 << bit % 8);
		read_back(copy, e.len, FINGERPRINT, &f);
		free(copy);
	}
	copy = calloc(1, e.len + 1);
	memcpy(copy, e.data, e.len);
	assert_non_null(read_back(copy, e.len + 1, FINGERPRINT, &f));
	free(copy);
	estate_fini(&e);
}

/* Beyond its bounds, a standard stream, one twice, a text that does not fit. */
static void
test_values_are_checked(void **state)
{
	static const struct {
		int fd, other;
		uint32_t u32;
		int64_t i64;
	} bad[] = { { 2, 5, 0, 0 }, { -2, 5, 0, 0 },  { ESTATE_FD_MAX, 5, 0, 0 },
		    { 5, 5, 0, 0 }, { 5, 6, 101, 0 }, { 5, 6, 0, 11 } };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fields f = sample, back;
		struct estate e;

		f.fd = bad[i].fd;
		f.other = bad[i].other;
		f.u32 = bad[i].u32;
		f.i64 = bad[i].i64;
		estate_write(&e, FINGERPRINT);
		visit(&e, &f);
		assert_true(estate_failed(&e) || read_back(e.data, e.len, FINGERPRINT, &back));
		estate_fini(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_come_back),
		cmocka_unit_test(test_other_versions_are_refused),
		cmocka_unit_test(test_nothing_is_left_undefined),
		cmocka_unit_test(test_damage_is_noticed),
		cmocka_unit_test(test_values_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
