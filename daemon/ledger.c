/*
 * ledger.c - see ledger.h.  The guardian's loop and the worker's VRRP thread.
 */
#include "daemon/ledger.h"
#include "daemon/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t
size_of(const struct ledger *ledger)
{
	return ledger->marks_n * sizeof *ledger->marks;
}

static int
map(struct ledger *ledger, int fd)
{
	void *marks = mmap(NULL, size_of(ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (marks == MAP_FAILED)
		return -errno;
	ledger->marks = marks;
	return 0;
}

static int
make_signers(struct ledger *ledger)
{
	const struct conf *conf = ledger->conf;

	ledger->signers = calloc(conf->instances_n, sizeof *ledger->signers);
	if (!ledger->signers)
		return -ENOMEM;
	for (size_t i = 0; i < conf->instances_n; i++) {
		if (!conf->instances[i].hmac)
			continue;
		ledger->signers[i] = vrrp_hmac_new(conf->instances[i].hmac);
		if (!ledger->signers[i])
			return -ENOMEM;
	}
	return 0;
}

int
ledger_create(struct ledger *ledger, const struct conf *conf)
{
	int r;

	*ledger = (struct ledger){ .conf = conf, .fd = -1, .marks_n = vrrp_marks_n(conf) };
	if (ledger->marks_n == 0)
		return 0;
	ledger->fd = memfd_create("tandem-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ledger->fd < 0 || ftruncate(ledger->fd, (off_t)size_of(ledger)) < 0)
		return -errno;
	/* The worker must not be able to shrink it under the guardian's feet. */
	if (fcntl(ledger->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	r = map(ledger, ledger->fd);
	return r < 0 ? r : make_signers(ledger);
}

int
ledger_adopt(struct ledger *ledger, const struct conf *conf, int fd)
{
	struct stat st;

	*ledger = (struct ledger){ .conf = conf, .fd = -1, .marks_n = vrrp_marks_n(conf) };
	if (fstat(fd, &st) < 0)
		return -errno;
	if (ledger->marks_n == 0 || (size_t)st.st_size != size_of(ledger))
		return -EBADMSG;
	return map(ledger, fd);
}

int
ledger_keep(struct ledger *ledger, const struct conf *conf, int fd)
{
	int r = ledger_adopt(ledger, conf, fd);

	if (r == 0)
		r = make_signers(ledger);
	if (r == 0)
		ledger->fd = fd;
	return r;
}

void
ledger_fini(struct ledger *ledger)
{
	for (size_t i = 0; ledger->signers && i < ledger->conf->instances_n; i++)
		vrrp_hmac_free(ledger->signers[i]);
	free(ledger->signers);
	if (ledger->marks)
		munmap(ledger->marks, size_of(ledger));
	if (ledger->fd >= 0)
		close(ledger->fd);
	*ledger = (struct ledger){ .fd = -1 };
}

static bool
same_router(const struct conf *a, const struct conf_instance *x, const struct conf *b,
	    const struct conf_instance *y)
{
	return x->vrid == y->vrid && x->family == y->family &&
	       strcmp(a->interfaces[x->interface].name, b->interfaces[y->interface].name) == 0;
}

void
ledger_inherit(struct ledger *ledger, const struct ledger *from)
{
	for (uint32_t i = 0; ledger->marks && i < ledger->conf->instances_n; i++) {
		const struct conf_instance *to = &ledger->conf->instances[i];

		for (uint32_t j = 0; from->marks && to->hmac && j < from->conf->instances_n; j++) {
			const struct conf_instance *old = &from->conf->instances[j];

			if (old->hmac && same_router(ledger->conf, to, from->conf, old))
				vrrp_hmac_inherit(to,
						  ledger->marks + vrrp_marks_at(ledger->conf, i),
						  old, from->marks + vrrp_marks_at(from->conf, j));
		}
	}
}

int
ledger_sign(struct ledger *ledger, uint32_t instance, const struct ip *source, const struct ip *to,
	    void *pdu, size_t len, size_t size)
{
	if (!ledger->signers || !ledger->signers[instance])
		return (int)len;
	return vrrp_packet_sign(ledger->signers[instance],
				ledger->marks + vrrp_marks_at(ledger->conf, instance),
				vrrp_hmac_clock(clock_wall_ns()), source, to, pdu, len, size);
}

void
ledger_estate(struct ledger *ledger, struct estate *e)
{
	estate_section(e, "ledger");
	if (!e->writing)
		*ledger = (struct ledger){ .fd = -1 };
	estate_fd(e, &ledger->fd);
}
