/*
 * test_listeners.c - binding: the probe, the threads' sockets, addresses that are not there yet, unix
 * paths, inherited descriptors; in a network namespace.
 */
#include "daemon/listeners.h"

#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct arena *arena;
	struct conf conf;
	struct listeners listeners;
};

static void
begin(struct fixture *f)
{
	struct conf_proxy *p;

	*f = (struct fixture){ .arena = arena_new() };
	ARENA_PUSH(f->arena, f->conf.sources, f->conf.sources_n)->name = "lab.conf";
	p = ARENA_PUSH(f->arena, f->conf.proxies, f->conf.proxies_n);
	p->name = "main";
	p->caps = CONF_CAP_FRONT;
}

static struct conf_bind *
add_bind(struct fixture *f, const char *address, uint16_t port)
{
	struct conf_proxy *p = &f->conf.proxies[0];
	struct conf_bind *b = ARENA_PUSH(f->arena, p->binds, p->binds_n);
	struct ip ip;

	b->text = address;
	b->inherited_fd = b->mode = b->uid = b->gid = -1;
	if (address[0] == '/')
		b->address = sock_addr_unix(address);
	else if (ip_parse(address, &ip) == 0)
		b->address = sock_addr_from_ip(&ip, port);
	return b;
}

static void
end(struct fixture *f)
{
	listeners_fini(&f->listeners, NULL);
	arena_free(f->arena);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
test_one_socket_per_thread(void **state)
{
	struct fixture f;

	begin(&f);
	add_bind(&f, "0.0.0.0", 8080);
	add_bind(&f, "10.99.0.1", 8080); /* not local: a backup's view of the VIP */
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 3, NULL), 0);
	assert_int_equal(f.listeners.n, 6);
	for (size_t i = 0; i < f.listeners.n; i++) {
		int fd = f.listeners.at[i].fd;

		assert_int_equal(f.listeners.at[i].bind, i / 3);
		assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
		assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	}
	end(&f);
}

static void
test_both_families_of_a_port(void **state)
{
	struct fixture f;

	begin(&f);
	add_bind(&f, "0.0.0.0", 8080);
	add_bind(&f, "::", 8080)->v6only = true;
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), 0);
	assert_int_equal(option(f.listeners.at[2].fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	end(&f);
}

/* Another program shares its port with whoever asks (SO_REUSEPORT): it is an error all the same. */
static void
test_a_port_of_another_program(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(8081) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct fixture f;

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(listen(fd, 1), 0);

	begin(&f);
	add_bind(&f, "0.0.0.0", 8081);
	add_bind(&f, "0.0.0.0", 8082);
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), -EADDRINUSE);
	assert_int_equal(f.listeners.n, 0);
	end(&f);

	close(fd);
	begin(&f);
	add_bind(&f, "0.0.0.0", 8081);
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), 0);
	end(&f);
}

static void
test_a_disabled_proxy_binds_nothing(void **state)
{
	struct fixture f;

	begin(&f);
	add_bind(&f, "0.0.0.0", 8080);
	f.conf.proxies[0].disabled = true;
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), 0);
	assert_int_equal(f.listeners.n, 0);
	end(&f);
}

static void
test_unix_paths(void **state)
{
	char directory[] = "/tmp/tandem-test-XXXXXX", path[64], plain[64];
	struct fixture f, g;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/socket", directory);
	begin(&f);
	add_bind(&f, path, 0)->mode = 0640;
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), 0);
	assert_int_equal(f.listeners.n, 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);

	/* Served: refused.  Left behind: replaced. */
	begin(&g);
	add_bind(&g, path, 0);
	assert_int_equal(listeners_init(&g.listeners, &g.conf, 1, NULL), -EADDRINUSE);
	listeners_fini(&g.listeners, NULL);
	for (size_t i = 0; i < f.listeners.n; i++)
		close(f.listeners.at[i].fd);
	f.listeners.n = 0;
	assert_int_equal(listeners_init(&g.listeners, &g.conf, 1, NULL), 0);
	end(&g);
	assert_int_equal(stat(path, &st), -1);
	end(&f);

	/* What is no socket is not ours to remove. */
	snprintf(plain, sizeof plain, "%s/file", directory);
	close(creat(plain, 0600));
	begin(&g);
	add_bind(&g, plain, 0);
	assert_int_equal(listeners_init(&g.listeners, &g.conf, 1, NULL), -EEXIST);
	end(&g);
	assert_int_equal(unlink(plain), 0);
	rmdir(directory);
}

static void
test_inherited(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct fixture f;

	begin(&f);
	add_bind(&f, "fd@", 0)->inherited_fd = fd;
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), 0);
	assert_int_equal(f.listeners.n, 2);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	end(&f);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	close(fd);

	begin(&f);
	add_bind(&f, "fd@", 0)->inherited_fd = fd;
	assert_int_equal(listeners_init(&f.listeners, &f.conf, 2, NULL), -EBADF);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_socket_per_thread),
		cmocka_unit_test(test_both_families_of_a_port),
		cmocka_unit_test(test_a_port_of_another_program),
		cmocka_unit_test(test_a_disabled_proxy_binds_nothing),
		cmocka_unit_test(test_unix_paths),
		cmocka_unit_test(test_inherited),
	};

	lab_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
