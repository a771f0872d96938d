/*
 * acl.c - see acl.h.  Run by the session's thread.  FAIL < WAIT < PASS: all of several is their
 * least, any of several their greatest.
 */
#include "proxy/acl.h"

#include "proxy/match.h"
#include "proxy/session.h"

static enum acl_result
test_line(const struct sample_ctx *ctx, const struct conf_acl_line *line)
{
	struct regex *const *regexes = ctx->session->thread->proxy->regexes;
	struct sample sample;

	for (unsigned index = 0;; index++) {
		switch (sample_eval(ctx, line->expr, index, &sample)) {
		case SAMPLE_NONE:
			return ACL_FAIL;
		case SAMPLE_WAIT:
			return ACL_WAIT;
		case SAMPLE_FOUND:
			break;
		}
		if (match_patterns(&line->patterns, regexes, &sample, ctx->room))
			return ACL_PASS;
		if (sample.may_change && !ctx->final)
			return ACL_WAIT;
	}
}

static enum acl_result
test_acl(const struct sample_ctx *ctx, const struct conf_acl *acl)
{
	enum acl_result any = ACL_FAIL;

	for (size_t i = 0; i < acl->lines_n && any != ACL_PASS; i++) {
		enum acl_result r = test_line(ctx, &acl->lines[i]);

		any = r > any ? r : any;
	}
	return any;
}

static enum acl_result
negated(enum acl_result r)
{
	return r == ACL_WAIT ? ACL_WAIT : r == ACL_PASS ? ACL_FAIL : ACL_PASS;
}

static enum acl_result
test_all(const struct sample_ctx *ctx, const struct conf_proxy *proxy, const struct conf_all *terms)
{
	enum acl_result all = ACL_PASS;

	for (size_t i = 0; i < terms->terms_n && all != ACL_FAIL; i++) {
		enum acl_result r = test_acl(ctx, &proxy->acls[terms->terms[i].acl]);

		r = terms->terms[i].negated ? negated(r) : r;
		all = r < all ? r : all;
	}
	return all;
}

enum acl_result
acl_test(const struct sample_ctx *ctx, const struct conf_proxy *proxy,
	 const struct conf_condition *condition)
{
	enum acl_result any = ACL_FAIL;

	if (!condition)
		return ACL_PASS;
	for (size_t i = 0; i < condition->any_n && any != ACL_PASS; i++) {
		enum acl_result r = test_all(ctx, proxy, &condition->any[i]);

		any = r > any ? r : any;
	}
	return condition->unless ? negated(any) : any;
}
