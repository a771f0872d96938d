/*
 * test_proxy_lb_steps.c - picking among many servers, and following a change of one, in steps that do
 * not grow with their number.
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
#include "proxy/lb_farm.c"
#include "proxy/lb_rota.c"
#include "proxy/lb_set.c"
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
build(struct farm *f)
{
	assert_int_equal(lb_farm_init(&f->farm, &f->conf, f->all, f->n), 0);
	f->set = lb_set_new(&f->farm);
	assert_non_null(f->set);
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

static bool
has_slot(const struct lb_server *s)
{
	return s->served < lb_limit(s);
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

enum mood { IDLE, HALF_FULL, ONE_FREE, ALL_FULL, TRIED, HALF_DOWN, MINCONN, HALF_MINCONN, MOOD_N };

static const char *const names[MOOD_N] = {
	"idle",      "half full", "one free", "all full",
	"one tried", "half down", "minconn",  "half minconn",
};

/* Half at a limit that load would raise: those that are the less loaded. */
static void
prepare(struct lb_server *s, uint32_t n, enum mood mood)
{
	bool second = s->index % 2 == 1;

	s->usable = mood != HALF_DOWN || !second;
	s->maxconn = 1;
	switch (mood) {
	case IDLE:
	case TRIED:
	case HALF_DOWN:
	case MOOD_N:
		break;
	case HALF_FULL:
		s->served = second;
		break;
	case ONE_FREE:
	case ALL_FULL:
		s->served = mood == ALL_FULL || s->index != n - 1;
		break;
	case MINCONN:
	case HALF_MINCONN:
		s->maxconn = 100;
		s->minconn = mood == MINCONN || second ? 1 : 10;
		s->served = s->minconn == 1 ? 1 : 2;
		break;
	}
}

static struct farm *
moody_farm(enum conf_balance balance, uint32_t n, enum mood mood)
{
	struct farm *f = farm_new(balance, n);

	f->farm.fullconn = 100 * n;
	f->farm.served = mood == MINCONN || mood == HALF_MINCONN ? n : 0;
	for (uint32_t i = 0; i < n; i++)
		prepare(f->all[i], n, mood);
	build(f);
	return f;
}

/* Steps of a pick and its release: of the worst of many. */
static uint64_t
worst_pick(enum conf_balance balance, uint32_t n, enum mood mood)
{
	struct farm *f = moody_farm(balance, n, mood);
	uint64_t worst = 0;

	for (int i = 0; i < 500; i++) {
		struct lb_ask ask = { .tried = mood == TRIED, .random = draw(f, UINT32_MAX) };
		struct lb_server *s;
		enum lb_result result;

		ask.random |= (uint64_t)draw(f, UINT32_MAX) << 32;
		ask.hashed = lb_is_sticky(balance);
		ask.hash = draw(f, UINT32_MAX);
		steps = 0;
		result = lb_pick(f->set, &ask, &s);
		if (result == LB_PICKED)
			lb_release(s);
		worst = steps > worst ? steps : worst;
		if (mood == ALL_FULL || mood == MINCONN)
			assert_int_equal(result, LB_FULL);
		else if (!lb_is_sticky(balance))
			assert_int_equal(result, LB_PICKED);
	}
	farm_free(f);
	return worst;
}

/* Steps of a server that goes or comes back, and of the set that follows it. */
static uint64_t
worst_change(enum conf_balance balance, uint32_t n)
{
	struct farm *f = moody_farm(balance, n, IDLE);
	uint64_t worst = 0;

	for (int i = 0; i < 500; i++) {
		struct lb_server *s = f->all[draw(f, n)];

		steps = 0;
		s->usable = !s->usable;
		lb_farm_refresh(&f->farm, s);
		assert_true(lb_set_is_behind(f->set));
		assert_int_equal(lb_set_follow(f->set), 0);
		worst = steps > worst ? steps : worst;
	}
	farm_free(f);
	return worst;
}

static void
assert_hardly_more(const char *what, enum conf_balance balance, uint64_t few, uint64_t many)
{
	print_message("balance %d, %s: %" PRIu64 " steps with 100, %" PRIu64 " with %d\n", balance,
		      what, few, many, MANY);
	/* Twice as much, not a hundred times. */
	assert_true(many <= 3 * few + 20);
}

static void
steps_grow_like_the_logarithm(void **state)
{
	for (enum conf_balance balance = CONF_BALANCE_ROUNDROBIN; balance <= CONF_BALANCE_P2C_EWMA;
	     balance++) {
		for (enum mood mood = IDLE; mood < MOOD_N; mood++)
			assert_hardly_more(names[mood], balance, worst_pick(balance, 100, mood),
					   worst_pick(balance, MANY, mood));
		assert_hardly_more("a change", balance, worst_change(balance, 100),
				   worst_change(balance, MANY));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_when_the_limit_allows),
		cmocka_unit_test(steps_grow_like_the_logarithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
