/*
 * test_privileged.c - every message of requests.h at the gate: from the wrong side, at every wrong
 * length, with the wrong generation, instance or value, and right.
 */
#include "daemon/foreign.h"
#include "daemon/privileged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GENERATION 7
#define INSTANCES  3
#define GROUPS     2
#define PROXIES    4
#define SERVERS    2

static struct conf_instance instances[INSTANCES];
static struct conf_group groups[GROUPS];
/* The last one's servers have check programs; so would those before if they were checked so. */
static struct conf_server servers[SERVERS] = { { .check = true }, { .check = true } };
static struct conf_proxy proxies[PROXIES] = {
	{ .servers = servers, .servers_n = SERVERS },
	{ .servers_n = 0, .health = { .type = CONF_HEALTH_EXTERNAL } },
	{ .servers = servers, .servers_n = SERVERS, .health = { .type = CONF_HEALTH_HTTP } },
	{ .servers = servers, .servers_n = SERVERS, .health = { .type = CONF_HEALTH_EXTERNAL } },
};
static const struct conf conf = {
	.proxies = proxies,
	.proxies_n = PROXIES,
	.instances = instances,
	.instances_n = INSTANCES,
	.groups = groups,
	.groups_n = GROUPS,
	.uses_usesrc = true,
};

static const struct {
	const char *name;
	size_t len;
	bool from_worker;
} list[REQUEST_N] = {
#define WORKER                   true
#define GUARDIAN                 false
#define X(name, payload, sender) [REQUEST_##name] = { #name, sizeof(payload), sender },
	REQUEST_LIST(X)
#undef X
#undef WORKER
#undef GUARDIAN
};

static struct ipc_message
message(uint32_t type, size_t len, uint32_t generation, uint32_t instance, uint32_t value)
{
	const struct req_lodged r = { generation, instance, value };
	struct ipc_message m = { .type = type, .len = (uint32_t)len };

	memcpy(m.payload, &r, sizeof r);
	return m;
}

/* The first index that a request must not name. */
static uint32_t
end_of(uint32_t type)
{
	if (type == REQUEST_EXTERNAL_CHECK)
		return PROXIES;
	if (type == REQUEST_FOREIGN)
		return FOREIGN_FAMILIES;
	return type == REQUEST_NOTIFY_GROUP ? GROUPS : INSTANCES;
}

static enum privileged_reject
check_at(enum privileged_turn turn, struct ipc_message m)
{
	const struct privileged gate = { .conf = &conf, .generation = GENERATION, .turn = turn };

	return privileged_check(&gate, &m);
}

/* When its turn is. */
static enum privileged_reject
check(struct ipc_message m)
{
	return check_at(m.type == REQUEST_READY       ? PRIVILEGED_TURN_WAITS
			: m.type == REQUEST_REMAINING ? PRIVILEGED_TURN_OVER
						      : PRIVILEGED_TURN_HOLDS,
			m);
}

static bool
has_instance(uint32_t type)
{
	return list[type].len >= sizeof(struct req_instance) && type != REQUEST_FROZEN &&
	       type != REQUEST_REMAINING;
}

static void
test_right_ones_pass(void **state)
{
	for (uint32_t t = 0; t < REQUEST_N; t++) {
		enum privileged_reject wanted =
			list[t].from_worker ? PRIVILEGED_ACCEPTED : PRIVILEGED_DIRECTION;

		assert_int_equal(check(message(t, list[t].len, GENERATION, end_of(t) - 1, 1)),
				 wanted);
		assert_string_equal(privileged_request_name(t), list[t].name);
	}
}

static void
test_unknown(void **state)
{
	assert_int_equal(check(message(REQUEST_N, 4, GENERATION, 0, 0)), PRIVILEGED_UNKNOWN);
	assert_int_equal(check(message(UINT32_MAX, 4, GENERATION, 0, 0)), PRIVILEGED_UNKNOWN);
	assert_string_equal(privileged_request_name(REQUEST_N), "?");
}

static void
test_every_wrong_length(void **state)
{
	for (uint32_t t = 0; t < REQUEST_N; t++)
		for (size_t len = 0; len <= IPC_PAYLOAD_MAX && list[t].from_worker; len++)
			if (len != list[t].len)
				assert_int_equal(check(message(t, len, GENERATION, 0, 0)),
						 PRIVILEGED_LENGTH);
}

static void
test_wrong_contents(void **state)
{
	for (uint32_t t = 0; t < REQUEST_N; t++) {
		size_t len = list[t].len;
		struct ipc_message m = message(t, len, GENERATION, 0, 1);

		if (!list[t].from_worker)
			continue;
		m.fds_n = 1;
		assert_int_equal(check(m), PRIVILEGED_DESCRIPTORS);
		assert_int_equal(check(message(t, len, GENERATION + 1, 0, 0)),
				 PRIVILEGED_GENERATION);
		if (has_instance(t)) {
			assert_int_equal(check(message(t, len, GENERATION, end_of(t), 0)),
					 PRIVILEGED_INSTANCE);
			assert_int_equal(check(message(t, len, GENERATION, UINT32_MAX, 0)),
					 PRIVILEGED_INSTANCE);
		}
		if (t == REQUEST_WILL || t == REQUEST_CONFIRM)
			assert_int_equal(check(message(t, len, GENERATION, 0, 2)),
					 PRIVILEGED_VALUE);
	}
}

/* Only what exists can be told, with a priority that can be one. */
static void
test_notify_values(void **state)
{
	static const struct {
		uint16_t event, priority;
		enum privileged_reject wanted;
	} table[] = {
		{ NOTIFY_EVENT_MASTER, 0, PRIVILEGED_ACCEPTED },
		{ NOTIFY_EVENT_N - 1, 255, PRIVILEGED_ACCEPTED },
		{ NOTIFY_EVENT_N, 100, PRIVILEGED_VALUE },
		{ UINT16_MAX, 100, PRIVILEGED_VALUE },
		{ NOTIFY_EVENT_STOP, 256, PRIVILEGED_VALUE },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct req_notify r = { GENERATION, 0, table[i].event, table[i].priority };
		struct ipc_message m = message(REQUEST_NOTIFY, sizeof r, GENERATION, 0, 0);

		memcpy(m.payload, &r, sizeof r);
		assert_int_equal(check(m), table[i].wanted);
	}
}

/* A group as a whole has states, and no priority. */
static void
test_notify_group_values(void **state)
{
	static const struct {
		uint16_t event, priority;
		enum privileged_reject wanted;
	} table[] = {
		{ NOTIFY_EVENT_MASTER, 0, PRIVILEGED_ACCEPTED },
		{ NOTIFY_EVENT_STOP, 0, PRIVILEGED_ACCEPTED },
		{ NOTIFY_EVENT_MASTER_RX_LOWER_PRI, 0, PRIVILEGED_VALUE },
		{ NOTIFY_EVENT_BACKUP, 1, PRIVILEGED_VALUE },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct req_notify r = { GENERATION, 1, table[i].event, table[i].priority };
		struct ipc_message m = message(REQUEST_NOTIFY_GROUP, sizeof r, GENERATION, 0, 0);

		memcpy(m.payload, &r, sizeof r);
		assert_int_equal(check(m), table[i].wanted);
	}
}

/* Only a server whose program there is to run is named with success. */
static void
test_external_checks(void **state)
{
	for (uint32_t proxy = 0; proxy < PROXIES; proxy++)
		for (uint32_t server = 0; server <= SERVERS; server++) {
			struct req_external r = { GENERATION, proxy, server, UINT32_MAX };
			struct ipc_message m = message(REQUEST_EXTERNAL_CHECK, sizeof r, GENERATION,
						       proxy, server);

			memcpy(m.payload, &r, sizeof r);
			assert_int_equal(check(m), proxy == PROXIES - 1 && server < SERVERS
							   ? PRIVILEGED_ACCEPTED
							   : PRIVILEGED_VALUE);
		}
	servers[1].check = false;
	assert_int_equal(check(message(REQUEST_EXTERNAL_CHECK, sizeof(struct req_external),
				       GENERATION, PROXIES - 1, 1)),
			 PRIVILEGED_VALUE);
	servers[1].check = true;
}

/* Without `usesrc` in the file there is no socket to be had. */
static void
test_foreign_sockets(void **state)
{
	const struct conf without = { .instances_n = INSTANCES };
	const struct privileged gate = { .conf = &without, .generation = GENERATION };

	for (uint32_t family = 0; family <= FOREIGN_FAMILIES; family++) {
		struct ipc_message m =
			message(REQUEST_FOREIGN, sizeof(struct req_foreign), GENERATION, family, 0);

		assert_int_equal(privileged_check(&gate, &m), PRIVILEGED_INSTANCE);
		assert_int_equal(check(m), family < FOREIGN_FAMILIES ? PRIVILEGED_ACCEPTED
								     : PRIVILEGED_INSTANCE);
	}
}

/* Who may ask for what, before it has the token, while it has it and afterwards. */
static void
test_every_turn(void **state)
{
	for (uint32_t t = 0; t < REQUEST_N; t++) {
		const bool may[] = {
			[PRIVILEGED_TURN_WAITS] =
				t == REQUEST_READY || t == REQUEST_STOPPED || t == REQUEST_FOREIGN,
			[PRIVILEGED_TURN_HOLDS] = t != REQUEST_READY && t != REQUEST_REMAINING,
			[PRIVILEGED_TURN_OVER] = t == REQUEST_STOPPED || t == REQUEST_REMAINING ||
						 t == REQUEST_FOREIGN,
		};

		for (unsigned turn = 0; turn < sizeof may && list[t].from_worker; turn++)
			assert_int_equal(
				check_at((enum privileged_turn)turn,
					 message(t, list[t].len, GENERATION, end_of(t) - 1, 1)),
				may[turn] ? PRIVILEGED_ACCEPTED : PRIVILEGED_TURN);
	}
}

static struct {
	unsigned calls;
	enum request request;
	uint32_t instance;
	bool lodged;
} acted;

static void
act(void *ctx, enum request request, const union privileged_payload *p)
{
	acted.calls++;
	acted.request = request;
	acted.instance = p->lodged.instance;
	acted.lodged = p->lodged.lodged != 0;
}

static void
test_dispatch_acts_or_counts(void **state)
{
	struct privileged p = {
		.conf = &conf, .generation = GENERATION, .turn = PRIVILEGED_TURN_HOLDS, .act = act
	};
	struct ipc_message m = message(REQUEST_WILL, sizeof(struct req_lodged), GENERATION, 1, 1);

	privileged_dispatch(&p, &m);
	assert_int_equal(acted.calls, 1);
	assert_int_equal(acted.request, REQUEST_WILL);
	assert_int_equal(acted.instance, 1);
	assert_true(acted.lodged);

	m = message(REQUEST_CLAIM, sizeof(struct req_instance), GENERATION, INSTANCES, 0);
	privileged_dispatch(&p, &m);
	privileged_dispatch(&p, &m);
	assert_int_equal(acted.calls, 1);
	assert_int_equal(p.rejected[PRIVILEGED_INSTANCE], 2);
}

static void
test_every_reject_has_a_name(void **state)
{
	for (int i = 0; i < PRIVILEGED_N; i++)
		assert_non_null(privileged_reject_name((enum privileged_reject)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_ones_pass),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_every_wrong_length),
		cmocka_unit_test(test_wrong_contents),
		cmocka_unit_test(test_notify_values),
		cmocka_unit_test(test_notify_group_values),
		cmocka_unit_test(test_external_checks),
		cmocka_unit_test(test_foreign_sockets),
		cmocka_unit_test(test_every_turn),
		cmocka_unit_test(test_dispatch_acts_or_counts),
		cmocka_unit_test(test_every_reject_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
