/*
 * succession.c - see succession.h.  The table and nothing else; daemon/reload.c performs it.
 */
#include "daemon/succession.h"

#define NOTHING SUCCESSION_DO_NOTHING
#define PASS    (SUCCESSION_DO_PASS | SUCCESSION_DO_SUCCEED)
#define GIVE_UP (SUCCESSION_DO_DROP | SUCCESSION_DO_FAIL)

/* clang-format off */
static const struct succession_step table[SUCCESSION_N][SUCCESSION_EVENT_N] = {
	[SUCCESSION_STEADY] = {
		[SUCCESSION_ASKED]       = { SUCCESSION_LOADING,   SUCCESSION_DO_LOAD },
		/* An answer that came too late: the worker has been told to go on. */
		[SUCCESSION_FROZEN]      = { SUCCESSION_STEADY,    NOTHING },
		[SUCCESSION_LET_GO]      = { SUCCESSION_STEADY,    NOTHING },
		[SUCCESSION_FIRST_GONE]  = { SUCCESSION_STEADY,    NOTHING },
		[SUCCESSION_STOP]        = { SUCCESSION_STEADY,    NOTHING },
	},
	[SUCCESSION_LOADING] = {
		[SUCCESSION_ASKED]       = { SUCCESSION_LOADING,   SUCCESSION_DO_REFUSE },
		[SUCCESSION_LOADED]      = { SUCCESSION_PREPARING, SUCCESSION_DO_PREPARE },
		[SUCCESSION_UNLOADABLE]  = { SUCCESSION_STEADY,    SUCCESSION_DO_FAIL },
		/* It is started again as ever, by the old file until there is a new one. */
		[SUCCESSION_FIRST_GONE]  = { SUCCESSION_LOADING,   NOTHING },
		[SUCCESSION_LATE]        = { SUCCESSION_STEADY,    SUCCESSION_DO_ABORT_LOAD | SUCCESSION_DO_FAIL },
		[SUCCESSION_STOP]        = { SUCCESSION_STEADY,    SUCCESSION_DO_ABORT_LOAD | SUCCESSION_DO_FAIL },
	},
	[SUCCESSION_PREPARING] = {
		[SUCCESSION_ASKED]       = { SUCCESSION_PREPARING, SUCCESSION_DO_REFUSE },
		[SUCCESSION_UNLOADABLE]  = { SUCCESSION_STEADY,    GIVE_UP },
		[SUCCESSION_READY]       = { SUCCESSION_RESIGNING, SUCCESSION_DO_RESIGN },
		[SUCCESSION_READY_ALONE] = { SUCCESSION_STEADY,    PASS },
		[SUCCESSION_FIRST_GONE]  = { SUCCESSION_PREPARING, NOTHING },
		[SUCCESSION_SECOND_GONE] = { SUCCESSION_STEADY,    GIVE_UP },
		[SUCCESSION_LATE]        = { SUCCESSION_STEADY,    GIVE_UP },
		[SUCCESSION_STOP]        = { SUCCESSION_STEADY,    GIVE_UP },
	},
	[SUCCESSION_RESIGNING] = {
		[SUCCESSION_ASKED]       = { SUCCESSION_RESIGNING, SUCCESSION_DO_REFUSE },
		[SUCCESSION_LET_GO]      = { SUCCESSION_FREEZING,  SUCCESSION_DO_FREEZE },
		/* The second is ready, and the quickest help there is. */
		[SUCCESSION_FIRST_GONE]  = { SUCCESSION_STEADY,    PASS },
		[SUCCESSION_SECOND_GONE] = { SUCCESSION_STEADY,    SUCCESSION_DO_RESUME | GIVE_UP },
		[SUCCESSION_LATE]        = { SUCCESSION_STEADY,    SUCCESSION_DO_RESUME | GIVE_UP },
		[SUCCESSION_STOP]        = { SUCCESSION_STEADY,    GIVE_UP },
	},
	[SUCCESSION_FREEZING] = {
		[SUCCESSION_ASKED]       = { SUCCESSION_FREEZING,  SUCCESSION_DO_REFUSE },
		[SUCCESSION_LET_GO]      = { SUCCESSION_FREEZING,  NOTHING },
		[SUCCESSION_FROZEN]      = { SUCCESSION_STEADY,    PASS },
		[SUCCESSION_FIRST_GONE]  = { SUCCESSION_STEADY,    PASS },
		[SUCCESSION_SECOND_GONE] = { SUCCESSION_STEADY,    SUCCESSION_DO_THAW | SUCCESSION_DO_RESUME | GIVE_UP },
		[SUCCESSION_LATE]        = { SUCCESSION_STEADY,    SUCCESSION_DO_THAW | SUCCESSION_DO_RESUME | GIVE_UP },
		[SUCCESSION_STOP]        = { SUCCESSION_STEADY,    SUCCESSION_DO_THAW | GIVE_UP },
	},
};
/* clang-format on */

struct succession_step
succession_step(enum succession_state state, enum succession_event event)
{
	return table[state][event];
}

const char *
succession_state_name(enum succession_state state)
{
	static const char *const names[SUCCESSION_N] = {
		[SUCCESSION_STEADY] = "steady",       [SUCCESSION_LOADING] = "loading",
		[SUCCESSION_PREPARING] = "preparing", [SUCCESSION_RESIGNING] = "resigning",
		[SUCCESSION_FREEZING] = "freezing",
	};

	return names[state];
}

const char *
succession_event_name(enum succession_event event)
{
	static const char *const names[SUCCESSION_EVENT_N] = {
		[SUCCESSION_ASKED] = "asked",
		[SUCCESSION_LOADED] = "loaded",
		[SUCCESSION_UNLOADABLE] = "unloadable",
		[SUCCESSION_READY] = "ready",
		[SUCCESSION_READY_ALONE] = "ready alone",
		[SUCCESSION_LET_GO] = "let go",
		[SUCCESSION_FROZEN] = "frozen",
		[SUCCESSION_FIRST_GONE] = "first gone",
		[SUCCESSION_SECOND_GONE] = "second gone",
		[SUCCESSION_LATE] = "late",
		[SUCCESSION_STOP] = "stop",
	};

	return names[event];
}
