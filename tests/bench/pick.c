/*
 * pick.c - bench-pick [SERVERS...]: what picking a server costs, and a change of state.
 *
 * Nanoseconds per pick (and release, of what was picked) for each algorithm, in backends of 10 to
 * 10,000 servers: idle; every second server full; all but the last; all of them; one tried already;
 * every second one down; with `minconn`, all at a limit that load would raise; and so the first half
 * of them, though they are the less loaded.  Microseconds per server that goes down or comes back, and
 * per one that becomes warmer or colder: what it takes until the next pick, on each thread.  CPU time
 * of one thread, no I/O.
 */
#include "proxy/lb.h"
#include "proxy/runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Each figure is taken over so long, at least. */
#define MEASURE_NS (5 * NS_PER_MS)

enum mood { IDLE, HALF_FULL, ONE_FREE, ALL_FULL, TRIED, HALF_DOWN, MINCONN, HALF_MINCONN, MOOD_N };

static const char *const moods[MOOD_N] = {
	"idle",      "half full", "one free", "all full",
	"one tried", "half down", "minconn",  "half minc.",
};

struct bench {
	struct conf_proxy conf;
	struct server *servers; /* for the distance that they have from one another in tandem */
	struct lb_server **all;
	uint32_t n;
	struct lb_farm farm;
	struct lb_set *set;
	uint64_t random;
};

struct algorithm {
	const char *name;
	enum conf_balance balance;
	bool consistent;
	bool uneven; /* weights 1, 2, 3, 1, … */
};

static const struct algorithm algorithms[] = {
	{ "roundrobin", CONF_BALANCE_ROUNDROBIN, false, false },
	{ "… weighted", CONF_BALANCE_ROUNDROBIN, false, true },
	{ "static-rr", CONF_BALANCE_STATIC_RR, false, false },
	{ "… weighted", CONF_BALANCE_STATIC_RR, false, true },
	{ "leastconn", CONF_BALANCE_LEASTCONN, false, false },
	{ "first", CONF_BALANCE_FIRST, false, false },
	{ "source", CONF_BALANCE_SOURCE, false, false },
	{ "… consistent", CONF_BALANCE_SOURCE, true, false },
	{ "random", CONF_BALANCE_RANDOM, false, false },
	{ "p2c-ewma", CONF_BALANCE_P2C_EWMA, false, false },
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void *
must(void *memory)
{
	if (!memory) {
		fputs("bench-pick: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

static void
renew_set(struct bench *b)
{
	b->set = must(lb_set_new(&b->farm));
}

static void
prepare(struct lb_server *s, uint32_t n, enum mood mood)
{
	bool second = s->index % 2 == 1, late = s->index >= n / 2;

	s->usable = mood != HALF_DOWN || !second;
	switch (mood) {
	case HALF_FULL:
		s->maxconn = 1;
		s->served = second;
		break;
	case ONE_FREE:
	case ALL_FULL:
		s->maxconn = 1;
		s->served = mood == ALL_FULL || s->index != n - 1;
		break;
	case MINCONN:
		s->minconn = 1;
		s->maxconn = 100;
		s->served = 1;
		break;
	case HALF_MINCONN:
		s->minconn = late ? 10 : 1;
		s->maxconn = 100;
		s->served = late ? 2 : 1;
		break;
	case IDLE:
	case TRIED:
	case HALF_DOWN:
	case MOOD_N:
		break;
	}
}

static struct bench *
bench_new(const struct algorithm *algorithm, uint32_t n, enum mood mood)
{
	struct bench *b = must(calloc(1, sizeof *b));

	b->conf.balance = algorithm->balance;
	b->conf.hash_consistent = algorithm->consistent;
	b->conf.balance_draws = 2;
	b->n = n;
	b->random = 1;
	b->servers = must(calloc(n, sizeof *b->servers));
	b->all = must(calloc(n, sizeof(struct lb_server *)));
	for (uint32_t i = 0; i < n; i++) {
		struct lb_server *s = b->all[i] = &b->servers[i].lb;

		s->farm = &b->farm;
		s->index = i;
		s->id = i + 1;
		s->weight = algorithm->uneven ? 1 + i % 3 : 1;
		lb_weigh(s, s->weight);
		prepare(s, n, mood);
	}
	b->farm.served = mood == MINCONN || mood == HALF_MINCONN ? n : 0;
	b->farm.fullconn = 100 * n;
	if (lb_farm_init(&b->farm, &b->conf, b->all, n) < 0)
		must(NULL);
	renew_set(b);
	return b;
}

static void
bench_free(struct bench *b)
{
	lb_set_free(b->set);
	lb_farm_fini(&b->farm);
	free(b->all);
	free(b->servers);
	free(b);
}

static uint64_t
draw(struct bench *b)
{
	b->random = b->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return b->random;
}

static double
pick_ns(const struct algorithm *algorithm, uint32_t n, enum mood mood)
{
	struct bench *b = bench_new(algorithm, n, mood);
	int64_t start = now_ns(), took;
	uint64_t picks = 0;

	do {
		for (int i = 0; i < 16; i++, picks++) {
			struct lb_ask ask = {
				.tried = mood == TRIED ? 1 : 0,
				.hashed = true,
				.hash = (uint32_t)(draw(b) >> 32),
				.random = draw(b),
			};
			struct lb_server *server;

			if (lb_pick(b->set, &ask, &server) == LB_PICKED)
				lb_release(server);
		}
		took = now_ns() - start;
	} while (took < MEASURE_NS);
	bench_free(b);
	return (double)took / (double)picks;
}

/* It goes or comes back; or else it is a step warmer, or colder. */
static void
change(struct bench *b, bool state)
{
	struct lb_server *s = b->all[(draw(b) >> 32) % b->n];

	if (state)
		s->usable = !s->usable;
	else
		lb_warm(s, (draw(b) >> 32) % 17, 16);
	lb_farm_refresh(&b->farm, s);
	if (lb_set_is_behind(b->set) && lb_set_follow(b->set) < 0)
		must(NULL);
}

static double
change_us(const struct algorithm *algorithm, uint32_t n, bool state)
{
	struct bench *b = bench_new(algorithm, n, IDLE);
	int64_t start = now_ns(), took;
	uint32_t changes = 0;

	do {
		for (int i = 0; i < 16; i++, changes++)
			change(b, state);
		took = now_ns() - start;
	} while (took < MEASURE_NS);
	bench_free(b);
	return (double)took / changes / 1e3;
}

static void
measure(uint32_t n)
{
	printf("\n%-14s", "");
	for (enum mood mood = IDLE; mood < MOOD_N; mood++)
		printf(" %10s", moods[mood]);
	printf(" %10s %10s\n", "change/us", "warmer/us");
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
		const struct algorithm *a = &algorithms[i];

		/* Columns, not bytes: an ellipsis is three of these. */
		printf("%-*s", a->name[0] < 0 ? 16 : 14, a->name);
		for (enum mood mood = IDLE; mood < MOOD_N; mood++)
			printf(" %10.0f", pick_ns(a, n, mood));
		printf(" %10.2f %10.2f\n", change_us(a, n, true), change_us(a, n, false));
	}
}

int
main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 10, 100, 1000, 10000 };

	for (size_t i = 0; argc == 1 && i < sizeof sizes / sizeof sizes[0]; i++) {
		printf("%s%" PRIu32 " servers, ns per pick", i ? "\n" : "", sizes[i]);
		measure(sizes[i]);
	}
	for (int i = 1; i < argc; i++) {
		unsigned long n = strtoul(argv[i], NULL, 10);

		if (n == 0 || n > UINT16_MAX) {
			fprintf(stderr, "usage: bench-pick [SERVERS...]\n");
			return 2;
		}
		printf("%s%lu servers, ns per pick", i > 1 ? "\n" : "", n);
		measure((uint32_t)n);
	}
	return 0;
}
