/*
 * scratch.h - a directory for what scripts write, gone at the end.
 */
#pragma once

/* Make and remove it (it must be empty by then): 0, or -1. */
int scratch_make(void);
int scratch_remove(void);

/* Its path; a path in it, good for the next three calls. */
const char *scratch_directory(void);
const char *scratch_path(const char *name);

/* The file's text, until the next call; empty if there is none. */
const char *scratch_text(const char *name);

void scratch_touch(const char *name);
void scratch_forget(const char *name);

/* Fails the test if this process has a child, living or dead. */
void assert_no_children(void);
