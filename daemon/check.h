/*
 * check.h - from the command line to a configuration, and what is said about it.
 */
#pragma once

#include "conf/load.h"
#include "daemon/options.h"
#include "proxy/tls_files.h"

#define CHECK_DEFAULT_FILE "/etc/tandem/tandem.conf"

struct check {
	struct arena *arena;
	struct conf *conf;
	struct conf_source *sources;
	size_t sources_n;
	struct conf_options options;
	struct conf_key_files key_files;
	struct tls_files *tls_files; /* what TLS needs; NULL = nothing */
};

/*
 * Reads and loads what the options name and prints what is to be said about it on stderr.  0, or
 * -EINVAL: it may not be used.  check_fini either way.
 */
int check_load(struct check *check, const struct options *options);
void check_fini(struct check *check);

/* `-c` and `tandem check`, `-dump`: the exit status. */
int check_main(const struct options *options);
