/*
 * variable.c - see variable.h.
 */
#include "proxy/variable.h"

#include "proxy/extra.h"
#include "proxy/log_format.h"
#include "proxy/process_vars.h"
#include "proxy/runtime.h"

bool
variable_is_shared(const struct sample_ctx *ctx, uint32_t variable)
{
	return ctx->session->thread->proxy->conf->variables[variable].process;
}

bool
variable_get(const struct sample_ctx *ctx, uint32_t variable, struct sample *sample,
	     struct sample_room *room)
{
	if (!variable_is_shared(ctx, variable))
		return extra_get(ctx->session, variable, sample);
	return process_vars_get(ctx->session->thread->proxy->process_vars, variable, sample,
				sample_room(room));
}

bool
variable_set(const struct sample_ctx *ctx, uint32_t variable, const struct sample *sample,
	     unsigned when)
{
	const struct proxy_thread *t = ctx->session->thread;

	if (variable_is_shared(ctx, variable))
		return process_vars_set(t->proxy->process_vars, t->index, variable, sample, when);
	if (sample)
		return extra_set_if(ctx->session, variable, sample, when);
	extra_set(ctx->session, variable, NULL);
	return true;
}

/* There is no session yet: conf/words_process.c lets nothing through that asks for one. */
void
variable_set_globals(struct proxy *proxy)
{
	struct session nobody = { .thread = &proxy->threads[0] };
	struct sample_room room;
	struct sample_ctx ctx = { .session = &nobody, .final = true, .room = &room };
	char text[SAMPLE_ROOM];

	for (size_t i = 0; i < proxy->conf->process_sets_n; i++) {
		const struct conf_process_set *set = &proxy->conf->process_sets[i];
		struct sample sample;
		bool found = true;

		room.turn = 0;
		if (set->format)
			sample_text(&sample, SAMPLE_STR, text,
				    log_format_nobody(set->format, &ctx, text, sizeof text));
		else
			found = sample_eval(&ctx, set->expr, 0, &sample) == SAMPLE_FOUND;
		if (found)
			variable_set(&ctx, set->variable, &sample, 0);
	}
}
