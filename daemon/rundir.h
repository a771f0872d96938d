/*
 * rundir.h - names of what a running instance keeps in its run directory.
 */
#pragma once

#define RUNDIR_DEFAULT "/run/tandem"
#define RUNDIR_LOCK    "lock" /* flock by the guardian: a second instance refuses */
#define RUNDIR_CONTROL \
	"control.sock" /* stream socket: bound by the guardian, served by the worker */
