/*
 * test_proxy_process_vars.c - variables of the whole process: what they keep, on which conditions, and
 * that no reader sees half a value while several threads write.
 */
#include "proxy/process_vars.h"

#include "conf/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define WRITES  100000

static struct conf_variable_name names[] = { { "txn.a", false }, { "proc.b", true } };
static const struct conf conf = { .variables = names, .variables_n = 2 };
static struct process_vars *vars;

static bool
set_number_by(uint32_t thread, int64_t number, unsigned when)
{
	struct sample sample;

	sample_number(&sample, SAMPLE_INT, number);
	return process_vars_set(vars, thread, 1, &sample, when);
}

static bool
set_text_by(uint32_t thread, const char *data, size_t len, unsigned when)
{
	struct sample sample;

	sample_text(&sample, SAMPLE_STR, data, len);
	return process_vars_set(vars, thread, 1, &sample, when);
}

static int64_t
number(void)
{
	char text[SAMPLE_ROOM];
	struct sample sample;

	assert_true(process_vars_get(vars, 1, &sample, text));
	assert_int_equal(sample.type, SAMPLE_INT);
	return sample.number;
}

static void
values(void **state)
{
	static char long_text[SAMPLE_ROOM + 9];
	char text[SAMPLE_ROOM];
	struct sample sample;

	assert_false(process_vars_get(vars, 1, &sample, text));
	assert_true(set_text_by(0, "abcdefghi", 9, 0));
	assert_true(process_vars_get(vars, 1, &sample, text));
	assert_int_equal(sample.type, SAMPLE_STR);
	assert_int_equal(sample.len, 9);
	assert_memory_equal(sample.data, "abcdefghi", 9);
	assert_true(set_text_by(2, "", 0, 0));
	assert_true(process_vars_get(vars, 1, &sample, text));
	assert_int_equal(sample.len, 0);
	memset(long_text, 'x', sizeof long_text);
	assert_true(set_text_by(1, long_text, sizeof long_text, 0));
	assert_true(process_vars_get(vars, 1, &sample, text));
	assert_int_equal(sample.len, SAMPLE_ROOM);
	assert_memory_equal(sample.data, long_text, SAMPLE_ROOM);

	sample = (struct sample){ .type = SAMPLE_IP };
	assert_int_equal(ip_parse("2001:db8::7", &sample.ip), 0);
	assert_true(process_vars_set(vars, 0, 1, &sample, 0));
	sample = (struct sample){ 0 };
	assert_true(process_vars_get(vars, 1, &sample, text));
	assert_int_equal(sample.type, SAMPLE_IP);
	assert_string_equal(ip_format(&sample.ip, text), "2001:db8::7");
	assert_true(process_vars_set(vars, 0, 1, NULL, 0));
	assert_false(process_vars_get(vars, 1, &sample, text));
}

static void
conditions(void **state)
{
	assert_false(set_number_by(0, 1, CONF_IF_NOT_EXISTS));
	assert_false(set_number_by(0, 1, CONF_IF_SET));
	assert_true(set_number_by(0, 5, CONF_IF_EXISTS | CONF_IF_NOT_SET));
	assert_false(set_number_by(1, 6, CONF_IF_NOT_SET));
	/* Held back several times: what is current stays whole. */
	for (int i = 0; i < 3; i++) {
		assert_false(set_number_by(0, 5, CONF_IF_GREATER));
		assert_false(set_number_by(0, 5, CONF_IF_LESS));
		assert_int_equal(number(), 5);
	}
	assert_true(set_number_by(1, 4, CONF_IF_GREATER));
	assert_true(set_number_by(0, 9, CONF_IF_LESS));
	assert_false(set_text_by(1, "", 0, CONF_IF_NOT_EMPTY));
	assert_false(set_text_by(1, "x", 1, CONF_IF_EMPTY));
	assert_int_equal(number(), 9);
	assert_true(set_text_by(1, "x", 1, CONF_IF_GREATER | CONF_IF_LESS));
}

/* ------------------------------------------------------------------ many threads */

static _Atomic int writing;
static _Atomic unsigned long torn, reads;

/* Texts of one letter, as long as the letter says; each thread its own letters. */
static void *
write_texts(void *arg)
{
	uint32_t thread = (uint32_t)(uintptr_t)arg;
	char text[SAMPLE_ROOM];

	for (unsigned i = 0; i < WRITES; i++) {
		unsigned letter = thread * 32 + i % 32 + 1;

		memset(text, (int)letter, letter * 8);
		set_text_by(thread, text, letter * 8, 0);
	}
	atomic_fetch_sub(&writing, 1);
	return NULL;
}

static void *
read_texts(void *arg)
{
	char text[SAMPLE_ROOM];
	struct sample sample;

	while (atomic_load(&writing) > 0) {
		if (!process_vars_get(vars, 1, &sample, text))
			continue;
		for (size_t i = 0; i < sample.len; i++)
			if ((unsigned char)text[i] * 8u != sample.len)
				atomic_fetch_add(&torn, 1);
		atomic_fetch_add(&reads, 1);
	}
	return NULL;
}

static void
nobody_sees_half_a_value(void **state)
{
	pthread_t writers[THREADS], readers[2];

	atomic_store(&writing, THREADS);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_texts, NULL), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, write_texts, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(writers[i], NULL);
	for (size_t i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	print_message("%lu reads beside %d writes\n", atomic_load(&reads), THREADS * WRITES);
	assert_int_equal(atomic_load(&torn), 0);
}

/* Only who finds a greater one sets: the least of all is left. */
static void *
set_least(void *arg)
{
	uint32_t thread = (uint32_t)(uintptr_t)arg;

	for (int64_t i = WRITES; i > 0; i--)
		set_number_by(thread, i * THREADS - thread, CONF_IF_GREATER);
	return NULL;
}

static void
the_least_is_left(void **state)
{
	pthread_t writers[THREADS];

	assert_true(set_number_by(0, INT64_MAX, 0));
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, set_least, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(writers[i], NULL);
	assert_int_equal(number(), 1);
}

static int
setup(void **state)
{
	vars = process_vars_new(&conf, THREADS);
	return vars ? 0 : -1;
}

static int
teardown(void **state)
{
	process_vars_free(vars);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values, setup, teardown),
		cmocka_unit_test_setup_teardown(conditions, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_sees_half_a_value, setup, teardown),
		cmocka_unit_test_setup_teardown(the_least_is_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
