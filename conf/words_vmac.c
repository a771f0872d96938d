/*
 * words_vmac.c - "use_vmac [NAME] [MAC]" in a vrrp_instance.
 */
#include "conf/parser.h"
#include "conf/words_lists.h"

#include <string.h>

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? memchr(digits, c | 0x20, 16) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* 00:…:5e with five octets or six; how many, or 0 if it is no MAC. */
static uint8_t
read_mac(const char *text, uint8_t mac[6])
{
	for (uint8_t n = 0; n < 6; n++, text += 3) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return 0;
		mac[n] = (uint8_t)(high << 4 | low);
		if (text[2] == '\0')
			return n >= 4 ? n + 1 : 0;
		if (text[2] != ':')
			return 0;
	}
	return 0;
}

static bool
is_standard(const uint8_t mac[6])
{
	return memcmp(mac, (const uint8_t[]){ 0, 0, 0x5e, 0 }, 4) == 0;
}

static void
take_mac(struct conf_call *call, const struct conf_word *word, const uint8_t mac[6], uint8_t n)
{
	struct conf_instance *instance = call->object;

	if (mac[0] & 1) {
		conf_error(&call->p->reporter, word->pos,
			   "`%s` is a group's address: an interface cannot have it", word->text);
	} else if (is_standard(mac)) {
		conf_warning(&call->p->reporter, word->pos,
			     "`%s` is of the protocol's own range, which `use_vmac` uses by "
			     "itself: it is ignored, as by keepalived",
			     word->text);
	} else {
		memcpy(instance->vmac_mac, mac, n);
		instance->vmac_mac_n = n;
	}
}

void
parse_use_vmac(struct conf_call *call)
{
	struct conf_instance *instance = call->object;

	instance->use_vmac = true;
	for (call->used = 1; call->used < call->words_n && call->used < 3; call->used++) {
		const struct conf_word *word = &call->words[call->used];
		uint8_t mac[6] = { 0 }, n = read_mac(word->text, mac);

		if (n > 0)
			take_mac(call, word, mac, n);
		else if (instance->vmac_name)
			break;
		else if (parse_interface_name(call, word))
			instance->vmac_name = word->text;
	}
}

void
print_use_vmac(const struct conf_printer *pr, const struct conf_row *row, const void *object)
{
	const struct conf_instance *instance = object;

	if (!instance->use_vmac)
		return;
	print_name(pr, row->name);
	if (instance->vmac_name)
		print_word(pr, instance->vmac_name);
	for (uint8_t i = 0; i < instance->vmac_mac_n; i++)
		fprintf(pr->out, "%c%02x", i ? ':' : ' ', instance->vmac_mac[i]);
	print_end(pr);
}
