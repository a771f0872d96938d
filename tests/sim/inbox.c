/*
 * inbox.c - messages between worker and guardian: in order, a moment later, never lost while both
 * live.
 */
#include "sim.h"

void
inbox_put(struct sim *sim, struct inbox *inbox, struct message message, int64_t ahead_ns)
{
	if (inbox->n == INBOX_MAX) {
		sim_fail(sim, "the simulation has no room for a message");
		return;
	}
	if (inbox->n == 0)
		inbox->last_ns = 0;
	message.leaves_ns = sim->now_ns + ahead_ns;
	message.arrives_ns =
		message.leaves_ns + dice_between(&sim->dice, 5 * NS_PER_US, 150 * NS_PER_US);
	if (message.arrives_ns < inbox->last_ns)
		message.arrives_ns = inbox->last_ns;
	inbox->last_ns = message.arrives_ns;
	inbox->at[(inbox->first + inbox->n) % INBOX_MAX] = message;
	inbox->n++;
}

void
inbox_forget(struct sim *sim, struct inbox *inbox)
{
	while (inbox->n &&
	       inbox->at[(inbox->first + inbox->n - 1) % INBOX_MAX].leaves_ns > sim->now_ns)
		inbox->n--;
}

const struct message *
inbox_take(struct sim *sim, struct inbox *inbox)
{
	struct message *message = &inbox->at[inbox->first];

	if (inbox->n == 0 || message->arrives_ns > sim->now_ns)
		return NULL;
	inbox->first = (inbox->first + 1) % INBOX_MAX;
	inbox->n--;
	return message;
}
