/*
 * logged.h - a site with a log server: a UDP socket of the test's.
 */
#pragma once

#include "tests/unit/proxy/fixture.h"
#include "tests/unit/proxy/format_conf.h"

struct logged {
	struct arena *formats;
	struct site site;
	struct origin origin;
	struct conf_log target, own[2];
	int fd;
};

/* One origin called "hello", no server yet, `option tcplog`. */
void logged_init(struct logged *l, enum origin_mode mode);
void logged_fini(struct logged *l);

/* The next message without its header and newline, and with checks that take no time. */
const char *logged_line(struct logged *l);

/* Of the next message what follows the date, but for the three times. */
const char *logged_end(struct logged *l);

/* Closes with RST. */
void logged_reset(int fd);
