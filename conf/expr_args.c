/*
 * expr_args.c - arguments of converters that are names: what they stand for.  Runs in whichever thread
 * loads a configuration.
 */
#include "conf/expr_reader.h"

#include "conf/value.h"

#include <string.h>
#include <strings.h>

const char *
expr_read_json(struct conf_arg *arg)
{
	static const char *const modes[] = {
		[CONF_JSON_ASCII] = "ascii",   [CONF_JSON_UTF8] = "utf8",
		[CONF_JSON_UTF8S] = "utf8s",   [CONF_JSON_UTF8P] = "utf8p",
		[CONF_JSON_UTF8PS] = "utf8ps",
	};

	arg->number = CONF_JSON_ASCII;
	if (!arg->given)
		return NULL;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(modes[i], arg->text.data) == 0) {
			arg->number = (int64_t)i;
			return NULL;
		}
	return "`json` reads ascii, utf8, utf8s, utf8p or utf8ps";
}

struct name {
	const char *text;
	int number;
};

static const struct name packets[] = {
	{ "connect", CONF_MQTT_CONNECT },
	{ "connack", CONF_MQTT_CONNACK },
	{ 0 },
};

static const struct name in_connect[] = {
	{ "flags", CONF_MQTT_FLAGS },
	{ "protocol_name", CONF_MQTT_PROTOCOL_NAME },
	{ "protocol_version", CONF_MQTT_PROTOCOL_VERSION },
	{ "client_identifier", CONF_MQTT_CLIENT_IDENTIFIER },
	{ "will_topic", CONF_MQTT_WILL_TOPIC },
	{ "will_payload", CONF_MQTT_WILL_PAYLOAD },
	{ "username", CONF_MQTT_USERNAME },
	{ "password", CONF_MQTT_PASSWORD },
	{ "keepalive", CONF_MQTT_KEEPALIVE },
	{ 0 },
};

static const struct name in_connack[] = {
	{ "flags", CONF_MQTT_FLAGS },
	{ "protocol_version", CONF_MQTT_PROTOCOL_VERSION },
	{ "reason_code", CONF_MQTT_REASON_CODE },
	{ 0 },
};

/* What may be asked for by its identifier. */
static const char connect_properties[] = { 1, 2, 3, 8, 9, 17, 21, 22, 23, 24, 25, 33, 34, 39, 0 };
static const char connack_properties[] = { 17, 18, 19, 21, 22, 26, 28, 31, 33,
					   34, 36, 37, 39, 40, 41, 42, 0 };

/* By its name, whatever the case; -1 = it is called otherwise. */
static int
find_name(const struct name *names, const char *text)
{
	for (; names->text; names++)
		if (strcasecmp(names->text, text) == 0)
			return names->number;
	return -1;
}

const char *
expr_read_mqtt(struct conf_arg args[2])
{
	const char *properties;
	bool connect;

	args[0].number = find_name(packets, args[0].text.data);
	if (args[0].number < 0 && value_int(args[0].text.data, &args[0].number) < 0)
		args[0].number = 0;
	connect = args[0].number == CONF_MQTT_CONNECT;
	if (!connect && args[0].number != CONF_MQTT_CONNACK)
		return "`mqtt_field_value` looks into connect (1) and connack (2)";
	args[1].number = find_name(connect ? in_connect : in_connack, args[1].text.data);
	if (args[1].number >= 0)
		return NULL;
	properties = connect ? connect_properties : connack_properties;
	if (value_int(args[1].text.data, &args[1].number) < 0 || args[1].number < 1 ||
	    args[1].number >= CONF_MQTT_PROPERTIES_N || !strchr(properties, (int)args[1].number))
		return "such a packet of MQTT has nothing that is called so";
	return NULL;
}
