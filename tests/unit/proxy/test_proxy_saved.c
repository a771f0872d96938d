/*
 * test_proxy_saved.c - counts and health go on in another proxy, and whatever else it is given does no
 * harm.
 */
#include "tests/unit/proxy/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#define SESSIONS 7

struct saved {
	unsigned char server[PROXY_SAVED_MAX], backend[PROXY_SAVED_MAX];
	size_t server_len, backend_len;
};

static void
save(const struct proxy *proxy, struct saved *saved)
{
	saved->server_len = proxy_save_server(proxy, 1, 0, saved->server);
	saved->backend_len = proxy_save(proxy, 1, saved->backend);
}

static void
make(struct site *site, const struct origin *origin)
{
	site_init(site);
	site_add_server(site, "s1", origin->port);
}

/* What a proxy knows after some sessions. */
static void
live(const struct origin *origin, struct saved *saved)
{
	struct site site;
	char text[16];

	make(&site, origin);
	site_start(&site, 2);
	for (int i = 0; i < SESSIONS; i++)
		assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	save(site.proxy, saved);
	site_stop(&site);
}

static void
test_counts_go_on(void **state)
{
	struct origin origin;
	struct saved saved;
	struct site site;
	char text[16];

	origin_start(&origin, ORIGIN_NAME, "a", 0);
	live(&origin, &saved);
	make(&site, &origin);
	site_prepare(&site, 1);
	assert_true(proxy_restore_server(site.proxy, 1, 0, saved.server, saved.server_len));
	assert_true(proxy_restore(site.proxy, 1, saved.backend, saved.backend_len));
	proxy_open(site.proxy);
	assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	assert_int_equal(site_server(&site, 0).sessions_total, SESSIONS + 1);
	site_stop(&site);
	origin_stop(&origin);
}

/* Any byte another, any length: it still serves. */
static void
test_damage(void **state)
{
	struct origin origin;
	struct saved saved;
	struct site site;
	char text[16];

	origin_start(&origin, ORIGIN_NAME, "a", 0);
	live(&origin, &saved);
	make(&site, &origin);
	site_prepare(&site, 1);
	for (size_t i = 0; i < saved.server_len; i++) {
		unsigned char kept = saved.server[i];

		for (unsigned bit = 0; bit < 9; bit++) {
			saved.server[i] = bit < 8 ? kept ^ (unsigned char)(1 << bit) : 0xff;
			proxy_restore_server(site.proxy, 1, 0, saved.server, saved.server_len);
		}
		saved.server[i] = kept;
		assert_false(proxy_restore_server(site.proxy, 1, 0, saved.server, i));
	}
	for (size_t i = 0; i < saved.backend_len; i++) {
		saved.backend[i] ^= 0xff;
		proxy_restore(site.proxy, 1, saved.backend, saved.backend_len);
		assert_false(proxy_restore(site.proxy, 1, saved.backend, i));
	}
	proxy_open(site.proxy);
	assert_int_equal(site_fetch(&site, text, sizeof text), 1);
	assert_string_equal(text, "a");
	site_stop(&site);
	origin_stop(&origin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_go_on),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
