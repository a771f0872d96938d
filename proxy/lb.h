/*
 * lb.h - balancing: which of a backend's servers gets the next connection.
 *
 * A set is built from the servers that are usable at the moment and never changes; each thread has
 * its own and builds a new one when the backend's generation has moved.  What threads share are the
 * atomics in struct lb_server and struct lb_farm: picking takes no lock.  No I/O and no clock here.
 */
#pragma once

#include "conf/model.h"
#include "proxy/lb_ewma.h"

#include <stdatomic.h>

struct lb_farm;
struct lb_ring;
struct lb_tree;

/* Effective weights count in sixteenths of the file's, so that they may grow and shrink smoothly. */
#define LB_WEIGHT_SCALE 16

/* What balancing knows of a server.  Shared by all threads; what is not atomic never changes. */
struct lb_server {
	struct lb_farm *farm;
	uint32_t index;   /* in its backend; bit index % 64 in a `tried` mask */
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
	_Atomic uint32_t
		last_turn; /* the one after that of the farm when it was last chosen from its tree */
	struct lb_ewma connect; /* how long connecting takes; for balance p2c-ewma */
};

/* What balancing knows of a backend.  Shared by all threads. */
struct lb_farm {
	const struct conf_proxy *conf;
	struct lb_server *const *servers; /* all, in the file's order */
	uint32_t servers_n;
	uint32_t fullconn; /* load at which servers with minconn have their maxconn */
	bool counts;       /* `served` is kept: something goes by it */
	/* NULL: the algorithm has no use for it, or there are few and looking at each is cheaper. */
	struct lb_tree *merit; /* leastconn and first: who is to be chosen */
	struct lb_tree *slots; /* the others, and with minconn: who has one */
	_Atomic uint32_t turn;
	_Atomic uint32_t served; /* slots taken, of all servers */
	_Atomic uint32_t queued; /* sessions waiting, all threads */
};

struct lb_set {
	const struct lb_farm *farm;
	uint32_t generation; /* of the backend when the set was built */
	uint32_t servers_n, order_n;
	struct lb_server **servers; /* in play, by id with balance first */
	uint16_t *order;      /* indexes in `servers`, one round of the schedule, or the map */
	struct lb_ring *ring; /* hash-type consistent; else NULL */
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

/* A server's `usable` or effective weight has changed. */
void lb_farm_refresh(struct lb_farm *farm, const struct lb_server *server);

/*
 * The servers in play: usable ones with a weight; if there is none, the backup servers (only the
 * first unless `option allbackups`).  Free with lb_set_free; NULL when out of memory.
 */
struct lb_set *lb_set_new(const struct lb_farm *farm, uint32_t generation);
void lb_set_free(struct lb_set *set);

/* Picks a server by the backend's algorithm and takes one of its slots. */
enum lb_result lb_pick(const struct lb_set *set, struct lb_farm *farm, const struct lb_ask *ask,
		       struct lb_server **server);

/* Does the algorithm tie a key to one server, for which its sessions wait? */
bool lb_is_sticky(enum conf_balance balance);

/* Is the server given connections, were it alone? */
bool lb_in_play(const struct lb_server *server);

/* Takes a slot; false if the server is full. */
bool lb_take(struct lb_server *server);
void lb_release(struct lb_server *server);

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
#define LB_NEVER UINT64_MAX
uint64_t lb_opens_at(const struct lb_server *server, uint32_t served);

/* Its weight is this from now on, 0…256; where the algorithm is static, 0 or the file's. */
void lb_weigh(struct lb_server *server, uint32_t weight);

/*
 * `elapsed_ms` of `whole_ms` after it came back: its weight in steps of a sixteenth, where the
 * algorithm looks at it, and its limit.  At the end, and from then on, it has all of both.
 */
void lb_warm(struct lb_server *server, uint64_t elapsed_ms, uint32_t whole_ms);

/* Does the algorithm go by the file's weights alone? */
bool lb_is_static(const struct conf_proxy *conf);

/* Is `a` less loaded than `b`?  (served + queued + 1) / weight. */
bool lb_less_loaded(const struct lb_server *a, const struct lb_server *b);

/* The bit of a server in a `tried` mask. */
static inline uint64_t
lb_bit(const struct lb_server *server)
{
	return 1ULL << (server->index % 64);
}
