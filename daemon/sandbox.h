/*
 * sandbox.h - how the worker gets rid of what it does not need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* 1 in a build whose leak checker has to trace its own process at exit. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_LEAK_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_LEAK_CHECKED 1
#endif
#endif
#ifndef SANDBOX_LEAK_CHECKED
#define SANDBOX_LEAK_CHECKED 0
#endif

struct sandbox_identity {
	uid_t uid;
	gid_t gid;
};

/*
 * Who the worker runs as: the file's `user` and `group` (NULL = not given), by
 * default the system user "tandem" if there is one, else "nobody".  0, or -ENOENT with a sentence
 * in `error`: a name that does not exist.
 */
int sandbox_resolve(const char *user, const char *group, struct sandbox_identity *identity,
		    char *error, size_t error_len);

/* As many descriptors as the system lets this process have; core dumps off unless `debug`.  Before
 * sandbox_enter: raising the hard limit needs the privilege.  Returns the limit of descriptors. */
size_t sandbox_limits(bool debug);

/* Leaves the rest of the file system behind; needs the privilege.  0, or -errno, logged. */
int sandbox_root(const char *root);

/*
 * Gives up groups, user and every capability, for good, and verifies it.  A process that is not
 * root to begin with keeps its identity.  With `debug` it may be traced and dumped.  0 or -errno: then the process must not go on.
 */
int sandbox_enter(const struct sandbox_identity *identity, bool debug);
