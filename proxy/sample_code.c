/*
 * sample_code.c - converters that write bytes as other bytes, and back: hexadecimal, base64, URLs,
 * numbers in network order.  Run by the session's thread; pure.  What is made is cut where its room
 * ends.
 */
#include "proxy/sample.h"

#include "conf/expr_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEF";

static unsigned
digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static bool
to_hex(struct sample *sample, char *out)
{
	size_t len = sample->len < SAMPLE_ROOM / 2 ? sample->len : SAMPLE_ROOM / 2;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[(unsigned char)sample->data[i] >> 4];
		out[2 * i + 1] = digits[sample->data[i] & 15];
	}
	return set_text(sample, SAMPLE_STR, out, 2 * len);
}

static bool
from_hex(struct sample *sample)
{
	uint64_t value = 0;

	for (size_t i = 0; i < sample->len; i++) {
		char c = sample->data[i];

		if (!isxdigit((unsigned char)c))
			return false;
		value = value << 4 | digit(c);
	}
	return set_number(sample, SAMPLE_INT, (int64_t)value);
}

static bool
to_base64(struct sample *sample, char *out)
{
	if (sample->len > SAMPLE_ROOM / 4 * 3 - 3)
		return false;
	return set_text(sample, SAMPLE_STR, out,
			(size_t)EVP_EncodeBlock((unsigned char *)out,
						(const unsigned char *)sample->data,
						(int)sample->len));
}

/* RFC 4648 section 5, without padding. */
static bool
to_base64url(struct sample *sample, char *out)
{
	if (!to_base64(sample, out))
		return false;
	while (sample->len && out[sample->len - 1] == '=')
		sample->len--;
	for (size_t i = 0; i < sample->len; i++)
		out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
	return true;
}

bool
sample_from_base64(struct sample *sample, char *out)
{
	size_t len = sample->len, padding = 0;
	int n;

	if (len > SAMPLE_ROOM || len % 4)
		return false;
	while (padding < 2 && padding < len && sample->data[len - 1 - padding] == '=')
		padding++;
	n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)sample->data, (int)len);
	return n >= 0 && set_text(sample, SAMPLE_BIN, out, (size_t)n - padding);
}

/* RFC 4648 section 5: the padding may be left out. */
static bool
from_base64url(struct sample *sample, char *out)
{
	char padded[SAMPLE_ROOM];
	size_t len = sample->len;

	if (len > SAMPLE_ROOM - 4 || len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = sample->data[i];

		if (c == '+' || c == '/')
			return false;
		padded[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (len % 4)
		padded[len++] = '=';
	set_text(sample, SAMPLE_STR, padded, len);
	return sample_from_base64(sample, out);
}

/* RFC 3986: all but the unreserved characters. */
static bool
to_url(struct sample *sample, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < sample->len && len + 3 <= SAMPLE_ROOM; i++) {
		unsigned char c = (unsigned char)sample->data[i];

		if (isalnum(c) || (c && strchr("-._~", c))) {
			out[len++] = (char)c;
			continue;
		}
		out[len++] = '%';
		out[len++] = digits[c >> 4];
		out[len++] = digits[c & 15];
	}
	return set_text(sample, SAMPLE_STR, out, len);
}

/* `form`: a plus is a blank; behind a question mark it is one anyway. */
static bool
from_url(struct sample *sample, bool form, char *out)
{
	const char *at = sample->data, *end = at + sample->len;
	size_t len = 0;

	for (; at < end && len < SAMPLE_ROOM; at++) {
		char c = *at;

		if (c == '%') {
			if (end - at < 3 || !isxdigit((unsigned char)at[1]) ||
			    !isxdigit((unsigned char)at[2]))
				return false;
			c = (char)(digit(at[1]) << 4 | digit(at[2]));
			at += 2;
		} else if (c == '+' && form) {
			c = ' ';
		} else if (c == '?') {
			form = true;
		}
		out[len++] = c;
	}
	return set_text(sample, SAMPLE_STR, out, len);
}

/*
 * Chunks of so many bytes, each as a decimal number or in hexadecimal, with a separator between them.
 * A last one that is not whole may be left out.
 */
static bool
write_chunks(struct sample *sample, const struct conf_arg *args, bool decimal, char *out)
{
	const struct conf_bytes *separator = &args[0].text;
	size_t size = args[1].given ? (size_t)args[1].number : 1;
	size_t whole = args[2].number ? sample->len / size * size : sample->len, len = 0;

	for (size_t at = 0, chunk; at < whole; at += chunk) {
		size_t room = SAMPLE_ROOM - len;
		uint64_t number = 0;

		chunk = whole - at < size ? whole - at : size;
		if (separator->len + (decimal ? 21 : 2 * chunk) > room)
			break;
		if (at && separator->len) {
			memcpy(out + len, separator->data, separator->len);
			len += separator->len;
		}
		for (size_t i = at; i < at + chunk; i++) {
			unsigned char byte = (unsigned char)sample->data[i];

			number = number << 8 | byte;
			if (decimal)
				continue;
			out[len++] = digits[byte >> 4];
			out[len++] = digits[byte & 15];
		}
		if (decimal)
			len += (size_t)snprintf(out + len, 21, "%" PRIu64, number);
	}
	return set_text(sample, SAMPLE_STR, out, len);
}

static bool
to_network_order(struct sample *sample, char *out)
{
	uint32_t number = htonl((uint32_t)sample->number);

	memcpy(out, &number, sizeof number);
	return set_text(sample, SAMPLE_BIN, out, sizeof number);
}

bool
sample_recode(const struct conf_convert *convert, struct sample *sample, char *out)
{
	const struct conf_arg *args = convert->args;

	switch (convert->id) {
	case CONF_CONVERT_HEX:
		return to_hex(sample, out);
	case CONF_CONVERT_HEX2I:
		return from_hex(sample);
	case CONF_CONVERT_BASE64:
		return to_base64(sample, out);
	case CONF_CONVERT_B64DEC:
		return sample_from_base64(sample, out);
	case CONF_CONVERT_UB64ENC:
		return to_base64url(sample, out);
	case CONF_CONVERT_UB64DEC:
		return from_base64url(sample, out);
	case CONF_CONVERT_URL_ENC:
		return to_url(sample, out);
	case CONF_CONVERT_URL_DEC:
		return from_url(sample, args->given && args->number, out);
	case CONF_CONVERT_MQTT_IS_VALID:
	case CONF_CONVERT_MQTT_FIELD:
		return sample_from_mqtt(convert, sample, out);
	case CONF_CONVERT_JSON:
		return sample_to_json(sample, (enum conf_json)args->number, out);
	case CONF_CONVERT_BE2DEC:
	case CONF_CONVERT_BE2HEX:
		return write_chunks(sample, args, convert->id == CONF_CONVERT_BE2DEC, out);
	}
	return to_network_order(sample, out);
}
