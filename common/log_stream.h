/*
 * log_stream.h - standard output and standard error as places for log lines: whoever reads there may
 * be slow, stopped or gone, and a line must not wait for that.
 *
 * The description behind such a descriptor is shared with the shell and others, so it cannot be made
 * non-blocking.  But a pipe or a terminal can be opened once more, with a description that is ours.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Looks at what both streams lead to.  Before threads start, and before privileges and paths are
 * given up; again after either was replaced.  Without it, a line is written if there seems to be
 * room. */
void log_streams_open(void);

/* Nothing is to be written to either any more: both lead where `fd` does, which never blocks.  Any
 * thread; others may be writing. */
void log_streams_silence(int fd);

/* Writes a line to STDOUT_FILENO or STDERR_FILENO.  Any thread, without a lock; never waits for a
 * reader.  False: it is lost, or the end of it.  In a pipe, what is longer than PIPE_BUF may have
 * others' lines within. */
bool log_stream_write(int fd, const char *line, size_t len);
