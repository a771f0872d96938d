/*
 * test_proxy_lb_steps.c - picking among many servers: whom a look at each would pick, in steps that
 * do not grow with their number.
 *
 * The code under test is compiled into this file, for its steps are counted: a step is a look at
 * something that threads share.
 */
#include "proxy/lb.h"

static uint64_t steps;

static inline void
count(void)
{
	steps++;
}

#undef atomic_load
#define atomic_load(object) (count(), atomic_load_explicit(object, memory_order_seq_cst))

#include "proxy/lb.c"
#include "proxy/lb_tree.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>

#define MANY 10000

struct farm {
	struct conf_proxy conf;
	struct lb_server servers[MANY];
	struct lb_server *all[MANY];
	uint32_t n;
	struct lb_farm farm;
	struct lb_set *set;
	uint64_t random;
};

static struct farm *
farm_new(enum conf_balance balance, uint32_t n)
{
	struct farm *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->conf.balance = balance;
	f->conf.balance_draws = 2;
	f->n = n;
	f->random = 1;
	for (uint32_t i = 0; i < n; i++) {
		struct lb_server *s = f->all[i] = &f->servers[i];

		s->farm = &f->farm;
		s->index = i;
		s->id = i + 1;
		s->weight = 1;
		lb_weigh(s, 1);
		s->usable = true;
	}
	return f;
}

static void
renew_set(struct farm *f)
{
	lb_set_free(f->set);
	f->set = lb_set_new(&f->farm, 0);
	assert_non_null(f->set);
}

static void
build(struct farm *f)
{
	assert_int_equal(lb_farm_init(&f->farm, &f->conf, f->all, f->n), 0);
	assert_true(f->farm.merit || f->farm.slots);
	renew_set(f);
}

static void
farm_free(struct farm *f)
{
	lb_set_free(f->set);
	lb_farm_fini(&f->farm);
	free(f);
}

/* 0 … below - 1 */
static uint32_t
draw(struct farm *f, uint32_t below)
{
	f->random = f->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(f->random >> 32) % below;
}

/* ------------------------------------------------------------------ a look at each */

/* May the server be picked at all?  The backups only if there is nobody else, and then the first. */
static bool
eligible(const struct farm *f, const struct lb_server *s, uint64_t tried)
{
	return s->backup == f->set->servers[0]->backup && lb_in_play(s) && !(lb_bit(s) & tried) &&
	       (!s->backup || f->conf.allbackups || s == f->set->servers[0]);
}

static bool
has_slot(const struct lb_server *s)
{
	return s->served < lb_limit(s);
}

/* What a look at each would come to; `*first` = the first eligible one with a slot from `start`. */
static enum lb_result
look(const struct farm *f, uint32_t start, uint64_t tried, struct lb_server **first)
{
	enum lb_result result = LB_NONE;

	*first = NULL;
	for (uint32_t i = 0; i < f->n; i++) {
		struct lb_server *s = f->all[(start + i) % f->n];

		if (!eligible(f, s, tried))
			continue;
		if (!has_slot(s)) {
			result = *first ? result : LB_FULL;
		} else if (!*first) {
			*first = s;
			result = LB_PICKED;
		}
	}
	return result;
}

static void
assert_least_loaded(const struct farm *f, const struct lb_server *picked, uint64_t tried)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (eligible(f, f->all[i], tried) && has_slot(f->all[i]))
			assert_false(lb_less_loaded(f->all[i], picked));
}

/* One pick; its result and its server are those that a look at each finds. */
static struct lb_server *
pick_like_a_look(struct farm *f, uint64_t tried)
{
	struct lb_ask ask = { .tried = tried, .random = f->random };
	struct lb_server *expected, *picked;
	enum lb_result result;
	uint32_t start = 0;

	if (f->set->servers_n == 0)
		return NULL;
	if (f->set->order)
		start = f->set->servers[f->set->order[f->farm.turn % f->set->order_n]]->index;
	result = look(f, start, tried, &expected);
	assert_int_equal(lb_pick(f->set, &f->farm, &ask, &picked), result);
	if (result != LB_PICKED)
		return NULL;
	switch (f->conf.balance) {
	case CONF_BALANCE_ROUNDROBIN:
	case CONF_BALANCE_STATIC_RR:
	case CONF_BALANCE_FIRST:
		assert_ptr_equal(picked, expected);
		break;
	case CONF_BALANCE_LEASTCONN:
		picked->served--;
		f->farm.served -= f->farm.counts;
		assert_true(eligible(f, picked, tried) && has_slot(picked));
		assert_least_loaded(f, picked, tried);
		picked->served++;
		f->farm.served += f->farm.counts;
		break;
	case CONF_BALANCE_SOURCE:
	case CONF_BALANCE_RDP_COOKIE:
	case CONF_BALANCE_HASH:
	case CONF_BALANCE_RANDOM:
	case CONF_BALANCE_P2C_EWMA:
		assert_true(eligible(f, picked, tried) && picked->served <= lb_limit(picked));
		break;
	}
	return picked;
}

/* One or two of the servers, their tree told as tandem would. */
static void
disturb(struct farm *f)
{
	struct lb_server *s = f->all[draw(f, f->n)];

	switch (draw(f, 4)) {
	case 0:
		s->usable = !s->usable;
		break;
	case 1:
		s->maxconn = draw(f, 2) ? s->minconn + draw(f, 4) : 0;
		break;
	case 2:
		lb_warm(s, draw(f, 10), 10);
		break;
	case 3:
		lb_warm(s, 10, 10);
		break;
	}
	lb_farm_refresh(&f->farm, s);
	renew_set(f);
}

static uint64_t
draw_tried(struct farm *f)
{
	uint64_t tried = 0;

	if (draw(f, 3))
		return 0;
	if (draw(f, 50) == 0)
		return UINT64_MAX;
	for (uint32_t n = draw(f, 4); n > 0; n--)
		tried |= 1ULL << draw(f, 64);
	return tried;
}

/* Picks, releases and changes at random.  Servers from `backups` on are backups. */
static void
run_schedule(enum conf_balance balance, bool minconn, uint32_t backups, bool allbackups)
{
	struct farm *f = farm_new(balance, 150);

	f->conf.allbackups = allbackups;
	f->farm.fullconn = 400;
	for (uint32_t i = 0; i < f->n; i++) {
		f->servers[i].maxconn = i % 5 ? 3 : 0;
		f->servers[i].minconn = minconn && i % 5 ? 1 : 0;
		f->servers[i].weight = 1 + i % 3;
		lb_weigh(&f->servers[i], f->servers[i].weight);
		f->servers[i].backup = i >= backups;
		f->servers[i].usable = backups == f->n || i >= backups;
	}
	build(f);
	for (int step = 0; step < 8000; step++) {
		struct lb_server *s = f->all[draw(f, f->n)];
		/* Fuller for some time, emptier for some. */
		uint32_t kind = draw(f, step / 1000 % 2 ? 8 : 4);

		if (kind == 0 && draw(f, 4) == 0)
			disturb(f);
		else if (kind == 0 || kind > 3)
			s->served ? lb_release(s) : (void)0;
		else
			pick_like_a_look(f, draw_tried(f));
	}
	farm_free(f);
}

static void
picks_whom_a_look_at_each_would(void **state)
{
	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_P2C_EWMA;
	     balance++) {
		if (lb_is_sticky(balance))
			continue;
		for (int minconn = 0; minconn < 2; minconn++) {
			run_schedule(balance, minconn, 150, false);
			run_schedule(balance, minconn, 90, false);
			run_schedule(balance, minconn, 90, true);
		}
	}
}

/* A server opens at the load at which its limit comes to be above what it serves: every cell. */
static void
opens_when_the_limit_allows(void **state)
{
	struct farm *f = farm_new(CONF_BALANCE_ROUNDROBIN, 1);
	struct lb_server *s = f->all[0];

	for (uint32_t cell = 0; cell < 9 * 4 * 5 * 4 * 8; cell++) {
		uint32_t served = cell / 9 / 4 / 5 / 4;
		uint64_t opens;

		s->maxconn = cell % 9;
		s->minconn = cell / 9 % 4 > s->maxconn ? s->maxconn : cell / 9 % 4;
		s->cold = cell / 9 / 4 % 5 * COLD_WHOLE / 4;
		f->farm.fullconn = (uint32_t[]){ 1, 7, 40, 100 }[cell / 9 / 4 / 5 % 4];
		s->served = served;
		opens = lb_opens_at(s, served);
		for (uint32_t load = 0; load <= 120; load++) {
			f->farm.served = load;
			assert_int_equal(load >= opens, has_slot(s));
		}
	}
	farm_free(f);
}

/* ------------------------------------------------------------------ steps */

enum mood { IDLE, HALF_FULL, ALL_FULL, TRIED, HALF_DOWN, MINCONN, MOOD_N };

static void
prepare(struct lb_server *s, enum mood mood)
{
	bool second = s->index % 2 == 1;

	s->usable = mood != HALF_DOWN || !second;
	s->maxconn = mood == MINCONN ? 100 : 1;
	s->minconn = mood == MINCONN;
	s->served = mood == ALL_FULL || mood == MINCONN || (mood == HALF_FULL && second);
}

/* Steps of a pick and its release: of the worst of many. */
static uint64_t
worst_steps(enum conf_balance balance, uint32_t n, enum mood mood)
{
	struct farm *f = farm_new(balance, n);
	uint64_t worst = 0;

	f->farm.fullconn = 100 * n;
	f->farm.served = mood == MINCONN ? n : 0;
	for (uint32_t i = 0; i < n; i++)
		prepare(f->all[i], mood);
	build(f);
	for (int i = 0; i < 500; i++) {
		struct lb_ask ask = { .tried = mood == TRIED, .random = draw(f, UINT32_MAX) };
		struct lb_server *s;
		enum lb_result result;

		ask.random |= (uint64_t)draw(f, UINT32_MAX) << 32;
		steps = 0;
		result = lb_pick(f->set, &f->farm, &ask, &s);
		if (result == LB_PICKED)
			lb_release(s);
		worst = steps > worst ? steps : worst;
		assert_int_equal(result, mood == ALL_FULL || mood == MINCONN ? LB_FULL : LB_PICKED);
	}
	farm_free(f);
	return worst;
}

static void
steps_grow_like_the_logarithm(void **state)
{
	static const char *const names[MOOD_N] = {
		"idle", "half full", "all full", "one tried", "half down", "minconn",
	};

	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_P2C_EWMA;
	     balance++) {
		if (lb_is_sticky(balance))
			continue;
		for (enum mood mood = IDLE; mood < MOOD_N; mood++) {
			uint64_t few = worst_steps(balance, 100, mood);
			uint64_t many = worst_steps(balance, MANY, mood);

			print_message("balance %d, %s: %" PRIu64 " steps with 100, %" PRIu64
				      " with %d\n",
				      balance, names[mood], few, many, MANY);
			/* Twice as much, not a hundred times. */
			assert_true(many <= 3 * few + 20);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_when_the_limit_allows),
		cmocka_unit_test(picks_whom_a_look_at_each_would),
		cmocka_unit_test(steps_grow_like_the_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
