/*
 * sample_hash.c - converters that make digests, authentication codes and hashes.  Run by the
 * session's thread.
 */
#include "proxy/sample.h"

#include "proxy/hash.h"
#include "proxy/variable.h"

#include "conf/expr_words.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

/* ------------------------------------------------------------------ digests */

/* By the place of its name in CONF_DIGESTS. */
static const EVP_MD *
digest_of(int64_t index)
{
	static const EVP_MD *(*const digests[])(void) = {
#define DIGEST(name, function) function,
		CONF_DIGESTS(DIGEST)
#undef DIGEST
	};

	return digests[index]();
}

static bool
digest(struct sample *sample, const EVP_MD *md, char *out)
{
	unsigned len = 0;

	if (EVP_Digest(sample->data, sample->len, (unsigned char *)out, &len, md, NULL) != 1)
		return false;
	return set_text(sample, SAMPLE_BIN, out, len);
}

static const EVP_MD *
sha2_of(const struct conf_arg *arg)
{
	switch (arg->given ? arg->number : 256) {
	case 224:
		return EVP_sha224();
	case 384:
		return EVP_sha384();
	case 512:
		return EVP_sha512();
	}
	return EVP_sha256();
}

/* The key is written in base64, as it stands or as the value of a variable. */
static bool
authenticate(const struct sample_ctx *ctx, const struct conf_arg *args, struct sample *sample,
	     char *out)
{
	struct sample_room room;
	struct sample key = { .data = args[1].text.data, .len = args[1].text.len };
	char bytes[SAMPLE_ROOM];
	unsigned len = 0;

	room.turn = 0;
	if (args[1].variable && (!variable_get(ctx, (uint32_t)args[1].number, &key, &room) ||
				 !sample_cast(&key, SAMPLE_STR, &room)))
		return false;
	if (!sample_from_base64(&key, bytes))
		return false;
	if (!HMAC(digest_of(args[0].number), key.data, (int)key.len,
		  (const unsigned char *)sample->data, sample->len, (unsigned char *)out, &len))
		return false;
	return set_text(sample, SAMPLE_BIN, out, len);
}

/* ------------------------------------------------------------------ hashes */

static bool
set_hash(struct sample *sample, const struct conf_arg *arg, uint32_t hash)
{
	if (arg->given && arg->number)
		hash = hash_avalanche(hash);
	return set_number(sample, SAMPLE_INT, hash);
}

static bool
crc(struct sample *sample, const struct conf_arg *arg, uint32_t polynomial)
{
	return set_hash(sample, arg, ~hash_crc(~0U, polynomial, sample->data, sample->len));
}

bool
sample_hash(const struct sample_ctx *ctx, const struct conf_convert *convert, struct sample *sample)
{
	const struct conf_arg *args = convert->args;
	uint64_t seed = args[0].given ? (uint64_t)args[0].number : 0;

	switch (convert->id) {
	case CONF_CONVERT_CRC32:
		return crc(sample, args, HASH_CRC32);
	case CONF_CONVERT_CRC32C:
		return crc(sample, args, HASH_CRC32C);
	case CONF_CONVERT_WT6:
		return set_hash(sample, args, hash_wt6(sample->data, sample->len));
	case CONF_CONVERT_DJB2:
		return set_hash(sample, args, hash_djb2(sample->data, sample->len));
	case CONF_CONVERT_SDBM:
		return set_hash(sample, args, hash_sdbm(sample->data, sample->len));
	case CONF_CONVERT_XXH32:
		return set_number(sample, SAMPLE_INT,
				  XXH32(sample->data, sample->len, (uint32_t)seed));
	case CONF_CONVERT_XXH64:
		return set_number(sample, SAMPLE_INT,
				  (int64_t)XXH64(sample->data, sample->len, seed));
	case CONF_CONVERT_XXH3:
		return set_number(sample, SAMPLE_INT,
				  (int64_t)XXH3_64bits_withSeed(sample->data, sample->len, seed));
	case CONF_CONVERT_SHA1:
		return digest(sample, EVP_sha1(), sample_room(ctx->room));
	case CONF_CONVERT_SHA2:
		return digest(sample, sha2_of(args), sample_room(ctx->room));
	case CONF_CONVERT_DIGEST:
		return digest(sample, digest_of(args->number), sample_room(ctx->room));
	}
	return authenticate(ctx, args, sample, sample_room(ctx->room));
}
