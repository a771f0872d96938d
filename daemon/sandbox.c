/*
 * sandbox.c - from root to nobody.  Runs in the worker on its only thread, before the first byte
 * of a client or a peer is read.
 *
 * The order matters: limits and the capability bounding set while there is privilege, then groups,
 * user, and what capabilities are left; no_new_privs closes the way back through set-user-id files.
 * Nothing of the sockets that were inherited is lost by this.
 */
#include "daemon/sandbox.h"

#include "common/log.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <openssl/ssl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct passwd *
find_user(const char *user)
{
	const struct passwd *pw;

	if (user)
		return getpwnam(user);
	pw = getpwnam("tandem");
	return pw ? pw : getpwnam("nobody");
}

int
sandbox_resolve(const char *user, const char *group, struct sandbox_identity *identity, char *error,
		size_t error_len)
{
	const struct passwd *pw = find_user(user);
	struct sandbox_identity id = { 65534, 65534 }; /* where even "nobody" is missing */
	const struct group *gr;

	if (user && !pw) {
		snprintf(error, error_len, "user %s does not exist", user);
		return -ENOENT;
	}
	if (pw) {
		id.uid = pw->pw_uid;
		id.gid = pw->pw_gid;
	}
	if (group) {
		gr = getgrnam(group);
		if (!gr) {
			snprintf(error, error_len, "group %s does not exist", group);
			return -ENOENT;
		}
		id.gid = gr->gr_gid;
	}
	*identity = id;
	return 0;
}

/* What the kernel would grant a privileged process at most. */
static rlim_t
descriptors_ceiling(void)
{
	unsigned long long n = 1048576;
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");

	if (f) {
		if (fscanf(f, "%llu", &n) != 1)
			n = 1048576;
		fclose(f);
	}
	return n;
}

size_t
sandbox_limits(bool debug)
{
	const struct rlimit no_core = { 0, 0 };
	struct rlimit files;

	if (!debug)
		setrlimit(RLIMIT_CORE, &no_core);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 1024;
	if (files.rlim_max < descriptors_ceiling()) {
		struct rlimit more = { descriptors_ceiling(), descriptors_ceiling() };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			files = more;
	}
	if (files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			getrlimit(RLIMIT_NOFILE, &files);
	}
	return files.rlim_cur;
}

static int
change_identity(const struct sandbox_identity *id)
{
	/* May be missing already, as in a container: then there is nothing left to drop. */
	capng_clear(CAPNG_SELECT_BOTH);
	capng_apply(CAPNG_SELECT_BOUNDS);

	if (setgroups(0, NULL) < 0 || setresgid(id->gid, id->gid, id->gid) < 0 ||
	    setresuid(id->uid, id->uid, id->uid) < 0)
		return -errno;
	return 0;
}

int
sandbox_root(const char *root)
{
	/* TLS reads its library's settings when it begins: afterwards they are out of reach. */
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (chroot(root) < 0 || chdir("/") < 0) {
		int r = -errno;

		log_error("cannot make %s the root directory: %s", root, strerror(-r));
		return r;
	}
	return 0;
}

int
sandbox_enter(const struct sandbox_identity *id, bool debug)
{
	if (geteuid() == 0) {
		int r = change_identity(id);

		if (r < 0) {
			log_error("cannot become user %u, group %u: %s", id->uid, id->gid,
				  strerror(-r));
			return r;
		}
	}

	/* As user 0 (asked for by `user root`) the capabilities go all the same. */
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		log_error("cannot give up capabilities");
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		int r = -errno;

		log_error("cannot set no_new_privs: %m");
		return r;
	}
	/* Set either way: a change of user may have cleared it.  The leak checker of a sanitized build
	 * traces its own process. */
	if (prctl(PR_SET_DUMPABLE, debug || SANDBOX_LEAK_CHECKED, 0, 0, 0) < 0)
		log_warning("cannot become undumpable: %m");
	return 0;
}
