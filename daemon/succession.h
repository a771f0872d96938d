/*
 * succession.h - how one worker follows another without a gap, as data.  Pure: no I/O, clock or
 * allocation.
 *
 * There is one token.  Its holder advertises, holds addresses and has wills; until it is passed on,
 * whatever goes wrong with the second worker leaves the first as it was, and from the moment the
 * first has said what it knows (FROZEN), nothing that happens to it matters any more.
 */
#pragma once

#include <stdint.h>

enum succession_state {
	SUCCESSION_STEADY,    /* nothing is under way */
	SUCCESSION_LOADING,   /* a child reads the file */
	SUCCESSION_PREPARING, /* the second worker gets ready */
	SUCCESSION_RESIGNING, /* the first lets go of instances that the new file does not have */
	SUCCESSION_FREEZING,  /* the first writes down what it knows */
	SUCCESSION_N,
};

enum succession_event {
	SUCCESSION_ASKED,       /* SIGHUP, `tandem reload` */
	SUCCESSION_LOADED,      /* the file is good */
	SUCCESSION_UNLOADABLE,  /* … or not, or what it needs cannot be opened */
	SUCCESSION_READY,       /* the second worker is, and the first holds the token */
	SUCCESSION_READY_ALONE, /* … and nobody holds it */
	SUCCESSION_LET_GO,      /* no instance that goes away holds anything any more */
	SUCCESSION_FROZEN,      /* the first has written it down, and the guardian has it */
	SUCCESSION_FIRST_GONE,  /* its wills have been executed */
	SUCCESSION_SECOND_GONE,
	SUCCESSION_LATE, /* the present state has taken too long */
	SUCCESSION_STOP, /* the daemon is asked to end */
	SUCCESSION_EVENT_N,
};

/* Bits, performed from the first to the last. */
enum succession_effect {
	SUCCESSION_DO_NOTHING = 1 << 0, /* expected here */
	SUCCESSION_DO_REFUSE = 1 << 1,  /* one at a time */
	SUCCESSION_DO_LOAD = 1 << 2,
	SUCCESSION_DO_ABORT_LOAD = 1 << 3,
	SUCCESSION_DO_PREPARE = 1 << 4, /* start the second worker */
	SUCCESSION_DO_RESIGN = 1 << 5,  /* instances that go away, make before break */
	SUCCESSION_DO_FREEZE = 1 << 6,
	SUCCESSION_DO_THAW = 1 << 7,   /* the first goes on as if nothing had been */
	SUCCESSION_DO_RESUME = 1 << 8, /* … with the instances it let go of */
	SUCCESSION_DO_DROP = 1 << 9,   /* the second, and all that was opened for it */
	SUCCESSION_DO_PASS = 1 << 10,  /* the token: the first finishes its sessions */
	SUCCESSION_DO_FAIL = 1 << 11,  /* tell whoever asked */
	SUCCESSION_DO_SUCCEED = 1 << 12,
};

struct succession_step {
	uint8_t next; /* enum succession_state */
	uint16_t effects;
};

/* The cell of the table; without effects = this event is unexpected in this state: log and drop. */
struct succession_step succession_step(enum succession_state state, enum succession_event event);

const char *succession_state_name(enum succession_state state);
const char *succession_event_name(enum succession_event event);
