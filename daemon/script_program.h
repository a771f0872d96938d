/*
 * script_program.h - a command of the configuration made ready to run: its words, the file that is
 * executed, and whose rights it gets.  Worked out once, at the guardian's start: whoever runs it
 * later neither asks name services nor searches directories.
 */
#pragma once

#include "conf/model.h"

#include <stddef.h>
#include <sys/types.h>

#define SCRIPT_GROUPS_MAX 64

struct script_owner {
	uid_t uid;
	gid_t gid;
	gid_t groups[SCRIPT_GROUPS_MAX];
	int groups_n;
};

struct script_program {
	char **words;             /* argv, NULL-terminated; NULL = nothing to run */
	char *path;               /* absolute */
	char *const *environment; /* somebody else's; NULL = the guardian's */
	struct script_owner owner;
};

/* Whoever runs what names no user: script_user, else keepalived_script where that user exists, else
 * this process's own.  0, or -1 with `error` set. */
int script_owner_default(const struct conf *conf, struct script_owner *owner, char *error,
			 size_t size);

/* USER [GROUP] as the file has them (group NULL: the user's).  0, or -1 with `error` set. */
int script_owner_find(const char *user, const char *group, struct script_owner *owner, char *error,
		      size_t size);

/*
 * Makes `program` from `command`; a command of NULL makes an empty one.  `other` runs it unless it
 * names a user itself (NULL: it must).  "</path" is given to a shell, as keepalived does.  0, or -1 with `error` set
 * and the program empty.
 */
int script_program_init(struct script_program *program, const struct conf_command *command,
			const struct script_owner *other, char *error, size_t size);
void script_program_fini(struct script_program *program);

/*
 * Could somebody who is not root change what runs as root?  keepalived's rule: the file and every
 * directory above it belong to root and nobody else may write there, sticky directories aside.
 * False for programs of other users.
 */
bool script_program_unsafe(const struct script_program *program);

/*
 * May it run?  An unsafe program is logged in any case (`what` it is: "notify script"), and runs
 * only where enable_script_security (`strict`) is not set, as in keepalived.
 */
bool script_program_permitted(const struct script_program *program, bool strict, const char *what);
