// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ballot_store.c - where a voter keeps its register, and whose it is
 */
#include "ballot_store.h"

#include "ident.h"
#include "statefile.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES	512
#define STORE_BYTES	(2 * RBLK_ARBITER_SLOT_BYTES)
#define ID_HEX		(2 * RBLK_ARBITER_ID_BYTES + 1)
#define MACHINE_BYTES	64

/* What is kept outside of the store. */
struct outside {
	char machine[MACHINE_BYTES];
	uint8_t instance[RBLK_ARBITER_ID_BYTES];
	uint8_t next[RBLK_ARBITER_ID_BYTES];
};

#define REJOIN \
	"this node does not vote until it was removed from the voters and added again"

const char *rblk_ballot_outside_dir(void)
{
	const char *dir = getenv("RBLK_INSTANCE_DIR");

	return dir && *dir ? dir : RBLK_INSTANCE_DIR;
}

static const char *outside_name(const struct rblk_ballot_place *p, char *buf,
				size_t size)
{
	return rblk_text_format(buf, size, "%s.instance", p->resource);
}

static const char *store_path(const struct rblk_ballot_place *p, char *buf,
			      size_t size)
{
	return rblk_text_format(buf, size, "%s/%s.arbiter", p->state_dir,
				p->resource);
}

/* ---- outside ---- */

/* Which machine this is; "none" where nobody gave it an id. */
static void read_machine(char machine[MACHINE_BYTES])
{
	ssize_t n = rblk_statefile_read("/etc", "machine-id", machine,
				      MACHINE_BYTES - 1);

	machine[n > 0 ? n : 0] = '\0';
	machine[strspn(machine, "0123456789abcdef")] = '\0';
	if (!*machine)
		rblk_text_copy(machine, MACHINE_BYTES, "none");
}

static size_t format_outside(const struct rblk_ballot_place *p,
			     const struct outside *o, char text[MAX_BYTES])
{
	char uuid[2 * RBLK_UUID_SIZE + 1], instance[ID_HEX], next[ID_HEX];
	size_t len;

	rblk_ident_hex(p->uuid, sizeof(p->uuid), uuid);
	rblk_ident_hex(o->instance, sizeof(o->instance), instance);
	rblk_ident_hex(o->next, sizeof(o->next), next);
	len = snprintf(text, MAX_BYTES,
		       "rblk-instance 1\nresource %s\nuuid %s\nnode %u\nmachine %s\ninstance %s\nnext %s\n",
		       p->resource, uuid, p->node, o->machine, instance, next);
	return rblk_statefile_seal(text, len, MAX_BYTES);
}

static bool read_id(const char *hex, uint8_t id[RBLK_ARBITER_ID_BYTES])
{
	size_t i;

	for (i = 0; i < RBLK_ARBITER_ID_BYTES; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &id[i]) != 1)
			return false;
	return true;
}

/* Ours and whole exactly when writing it again gives the same bytes. */
static bool parse_outside(const struct rblk_ballot_place *p, const char *text,
			  struct outside *o)
{
	char again[MAX_BYTES], instance[ID_HEX], next[ID_HEX];

	if (sscanf(text, "rblk-instance 1\nresource %*63s\nuuid %*32s\nnode %*u\nmachine %63s\ninstance %32s\nnext %32s\n",
		   o->machine, instance, next) != 3 ||
	    strlen(instance) != ID_HEX - 1 || strlen(next) != ID_HEX - 1 ||
	    !read_id(instance, o->instance) || !read_id(next, o->next))
		return false;
	format_outside(p, o, again);
	return strcmp(again, text) == 0;
}

static int write_outside(const struct rblk_ballot_place *p,
			 const struct outside *o)
{
	char name[RBLK_NAME_SIZE + 16], text[MAX_BYTES];
	size_t len = format_outside(p, o, text);

	return rblk_statefile_replace(p->outside_dir,
				    outside_name(p, name, sizeof(name)), text,
				    len);
}

/* 0, or a negative errno; then @why tells. */
static int read_outside(const struct rblk_ballot_place *p, struct outside *o,
			char *why, size_t size)
{
	char name[RBLK_NAME_SIZE + 16], text[MAX_BYTES], machine[MACHINE_BYTES];
	ssize_t n = rblk_statefile_read(p->outside_dir,
				      outside_name(p, name, sizeof(name)), text,
				      sizeof(text) - 1);

	if (n < 0) {
		rblk_text_format(why, size, "cannot read %s/%s: %s",
				 p->outside_dir, name, strerror(-n));
		return n;
	}
	text[n] = '\0';
	if (!parse_outside(p, text, o)) {
		rblk_text_format(why, size, "%s/%s is damaged, or of another node or resource: "
				 REJOIN, p->outside_dir, name);
		return -EBADMSG;
	}
	read_machine(machine);
	if (strcmp(machine, o->machine) == 0)
		return 0;
	rblk_text_format(why, size, "%s/%s was written on another machine (/etc/machine-id differs): a clone must not vote: "
			 REJOIN, p->outside_dir, name);
	return -ESTALE;
}

/* ---- slots ---- */

static int write_slot(struct rblk_ballot_store *s,
		      const struct rblk_arbiter_store *keep)
{
	uint8_t slot[RBLK_ARBITER_SLOT_BYTES];
	uint64_t serial = s->serial + 1;
	ssize_t n;

	rblk_arbiter_slot_put(slot, &s->owner, serial, keep);
	n = pwrite(s->fd, slot, sizeof(slot),
		   serial % 2 * RBLK_ARBITER_SLOT_BYTES);
	if (n < 0)
		return -errno;
	if (n != sizeof(slot))
		return -ENOSPC;
	if (fdatasync(s->fd) < 0)
		return -errno;
	/* not before: else the next attempt would overwrite the good slot */
	s->serial = serial;
	return 0;
}

int rblk_ballot_write(struct rblk_ballot_store *s,
		      const struct rblk_arbiter_store *keep)
{
	return write_slot(s, keep);
}

/* Both slots, one after the other, as @s->owner.instance. */
static int write_both(struct rblk_ballot_store *s,
		      const struct rblk_arbiter_store *keep)
{
	int rc = write_slot(s, keep);

	return rc < 0 ? rc : write_slot(s, keep);
}

static bool draw(uint8_t id[RBLK_ARBITER_ID_BYTES])
{
	return getrandom(id, RBLK_ARBITER_ID_BYTES, 0) == RBLK_ARBITER_ID_BYTES;
}

/* From what is outside to its @next: what a start that was interrupted left. */
static int finish(struct rblk_ballot_store *s, const struct rblk_ballot_place *p,
		  struct outside *o, const struct rblk_arbiter_store *keep)
{
	int rc;

	memcpy(s->owner.instance, o->next, sizeof(o->next));
	rc = write_both(s, keep);
	if (rc < 0)
		return rc;
	memcpy(o->instance, o->next, sizeof(o->next));
	memcpy(s->owner.instance_before, o->next, sizeof(o->next));
	return write_outside(p, o);
}

static int renew(struct rblk_ballot_store *s, const struct rblk_ballot_place *p,
		 struct outside *o, const struct rblk_arbiter_store *keep)
{
	int rc = 0;

	if (memcmp(o->instance, o->next, sizeof(o->next)) != 0)
		rc = finish(s, p, o, keep);
	if (rc == 0 && !draw(o->next))
		rc = -EIO;
	if (rc == 0)
		rc = write_outside(p, o);
	return rc < 0 ? rc : finish(s, p, o, keep);
}

/* One process has it: two would each forget what the other promised. */
static int open_locked(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

void rblk_ballot_close(struct rblk_ballot_store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void set_owner(struct rblk_ballot_store *s,
		      const struct rblk_ballot_place *p, const struct outside *o)
{
	s->owner.node = p->node;
	memcpy(s->owner.resource, p->uuid, sizeof(s->owner.resource));
	memcpy(s->owner.instance, o->instance, sizeof(o->instance));
	memcpy(s->owner.instance_before, o->next, sizeof(o->next));
}

static bool read_slots(struct rblk_ballot_store *s, const char *path,
		       struct rblk_arbiter_store *kept, char *why, size_t size)
{
	uint8_t slots[STORE_BYTES];
	enum rblk_arbiter_slot err;
	ssize_t n = pread(s->fd, slots, sizeof(slots), 0);

	if (n < 0) {
		rblk_text_format(why, size, "cannot read %s: %s", path,
				 strerror(errno));
		return false;
	}
	err = rblk_arbiter_store_get(slots, n, &s->owner, &s->serial, kept);
	if (err == RBLK_ARBITER_SLOT_OK)
		return true;
	rblk_text_format(why, size, "%s: %s: " REJOIN, path,
			 rblk_arbiter_slot_strerror(err));
	return false;
}

bool rblk_ballot_exists(const struct rblk_ballot_place *p)
{
	char path[PATH_MAX], name[RBLK_NAME_SIZE + 16];

	if (access(store_path(p, path, sizeof(path)), F_OK) == 0)
		return true;
	rblk_text_format(path, sizeof(path), "%s/%s", p->outside_dir,
			 outside_name(p, name, sizeof(name)));
	return access(path, F_OK) == 0;
}

static bool open_store(struct rblk_ballot_store *s,
		       const struct rblk_ballot_place *p,
		       struct rblk_arbiter_store *kept, char *why, size_t size)
{
	char path[PATH_MAX];
	struct outside o;
	int rc;

	if (!rblk_ballot_exists(p)) {
		rblk_text_format(why, size, "this node has no register of it: run 'rblk create %s'",
				 p->resource);
		return false;
	}
	if (read_outside(p, &o, why, size) < 0)
		return false;
	s->fd = open_locked(store_path(p, path, sizeof(path)), 0);
	if (s->fd < 0) {
		rblk_text_format(why, size, "cannot open %s: %s: " REJOIN, path,
				 s->fd == -EWOULDBLOCK ? "another process has it" :
				 strerror(-s->fd));
		return false;
	}
	set_owner(s, p, &o);
	if (!read_slots(s, path, kept, why, size))
		return false;
	rc = renew(s, p, &o, kept);
	if (rc < 0)
		rblk_text_format(why, size, "cannot write %s or into %s: %s",
				 path, p->outside_dir, strerror(-rc));
	return rc == 0;
}

bool rblk_ballot_open(struct rblk_ballot_store *s,
		      const struct rblk_ballot_place *place,
		      struct rblk_arbiter_store *kept, char *why, size_t size)
{
	*s = (struct rblk_ballot_store){ .fd = -1 };
	if (open_store(s, place, kept, why, size))
		return true;
	rblk_ballot_close(s);
	return false;
}

static int make_dir(const char *dir)
{
	return mkdir(dir, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int create_store(struct rblk_ballot_store *s,
			const struct rblk_ballot_place *p,
			const struct rblk_arbiter_store *first)
{
	struct outside o = { .machine = "" };
	char path[PATH_MAX];
	int rc = make_dir(p->state_dir);

	if (rc == 0)
		rc = make_dir(p->outside_dir);
	if (rc < 0)
		return rc;
	rc = open_locked(store_path(p, path, sizeof(path)), O_CREAT);
	if (rc < 0)
		return rc;
	s->fd = rc;
	if (!draw(o.next))
		return -EIO;
	memcpy(o.instance, o.next, sizeof(o.next));
	read_machine(o.machine);
	set_owner(s, p, &o);
	if (ftruncate(s->fd, 0) < 0)
		return -errno;
	rc = write_both(s, first);
	if (rc == 0 && fsync(s->fd) < 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_dir(p->state_dir);
	/* last: until then the store is nobody's */
	return rc < 0 ? rc : write_outside(p, &o);
}

bool rblk_ballot_create(struct rblk_ballot_store *s,
			const struct rblk_ballot_place *place,
			const struct rblk_arbiter_store *first, char *why,
			size_t size)
{
	char path[PATH_MAX];
	int rc;

	*s = (struct rblk_ballot_store){ .fd = -1 };
	rc = create_store(s, place, first);
	if (rc == 0)
		return true;
	rblk_text_format(why, size, "cannot write %s, or into %s: %s",
			 store_path(place, path, sizeof(path)),
			 place->outside_dir, rc == -EWOULDBLOCK ?
			 "rblkd uses it" : strerror(-rc));
	rblk_ballot_close(s);
	return false;
}
