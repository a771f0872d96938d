/*
 * main.c - sim [--seed N] [--count N] [--seeds FILE] [--mutant NAME | --mutants] [--verbose]
 *
 *   --seed, --count   runs the schedules of so many seeds from there on (1, 1000)
 *   --seeds FILE      before that, those of a file (tests/sim/kept): "SEED  # what it once found"
 *   --mutant NAME     with a rule of the product broken: fails at the first schedule that notices
 *   --mutants         each of them in turn; fails if one goes unnoticed
 *   --verbose         prints what happens; for few seeds
 *
 * The schedule of a seed that fails is printed, and what happened up to then.
 */
#include "sim.h"

#include "common/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct sim sim;

static double
cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void
explain(uint64_t seed)
{
	plan_print(stdout, &sim.plan);
	printf("what happened:\n");
	sim_run(&sim, seed, stdout);
	printf("seed %" PRIu64 " failed: %s\n", seed, sim.failure);
}

/* Whether all held. */
static bool
run_range(uint64_t seed, uint64_t count, bool verbose)
{
	double begun_s = cpu_s();

	for (uint64_t i = 0; i < count; i++) {
		if (verbose) {
			plan_draw(&sim.plan, seed + i);
			plan_print(stdout, &sim.plan);
		}
		if (sim_run(&sim, seed + i, verbose ? stdout : NULL))
			continue;
		if (!verbose)
			explain(seed + i);
		return false;
	}
	printf("%" PRIu64 " schedules from seed %" PRIu64 ": %" PRIu64 " events, %" PRIu64
	       " times a master; %.1f s of CPU\n",
	       count, seed, sim.events_seen, sim.masterships, cpu_s() - begun_s);
	return true;
}

static bool
run_file(const char *path, bool verbose)
{
	FILE *file = fopen(path, "r");
	char line[256];
	bool ok = true;

	if (!file) {
		perror(path);
		return false;
	}
	while (ok && fgets(line, sizeof line, file)) {
		char *end;
		uint64_t seed = strtoull(line, &end, 10);

		if (end != line)
			ok = run_range(seed, 1, verbose);
	}
	fclose(file);
	return ok;
}

/* Whether each mutant is noticed. */
static bool
run_mutants(uint64_t seed, uint64_t count)
{
	bool all = true;

	for (mutant = MUTANT_NONE + 1; mutant < MUTANT_N; mutant++) {
		uint64_t i = 0;

		while (i < count && sim_run(&sim, seed + i, NULL))
			i++;
		if (i < count)
			printf("%-12s seed %" PRIu64 ": %s\n", mutant_name(mutant), seed + i,
			       sim.failure);
		else
			printf("%-12s NOT NOTICED in %" PRIu64 " schedules\n", mutant_name(mutant),
			       count);
		all &= i < count;
	}
	mutant = MUTANT_NONE;
	return all;
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1, count = 1000;
	bool verbose = false, mutants = false, ok = true;
	const char *seeds = NULL;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *value = argv[i + 1];

		if (strcmp(word, "--verbose") == 0) {
			verbose = true;
		} else if (strcmp(word, "--mutants") == 0) {
			mutants = true;
		} else if (value && strcmp(word, "--seed") == 0) {
			seed = strtoull(argv[++i], NULL, 10);
		} else if (value && strcmp(word, "--count") == 0) {
			count = strtoull(argv[++i], NULL, 10);
		} else if (value && strcmp(word, "--seeds") == 0) {
			seeds = argv[++i];
		} else if (value && strcmp(word, "--mutant") == 0 &&
			   mutant_find(value) < MUTANT_N) {
			mutant = mutant_find(argv[++i]);
		} else {
			fprintf(stderr, "sim: %s: see the top of tests/sim/main.c\n", word);
			return 2;
		}
	}
	log_init(&(struct log_setup){ .ident = "sim", .level = LOG_EMERG });
	if (!shapes_load())
		return 1;
	if (seeds)
		ok = run_file(seeds, verbose);
	if (ok)
		ok = mutants ? run_mutants(seed, count) : run_range(seed, count, verbose);
	for (unsigned i = 0; i < PLAN_NODES_MAX; i++)
		timer_heap_fini(&sim.nodes[i].worker.timers);
	shapes_free();
	return ok ? 0 : 1;
}
