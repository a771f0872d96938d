/*
 * test_conf_key_files.c - keys in files of their own: what is taken, what is refused, and how the
 * worker comes to know them.
 */
#include "conf/load.h"

#include "cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char path[64];
static struct arena *arena;
static struct conf_key_files files;
static struct conf_report report;

static int
setup(void **state)
{
	arena = arena_new();
	files = (struct conf_key_files){ .reads = true };
	snprintf(path, sizeof path, "/tmp/test-key-%d", (int)getpid());
	return 0;
}

static int
teardown(void **state)
{
	unlink(path);
	arena_free(arena);
	return 0;
}

static void
write_key(const char *text, size_t len, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static const struct conf *
load(struct conf_key_files *known)
{
	const char *text = arena_printf(arena,
					"vrrp_instance VI_1 {\n"
					"\tinterface eth0\n"
					"\tvirtual_router_id 1\n"
					"\tauth_hmac {\n"
					"\t\tkey 9 file:%s\n"
					"\t}\n"
					"\tvirtual_ipaddress {\n"
					"\t\t10.0.0.10\n"
					"\t}\n"
					"}\n",
					path);
	const struct conf_source source = { "test.conf", text, strlen(text) };
	const struct conf_options options = { .node = "lb1", .key_files = known };

	return conf_load(arena, &source, 1, &options, &report);
}

/* What the key is like that this file holds; NULL = it was refused. */
static const struct conf_hmac_key *
key_in(const char *text, size_t len)
{
	const struct conf *conf;

	files = (struct conf_key_files){ .reads = true };
	write_key(text, len, 0600);
	conf = load(&files);
	assert_int_equal(report.warnings, 0);
	return report.errors ? NULL : &conf->instances[0].hmac->keys[0];
}

static void
forms(void **state)
{
	static const char plain[] = "0123456789 0123456789 0123456789";
	const struct conf_hmac_key *key = key_in("hex:" HEX "\n", sizeof HEX + 4);

	assert_non_null(key);
	assert_int_equal(key->len, 32);
	assert_int_equal(key->bytes[31], 0x1f);
	assert_int_equal(key->id, 9);
	key = key_in(plain, sizeof plain - 1);
	assert_non_null(key);
	assert_int_equal(key->len, 32);
	assert_memory_equal(key->bytes, plain, 32);
}

static void
refused(void **state)
{
	char large[5000];

	memset(large, '\n', sizeof large);
	memcpy(large, HEX, sizeof HEX - 1);
	assert_null(key_in("", 0));
	assert_null(key_in("too short\n", 10));
	assert_null(key_in("hex:" HEX "0", sizeof HEX + 4));
	assert_null(key_in("hex:" HEX "zz", sizeof HEX + 5));
	assert_null(key_in(HEX "1", sizeof HEX));
	assert_null(key_in(large, sizeof large));
	unlink(path);
	load(&files);
	assert_int_equal(report.errors, 1);
	/* A pipe would have the guardian wait for whoever writes to it. */
	files = (struct conf_key_files){ .reads = true };
	assert_int_equal(mkfifo(path, 0600), 0);
	load(&files);
	assert_int_equal(report.errors, 1);
}

static void
exposed(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0666 };

	for (size_t i = 0; i < COUNT(modes); i++) {
		files = (struct conf_key_files){ .reads = true };
		write_key("hex:" HEX, sizeof HEX + 3, modes[i]);
		load(&files);
		assert_int_equal(report.errors, 0);
		assert_int_equal(report.warnings, 1);
		assert_null(strstr(report.messages[0].text, "0001020304"));
	}
}

/* The worker opens nothing: it knows what the guardian has read, though the file be gone. */
static void
the_worker_knows(void **state)
{
	struct conf_options options = { .node = "lb1", .key_files = &files }, back;
	const struct conf *conf;
	struct conf_source *sources;
	size_t len, sources_n;
	void *block;

	write_key("hex:" HEX, sizeof HEX + 3, 0600);
	load(&files);
	conf_key_file(arena, &files, "/nonexistent");
	assert_int_equal(files.n, 2);
	unlink(path);
	block = conf_pack(arena, NULL, 0, &options, &len);
	assert_int_equal(conf_unpack(arena, block, len, &sources, &sources_n, &back), 0);
	assert_false(back.key_files->reads);
	assert_int_equal(back.key_files->n, 2);
	conf = load(back.key_files);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->instances[0].hmac->keys[0].len, 32);
	assert_int_equal(conf->instances[0].hmac->keys[0].bytes[31], 0x1f);

	/* there, but not among what was handed over */
	snprintf(path, sizeof path, "/tmp/test-key-%d-other", (int)getpid());
	write_key("hex:" HEX, sizeof HEX + 3, 0600);
	load(back.key_files);
	assert_int_equal(report.errors, 1);

	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(conf_unpack(arena, block, cut, &sources, &sources_n, &back),
				     0);
}

/* `-dump` and the comparison with another host: its files are not here. */
static void
unknown(void **state)
{
	const struct conf *conf;

	unlink(path);
	conf = load(NULL);
	assert_int_equal(report.errors, 0);
	assert_int_equal(conf->instances[0].hmac->keys[0].len, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forms), TEST(refused), TEST(exposed), TEST(the_worker_knows), TEST(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
