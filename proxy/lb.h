/*
 * lb.h - balancing: which of a backend's servers gets the next connection.
 *
 * What threads share are the atomics in struct lb_server and struct lb_farm, and the trees over them,
 * which know who has a slot.  Who is in play, and whose turn it is among these, each thread knows by a set
 * of its own, which follows the changes that the farm remembers.  Picking takes no lock, and O(log n)
 * steps, and so does following a change.  No I/O and no clock here.
 */
#pragma once

#include "conf/model.h"
#include "proxy/lb_ewma.h"
#include "proxy/lb_rota.h"

#include <stdatomic.h>

struct lb_tree;

/* Effective weights count in sixteenths of the file's, so that they may grow and shrink smoothly. */
#define LB_WEIGHT_SCALE 16

/* What balancing knows of a server.  Shared by all threads; what is not atomic never changes. */
struct lb_server {
	struct lb_farm *farm;
	uint32_t index;   /* in its backend; bit index % 64 in a `tried` mask */
	uint32_t place;   /* in its crew */
	uint32_t id;      /* 1…; balance first goes by it */
	uint32_t weight;  /* the file's, 0…256; 0 = no new connections */
	uint32_t minconn; /* its limit while the backend is idle; 0 = always maxconn */
	uint32_t maxqueue;
	bool backup;
	_Atomic bool usable;
	_Atomic uint32_t present_weight; /* what its agent leaves of the file's, or makes of it … */
	_Atomic uint32_t maxconn;        /* … and of this; 0 = unlimited */
	_Atomic uint32_t effective_weight; /* of the present one, in sixteenths */
	_Atomic uint32_t cold;             /* thousandths of its limit it does not have yet */
	_Atomic uint32_t served;           /* slots taken */
	_Atomic uint32_t queued;           /* sessions that wait for this very server */
	struct lb_ewma connect;            /* how long connecting takes; for balance p2c-ewma */
};

/* The backup servers of a backend, or the others: these have the work as long as one is in play. */
enum lb_crew_kind { LB_CREW_MAIN, LB_CREW_BACKUP, LB_CREW_N };

struct lb_crew {
	/* First: by id; leastconn: those of the same limits and weight together; else the file's order. */
	struct lb_server **servers;
	uint32_t n;
	bool only_first; /* the first in play does all the work: backups without `option allbackups` */
	struct lb_tree *tree;
};

/* What balancing knows of a backend.  Shared by all threads. */
struct lb_farm {
	const struct conf_proxy *conf;
	struct lb_server *const *servers; /* all, in the file's order */
	uint32_t servers_n;
	uint32_t fullconn; /* load at which servers with minconn have their maxconn */
	bool counts;       /* `served` is kept: something goes by it */
	struct lb_crew crews[LB_CREW_N];
	_Atomic uint32_t turn;
	_Atomic uint32_t served; /* slots taken, of all servers */
	_Atomic uint32_t queued; /* sessions waiting, all threads */
	/* Whose state or weight has changed: of change i, the server's index is at i % changes_room. */
	_Atomic uint32_t changes_n;
	_Atomic uint32_t *changes;
	uint32_t changes_room; /* a power of two, more than there are servers */
};

/* Who is in play, as far as a thread has followed it. */
struct lb_set {
	struct lb_farm *farm;
	uint32_t followed; /* changes */
	bool aged;         /* turns are to be made anew before long */
	struct lb_rota turns[LB_CREW_N];
	struct lb_rota rings[LB_CREW_N]; /* hash-type consistent */
};

/* Who asks for a server. */
struct lb_ask {
	uint64_t tried;  /* servers whose bit is set are left out */
	bool hashed;     /* there is a hash; without one a hashing algorithm goes in turn */
	uint32_t hash;   /* of the key, by lb_hash.h */
	uint64_t random; /* fresh random bits, for the algorithms that draw */
	int64_t now_ns;  /* monotonic, for balance p2c-ewma */
};

enum lb_result {
	LB_PICKED, /* a slot of *server is taken: give it back with lb_release */
	LB_FULL,   /* there are servers, none has a slot; *server = the one to wait for, or NULL */
	LB_NONE,   /* no usable server but those tried */
};

/* Sets the farm up around its servers, which stay the caller's; `fullconn` is set.  0 or -ENOMEM. */
int lb_farm_init(struct lb_farm *farm, const struct conf_proxy *conf,
		 struct lb_server *const *servers, uint32_t n);
void lb_farm_fini(struct lb_farm *farm);

/* A server's `usable`, effective weight or limit has changed.  One thread at a time. */
void lb_farm_refresh(struct lb_farm *farm, const struct lb_server *server);

/* For one thread to pick with.  Free with lb_set_free; NULL when out of memory. */
struct lb_set *lb_set_new(struct lb_farm *farm);
void lb_set_free(struct lb_set *set);

/* Catches up with what has changed.  0, or -ENOMEM: the set is good for nothing any more. */
int lb_set_follow(struct lb_set *set);

/* Is there something to catch up with?  To be asked before each pick. */
static inline bool
lb_set_is_behind(const struct lb_set *set)
{
	return atomic_load(&set->farm->changes_n) != set->followed || set->aged;
}

/*
 * Picks a server by the backend's algorithm and takes one of its slots: of those in play, usable ones with a weight;
 * if there is none, of the backup servers (only the first of these unless `option allbackups`).
 */
enum lb_result lb_pick(const struct lb_set *set, const struct lb_ask *ask,
		       struct lb_server **server);

/* Does the algorithm tie a key to one server, for which its sessions wait? */
bool lb_is_sticky(enum conf_balance balance);

/* Is the server given connections, were it alone? */
static inline bool
lb_in_play(const struct lb_server *server)
{
	return atomic_load(&server->effective_weight) > 0 && atomic_load(&server->usable);
}

/* Takes a slot; false if the server is full. */
bool lb_take(struct lb_server *server);
void lb_release(struct lb_server *server);

/* A session waits for this very server, and does so no more. */
void lb_wait(struct lb_server *server);
void lb_leave(struct lb_server *server);

/*
 * Slots a server has at the moment; UINT32_MAX = no limit.  With `minconn` they grow with the backend's load, from
 * minconn to maxconn at `fullconn` sessions.
 */
uint32_t lb_limit(const struct lb_server *server);

/* Sessions that the backend has and that wait for it, as far as limits go by them. */
uint64_t lb_load(const struct lb_farm *farm);

/*
 * From which load of its backend on the server, `served` of whose slots are taken, has one more; 0 = whatever the
 * load, LB_NEVER = it is full.  lb_limit the other way round.
 */
#define LB_NEVER UINT32_MAX
uint32_t lb_opens_at(const struct lb_server *server, uint32_t served);

/* Its weight is this from now on, 0…256; where the algorithm is static, 0 or the file's. */
void lb_weigh(struct lb_server *server, uint32_t weight);

/*
 * `elapsed_ms` of `whole_ms` after it came back: its weight in steps of a sixteenth, where the
 * algorithm looks at it, and its limit.  At the end, and from then on, it has all of both.
 */
void lb_warm(struct lb_server *server, uint64_t elapsed_ms, uint32_t whole_ms);

/* Does the algorithm go by the file's weights alone? */
bool lb_is_static(const struct conf_proxy *conf);

/* Which of two is the less loaded: (served + queued + 1) / weight; < 0 = `a`, 0 = neither. */
static inline int
lb_compare_load(const struct lb_server *a, const struct lb_server *b)
{
	uint64_t left = (uint64_t)atomic_load(&a->served) + atomic_load(&a->queued) + 1;
	uint64_t right = (uint64_t)atomic_load(&b->served) + atomic_load(&b->queued) + 1;

	/* Without dividing. */
	left *= atomic_load(&b->effective_weight);
	right *= atomic_load(&a->effective_weight);
	return left < right ? -1 : left > right;
}

/* The bit of a server in a `tried` mask. */
static inline uint64_t
lb_bit(const struct lb_server *server)
{
	return 1ULL << (server->index % 64);
}
