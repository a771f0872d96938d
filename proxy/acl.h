/*
 * acl.h - conditions.  Pure, as the expressions in them are.
 */
#pragma once

#include "proxy/sample.h"

#include "conf/model.h"

enum acl_result {
	ACL_FAIL,
	ACL_WAIT, /* with more bytes it may hold, or not */
	ACL_PASS,
};

/* Does the condition of a line in `proxy` hold?  NULL always does.  Never ACL_WAIT if ctx->final. */
enum acl_result acl_test(const struct sample_ctx *ctx, const struct conf_proxy *proxy,
			 const struct conf_condition *condition);
