/*
 * check.c - loads the files of the command line: for a run, for `-c`, for `-dump`.  One place, so
 * that what a check accepts is what a start accepts.
 */
#include "daemon/check.h"

#include "proxy/tls.h"

#include "conf/compare.h"
#include "daemon/own_addresses.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

static int
read_sources(struct check *c, const struct options *o)
{
	static const char *const by_default[] = { CHECK_DEFAULT_FILE };
	const char *const *files = o->files_n ? o->files : by_default;
	const char *failed = NULL;
	int r;

	if (!o->files_n && access(CHECK_DEFAULT_FILE, F_OK) < 0) {
		fprintf(stderr,
			"tandem: no configuration file: give one with -f (there is no %s)\n",
			CHECK_DEFAULT_FILE);
		return -EINVAL;
	}
	r = conf_read_files(c->arena, files, o->files_n ? o->files_n : 1, &c->sources,
			    &c->sources_n, &failed);
	if (r < 0) {
		fprintf(stderr, "tandem: cannot read %s: %s\n", failed ? failed : "configuration",
			strerror(-r));
		return -EINVAL;
	}
	return 0;
}

/* -i, else -L, else the host's name: what @NAME lines are compared with. */
static const char *
node_name(struct check *c, const struct options *o)
{
	char host[256];

	if (o->node)
		return o->node;
	if (gethostname(host, sizeof host) < 0)
		return "localhost";
	host[sizeof host - 1] = '\0';
	return arena_strdup(c->arena, host);
}

/* Certificates and keys are tried as the worker will, so that nothing is wrong with them later. */
static void
try_tls(struct check *c, struct conf_report *report)
{
	struct reporter reporter = { .arena = c->arena, .conf = c->conf, .report = report };

	if (!tls_wanted(c->conf))
		return;
	c->tls_files = tls_files_new();
	tls_free(tls_new(c->conf, c->tls_files, &reporter));
	conf_report_sort(report);
}

/* An empty file, or lines that are all for other nodes? */
static bool
does_nothing(const struct conf *conf)
{
	for (size_t i = 0; i < conf->proxies_n; i++)
		if (conf->proxies[i].binds_n > 0)
			return false;
	return conf->instances_n == 0 && conf->static_vips_n == 0 &&
	       conf->static_paths.routes_n == 0 && conf->static_paths.rules_n == 0;
}

/* conf_options.look_up: the first address, which is the one that getaddrinfo prefers. */
static const char *
look_up(const char *host, uint8_t family, struct ip *ip)
{
	struct addrinfo hints = { .ai_family = family,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found;
	struct sock_addr address = { .len = 0 };
	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error)
		return gai_strerror(error);
	memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
	address.len = found->ai_addrlen;
	*ip = sock_addr_ip(&address);
	freeaddrinfo(found);
	return NULL;
}

int
check_load(struct check *c, const struct options *o)
{
	struct conf_report report = { 0 };

	*c = (struct check){ .arena = arena_new(), .key_files.reads = true };
	if (read_sources(c, o) < 0)
		return -EINVAL;
	c->options = (struct conf_options){ .node = node_name(c, o), .maxconn = o->maxconn };
	/* Another node's files say nothing about this host. */
	if (!o->elsewhere && own_addresses_open() == 0) {
		c->options.is_local = own_addresses_has;
		c->options.is_foreign = own_addresses_foreign;
	}
	if (!o->elsewhere && o->command != OPTIONS_DUMP)
		c->options.key_files = &c->key_files;
	if (!o->elsewhere && o->command != OPTIONS_DUMP)
		c->options.look_up = look_up;
	if (!o->elsewhere)
		c->options.read_values = conf_read_values;
	c->conf = conf_load(c->arena, c->sources, c->sources_n, &c->options, &report);
	c->sources = c->conf->sources; /* with what was read on the way */
	c->sources_n = c->conf->sources_n;
	own_addresses_close();
	if (report.errors == 0 && o->command != OPTIONS_DUMP && !o->elsewhere)
		try_tls(c, &report);
	conf_report_print(stderr, c->conf, &report, o->quiet);
	if (report.errors) {
		fprintf(stderr, "tandem: %zu error%s and %zu warning%s in the configuration\n",
			report.errors, report.errors == 1 ? "" : "s", report.warnings,
			report.warnings == 1 ? "" : "s");
		return -EINVAL;
	}
	if (!o->elsewhere && does_nothing(c->conf)) {
		report.warnings++;
		if (!o->quiet)
			fprintf(stderr, "tandem: warning: nothing to do: there is no vrrp_instance "
					"and no `bind` line\n");
	}
	if (o->strict && report.warnings) {
		fprintf(stderr, "tandem: warnings are errors with -dW\n");
		return -EINVAL;
	}
	return 0;
}

/* -V: what there is, in one line. */
static void
print_summary(const struct conf *conf)
{
	size_t vips = 0, binds = 0, servers = 0, backends = 0;

	for (size_t i = 0; i < conf->instances_n; i++)
		vips += conf->instances[i].vips_n;
	for (size_t i = 0; i < conf->proxies_n; i++) {
		binds += conf->proxies[i].binds_n;
		servers += conf->proxies[i].servers_n;
		backends += conf->proxies[i].servers_n > 0;
	}
	printf("node %s: %zu vrrp instance%s with %zu address%s, %zu listening socket%s, %zu "
	       "server%s in %zu backend%s\n",
	       conf->node, conf->instances_n, conf->instances_n == 1 ? "" : "s", vips,
	       vips == 1 ? "" : "es", binds, binds == 1 ? "" : "s", servers,
	       servers == 1 ? "" : "s", backends, backends == 1 ? "" : "s");
}

/* Do this configuration and the other node's make a pair? */
static int
compare_peer(const struct check *c, const struct options *o)
{
	struct options other = *o;
	struct conf_compared compared;
	struct check peer;
	int r;

	other.files = o->peers;
	other.files_n = o->peers_n;
	other.elsewhere = true;
	other.node = o->peer_node ? o->peer_node : o->node;
	r = check_load(&peer, &other);
	if (r == 0) {
		compared = conf_compare(stderr, c->conf, peer.conf);
		if (compared.errors || (o->strict && compared.warnings))
			r = -EINVAL;
		if (compared.errors || compared.warnings)
			fprintf(stderr, "tandem: the two nodes: %zu error%s, %zu warning%s\n",
				compared.errors, compared.errors == 1 ? "" : "s", compared.warnings,
				compared.warnings == 1 ? "" : "s");
		else if (!o->quiet)
			puts("The two nodes make a pair");
	}
	check_fini(&peer);
	return r;
}

void
check_fini(struct check *c)
{
	tls_files_free(c->tls_files);
	c->tls_files = NULL;
	arena_free(c->arena);
	c->arena = NULL;
}

int
check_main(const struct options *o)
{
	struct check c;
	int status = check_load(&c, o) < 0;

	if (status == 0 && o->peers_n && compare_peer(&c, o) < 0)
		status = 1;
	if (status == 0) {
		if (o->command == OPTIONS_DUMP)
			conf_dump(stdout, c.conf);
		else if (!o->quiet)
			puts("Configuration file is valid");
		if (o->command == OPTIONS_CHECK && o->verbose && !o->quiet)
			print_summary(c.conf);
		if (fflush(stdout) != 0)
			status = 1;
	}
	check_fini(&c);
	return status;
}
