/*
 * haproxy_probe.c - recognising the check scripts that only ask whether haproxy runs.  Pure.
 *
 * Recognised are whole commands of known forms and nothing else: a script that asks for anything
 * more (a second command, a pipe, another program) is left alone and runs as it is.
 */
#include "conf/haproxy_probe.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define TEXT_MAX  256
#define WORDS_MAX 16

/* A command taken apart as a shell would, as far as that is simple. */
struct command {
	char text[TEXT_MAX];
	const char *words[WORDS_MAX + 1]; /* NULL after the last one */
	size_t words_n;
};

/* "$(…)" and "`…`" stay one word, quotes go.  false: more than we care to understand. */
static bool
split(const char *s, struct command *c)
{
	char *out = c->text;

	if (strlen(s) >= sizeof c->text)
		return false;
	c->words_n = 0;
	for (;;) {
		char end = 0;

		while (isspace((unsigned char)*s))
			s++;
		if (!*s)
			break;
		if (c->words_n == WORDS_MAX)
			return false;
		c->words[c->words_n++] = out;
		for (; *s && (end || !isspace((unsigned char)*s)); s++) {
			if (end && *s == end) {
				if (end == ')' || end == '`')
					*out++ = *s;
				end = 0;
			} else if (end == 0 && (*s == '"' || *s == '\'')) {
				end = *s;
			} else {
				if (end == 0 && *s == '`')
					end = '`';
				else if (end == 0 && s[0] == '$' && s[1] == '(')
					end = ')';
				*out++ = *s;
			}
		}
		if (end)
			return false;
		/* The blank that ended the word makes room for this. */
		if (*s)
			s++;
		*out++ = '\0';
	}
	c->words[c->words_n] = NULL;
	return c->words_n > 0;
}

static bool
is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* What does not change the exit status: discarded output and "|| exit 1" at the end. */
static void
drop_tail(struct command *c)
{
	static const char *const discards[] = { ">/dev/null",  "1>/dev/null", "2>/dev/null",
						"&>/dev/null", ">&/dev/null", "2>&1",
						NULL };
	static const char *const arrows[] = { ">", "1>", "2>", "&>", NULL };

	if (c->words_n > 3 && strcmp(c->words[c->words_n - 3], "||") == 0 &&
	    strcmp(c->words[c->words_n - 2], "exit") == 0 &&
	    strcmp(c->words[c->words_n - 1], "1") == 0)
		c->words_n -= 3;
	while (c->words_n > 1) {
		const char *last = c->words[c->words_n - 1];

		if (is_one_of(last, discards))
			c->words_n--;
		else if (c->words_n > 2 && strcmp(last, "/dev/null") == 0 &&
			 is_one_of(c->words[c->words_n - 2], arrows))
			c->words_n -= 2;
		else
			break;
	}
	c->words[c->words_n] = NULL;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool
is_haproxy(const char *word)
{
	return strcmp(base_name(word), "haproxy") == 0;
}

static bool
is_service(const char *word)
{
	return strcmp(word, "haproxy") == 0 || strcmp(word, "haproxy.service") == 0;
}

/* How a program that looks for processes is asked. */
struct asker {
	const char *name;
	bool signals;                 /* needs -0: other signals do something */
	const char *const *flags;     /* that do not change the question */
	const char *const *arguments; /* flags with a value that do not, either */
};

static const char *const killall_flags[] = { "-q", "--quiet", "-e", "--exact", "-w", NULL };
static const char *const user_arguments[] = { "-u", "--user", "--euid", "-U", NULL };
static const char *const pkill_flags[] = { "-x", "--exact", "-f", "--full", "-q", NULL };
static const char *const pidof_flags[] = { "-s", "-x", "-q", "-c", NULL };
static const char *const pgrep_flags[] = { "-x", "--exact", "-f", "--full", "-c",
					   "-l", "-a",      "-n", "-o",     NULL };
static const char *const none[] = { NULL };

static const struct asker askers[] = {
	{ "killall", true, killall_flags, user_arguments },
	{ "pkill", true, pkill_flags, user_arguments },
	{ "pidof", false, pidof_flags, none },
	{ "pgrep", false, pgrep_flags, user_arguments },
};

static bool
asks_processes(const struct asker *asker, const struct command *c)
{
	bool signal_zero = !asker->signals, target = false;

	for (size_t i = 1; i < c->words_n; i++) {
		const char *word = c->words[i], *next = c->words[i + 1];

		if (asker->signals &&
		    (strcmp(word, "-0") == 0 || strcmp(word, "--signal=0") == 0)) {
			signal_zero = true;
		} else if (asker->signals && next &&
			   (strcmp(word, "-s") == 0 || strcmp(word, "--signal") == 0)) {
			signal_zero = strcmp(next, "0") == 0;
			i++;
		} else if (is_one_of(word, asker->arguments)) {
			i++;
		} else if (is_haproxy(word) && !target) {
			target = true;
		} else if (!is_one_of(word, asker->flags)) {
			return false;
		}
	}
	return signal_zero && target;
}

/* "systemctl [-q] is-active haproxy" */
static bool
asks_systemd(const struct command *c)
{
	bool verb = false, target = false;

	for (size_t i = 1; i < c->words_n; i++) {
		const char *word = c->words[i];

		if (strcmp(word, "is-active") == 0 || strcmp(word, "status") == 0)
			verb = true;
		else if (verb && !target && is_service(word))
			target = true;
		else if (strcmp(word, "-q") != 0 && strcmp(word, "--quiet") != 0 &&
			 strcmp(word, "--no-pager") != 0)
			return false;
	}
	return verb && target;
}

/* "$(cat /run/haproxy.pid)", with either kind of substitution, or "$(pidof haproxy)". */
static bool
is_pid_of_haproxy(const char *word)
{
	char inner[TEXT_MAX];
	size_t len = strlen(word);
	struct command c;

	if (len > 3 && strncmp(word, "$(", 2) == 0 && word[len - 1] == ')') {
		word += 2;
		len -= 3;
	} else if (len > 2 && word[0] == '`' && word[len - 1] == '`') {
		word++;
		len -= 2;
	} else {
		return false;
	}
	memcpy(inner, word, len);
	inner[len] = '\0';
	if (!split(inner, &c) || c.words_n != 2)
		return false;
	if (strcmp(base_name(c.words[0]), "pidof") == 0)
		return is_haproxy(c.words[1]);
	len = strlen(c.words[1]);
	return (strcmp(base_name(c.words[0]), "cat") == 0 || strcmp(c.words[0], "<") == 0) &&
	       strstr(base_name(c.words[1]), "haproxy") && len > 4 &&
	       strcmp(c.words[1] + len - 4, ".pid") == 0;
}

static bool
asks_kill(const struct command *c)
{
	if (c->words_n == 3)
		return strcmp(c->words[1], "-0") == 0 && is_pid_of_haproxy(c->words[2]);
	return c->words_n == 4 && strcmp(c->words[1], "-s") == 0 && strcmp(c->words[2], "0") == 0 &&
	       is_pid_of_haproxy(c->words[3]);
}

static bool
probe(const char *command, unsigned depth)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", NULL };
	struct command c;
	const char *program;

	if (!split(command, &c))
		return false;
	drop_tail(&c);
	program = base_name(c.words[0]);
	/* One word may be the whole command line in quotes. */
	if (c.words_n == 1 && depth < 2 && strchr(c.words[0], ' '))
		return probe(c.words[0], depth + 1);
	if (is_one_of(program, shells))
		return depth < 2 && c.words_n == 3 && strcmp(c.words[1], "-c") == 0 &&
		       probe(c.words[2], depth + 1);
	for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
		if (strcmp(program, askers[i].name) == 0)
			return asks_processes(&askers[i], &c);
	if (strcmp(program, "systemctl") == 0)
		return asks_systemd(&c);
	if (strcmp(program, "service") == 0)
		return c.words_n == 3 && is_service(c.words[1]) &&
		       strcmp(c.words[2], "status") == 0;
	return strcmp(program, "kill") == 0 && asks_kill(&c);
}

bool
haproxy_probe(const char *command)
{
	return probe(command, 0);
}
