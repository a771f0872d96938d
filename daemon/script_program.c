/*
 * script_program.c - see script_program.h.  Runs on the guardian, at its start.
 */
#include "daemon/script_program.h"

#include "common/log.h"
#include "daemon/script_words.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "keepalived_script"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- owners ---- */

static int
take_groups(const char *user, struct script_owner *owner, char *error, size_t size)
{
	owner->groups_n = SCRIPT_GROUPS_MAX;
	if (getgrouplist(user, owner->gid, owner->groups, &owner->groups_n) >= 0)
		return 0;
	snprintf(error, size, "user %s is in more than %d groups", user, SCRIPT_GROUPS_MAX);
	return -1;
}

int
script_owner_find(const char *user, const char *group, struct script_owner *owner, char *error,
		  size_t size)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr = group ? getgrnam(group) : NULL;

	if (!pw || (group && !gr)) {
		snprintf(error, size, "%s %s does not exist", pw ? "group" : "user",
			 pw ? group : user);
		return -1;
	}
	*owner = (struct script_owner){ .uid = pw->pw_uid, .gid = gr ? gr->gr_gid : pw->pw_gid };
	return take_groups(user, owner, error, size);
}

int
script_owner_default(const struct conf *conf, struct script_owner *owner, char *error, size_t size)
{
	if (conf->script_user)
		return script_owner_find(conf->script_user, conf->script_group, owner, error, size);
	if (getpwnam(DEFAULT_USER))
		return script_owner_find(DEFAULT_USER, NULL, owner, error, size);
	*owner = (struct script_owner){ .uid = geteuid(), .gid = getegid() };
	return 0;
}

/* ---- the file ---- */

static bool
is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return true;
	errno = EACCES;
	return false;
}

/* An absolute path, to be freed, or NULL with errno. */
static char *
find_program(const char *name)
{
	const char *from = getenv("PATH"), *colon;
	char path[4096];

	if (strchr(name, '/'))
		return !is_program(name) ? NULL
		       : *name == '/'    ? strdup(name)
					 : realpath(name, NULL);
	for (from = from ? from : DEFAULT_PATH; from; from = colon ? colon + 1 : NULL) {
		colon = strchr(from, ':');
		if (*from != '/' ||
		    (size_t)snprintf(path, sizeof path, "%.*s/%s",
				     (int)(colon ? colon - from : (ptrdiff_t)strlen(from)), from,
				     name) >= sizeof path)
			continue;
		if (is_program(path))
			return strdup(path);
	}
	errno = ENOENT;
	return NULL;
}

/* "< /path" asks whether the path can be opened, which is a shell's business. */
static char **
split(const char *line)
{
	size_t blanks = *line == '<' ? 1 + strspn(line + 1, " \t") : 0;
	char **words, *text;
	size_t head = 4 * sizeof *words, len = strlen(line) + 1;

	if (!blanks || line[blanks] != '/')
		return script_words(line);
	words = malloc(head + len);
	if (!words)
		return NULL;
	text = memcpy((char *)words + head, line, len);
	words[0] = (char *)(uintptr_t) "/bin/sh";
	words[1] = (char *)(uintptr_t) "-c";
	words[2] = text;
	words[3] = NULL;
	return words;
}

int
script_program_init(struct script_program *program, const struct conf_command *command,
		    const struct script_owner *other, char *error, size_t size)
{
	*program = (struct script_program){ 0 };
	if (!command->line)
		return 0;
	if (other)
		program->owner = *other;
	else if (!command->user) {
		snprintf(error, size, "it is not known whose rights it gets");
		return -1;
	}
	if (command->user &&
	    script_owner_find(command->user, command->group, &program->owner, error, size) < 0)
		return -1;
	program->words = split(command->line);
	if (!program->words) {
		snprintf(error, size, "the command is empty or has too many words");
		return -1;
	}
	program->path = find_program(program->words[0]);
	if (!program->path) {
		snprintf(error, size, "%s cannot be run: %s", program->words[0], strerror(errno));
		script_program_fini(program);
		return -1;
	}
	return 0;
}

void
script_program_fini(struct script_program *program)
{
	free(program->words);
	free(program->path);
	program->words = NULL;
	program->path = NULL;
}

/* ---- security ---- */

static bool
is_unsafe(const struct stat *st)
{
	if (st->st_uid != 0)
		return true;
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		return false;
	return (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0);
}

bool
script_program_unsafe(const struct script_program *program)
{
	char *path =
		program->path && program->owner.uid == 0 ? realpath(program->path, NULL) : NULL;
	bool unsafe = false;
	struct stat st;

	while (path && !unsafe) {
		char *slash = strrchr(path, '/');

		unsafe = stat(path, &st) < 0 || is_unsafe(&st);
		if (slash == path) { /* the root directory comes last */
			unsafe = unsafe || stat("/", &st) < 0 || is_unsafe(&st);
			break;
		}
		*slash = '\0';
	}
	free(path);
	return unsafe;
}

bool
script_program_permitted(const struct script_program *program, bool strict, const char *what)
{
	if (!script_program_unsafe(program))
		return true;
	log_warning("SECURITY VIOLATION - %s %s %s as root although others can change it%s", what,
		    program->path, strict ? "does not run" : "runs",
		    strict ? "" : ": set enable_script_security");
	return !strict;
}
