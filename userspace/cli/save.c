// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * save.c - archive what this node's volumes hold, before it is given up
 *
 * All of it but zeroes. What differs from the winner's data is not known
 * before it is overwritten: the winner has blocks that it alone wrote, and goes
 * on writing until the last block is copied.
 */
#include "save.h"

#include "archive.h"
#include "cli.h"
#include "meta.h"
#include "outfile.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECE		RBLK_ARCHIVE_DATA_MAX
#define ALIGNMENT	4096

struct save {
	const struct rblk_kstate *state;
	struct rblk_archive archive;
	struct rblk_outfile out;
	uint8_t *piece;			/* PIECE bytes, aligned */
	uint64_t total_bytes;
	uint64_t done_bytes;
	int shown_percent;
};

static void set_name(char *to, const char *name, unsigned int id)
{
	if (rblk_text_name_is_valid(name))
		rblk_text_copy(to, RBLK_NAME_SIZE, name);
	else
		rblk_text_format(to, RBLK_NAME_SIZE, "node-%u", id);
}

static void fill_head(struct save *s, const struct rblk_kpeer *winner)
{
	const struct rblk_kresource *r = &s->state->resource;
	struct rblk_archive_head *h = &s->archive.head;
	bool known = winner->has & RBLK_HAS(RBLK_PEER_FORK_SEQ);
	size_t i;

	memcpy(h->set, r->uuid, sizeof(h->set));
	rblk_text_copy(h->resource, sizeof(h->resource), s->state->name);
	set_name(h->node, r->node_name, r->node_id);
	set_name(h->winner, winner->node_name, winner->node_id);
	h->node_id = r->node_id;
	h->winner_id = winner->node_id;
	h->saved_s = time(NULL);
	h->fork_seq = known ? winner->fork_seq : RBLK_ARCHIVE_UNKNOWN;
	h->fork_generation = winner->fork_generation;
	h->seq = r->seq;
	h->generation = r->seq_generation;
	for (i = 0; i < s->state->volumes_n; i++) {
		h->volumes[i].id = s->state->volumes[i].id;
		h->volumes[i].bytes = s->state->volumes[i].size_bytes;
		s->total_bytes += h->volumes[i].bytes;
	}
	h->volumes_n = s->state->volumes_n;
}

/* Where the volume's data begins on its disk; false: see @why. */
static bool find_data(const struct save *s, const struct rblk_kvolume *v,
		      uint64_t *at, char *why, size_t size)
{
	const struct rblk_ondisk_super *super;
	struct rblk_meta_found found;
	struct rblk_meta_dev dev;
	int rc;

	*at = 0;
	if (v->metadata != RBLK_METADATA_START)
		return true;
	if (rblk_meta_open(&dev, v->disk, false, why, size) < 0)
		return false;
	rc = rblk_meta_find(&dev, &found);
	rblk_meta_close(&dev);
	super = rblk_meta_super(&found);
	if (rc < 0 || found.verdict) {
		rblk_text_format(why, size, "%s: %s", v->disk, rc < 0 ?
				 strerror(-rc) :
				 rblk_ondisk_strerror(found.verdict));
		return false;
	}
	if (memcmp(super->set, s->state->resource.uuid, sizeof(super->set)) ||
	    super->volume != v->id || super->geo.data_bytes != v->size_bytes) {
		rblk_text_format(why, size,
				 "%s: its metadata is not that of volume %u",
				 v->disk, v->id);
		return false;
	}
	*at = super->geo.data_at;
	return true;
}

/* Past the page cache, which may hold what the module has written over. */
static bool read_piece(int fd, uint8_t *to, uint32_t bytes, uint64_t at)
{
	ssize_t n;

	while (bytes) {
		n = pread(fd, to, bytes, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EIO;
			return false;
		}
		to += n;
		at += n;
		bytes -= n;
	}
	return true;
}

static bool write_piece(struct save *s, uint8_t volume, uint64_t offset,
			uint32_t size)
{
	uint8_t record[RBLK_ARCHIVE_RECORD_BYTES];
	uint32_t at = 0, bytes;

	while (rblk_archive_next_run(s->piece, size, &at, &bytes)) {
		rblk_archive_put_data(&s->archive, record, volume, offset + at,
				      s->piece + at, bytes);
		if (!rblk_outfile_write(&s->out, record, sizeof(record)) ||
		    !rblk_outfile_write(&s->out, s->piece + at, bytes))
			return false;
		at += bytes;
	}
	return true;
}

static void show_progress(struct save *s, uint32_t more)
{
	int percent;

	s->done_bytes += more;
	percent = s->done_bytes * 100.0 / s->total_bytes;
	if (percent == s->shown_percent || !isatty(STDERR_FILENO))
		return;
	s->shown_percent = percent;
	fprintf(stderr, "\rsaving: %d%%%s", percent,
		s->done_bytes == s->total_bytes ? "\n" : "");
}

static int fail(const struct save *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(const struct save *s, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return rblk_cli_fail(RBLK_EXIT_REFUSED, s->state->name,
			     "%s; nothing was saved, nothing discarded", text);
}

static int fail_write(const struct save *s)
{
	int err = errno;

	return fail(s, "writing %s failed: %s%s", s->out.path, strerror(err),
		    err == ENOSPC || err == EDQUOT || err == EFBIG ?
		    " (up to the size of the volumes is needed)" : "");
}

static int save_volume(struct save *s, const struct rblk_kvolume *v)
{
	uint64_t done, data_at;
	char why[512];
	int fd, rc = 0;

	if (v->disk_state != RBLK_DISK_OK)
		return fail(s, "volume %u: %s failed before", v->id, v->disk);
	if (!find_data(s, v, &data_at, why, sizeof(why)))
		return fail(s, "volume %u: %s", v->id, why);
	fd = open(v->disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return fail(s, "volume %u: %s: %s", v->id, v->disk,
			    strerror(errno));
	for (done = 0; done < v->size_bytes && rc == 0; done += PIECE) {
		uint64_t left = v->size_bytes - done;
		uint32_t bytes = left < PIECE ? left : PIECE;

		if (!read_piece(fd, s->piece, bytes, data_at + done))
			rc = fail(s, "volume %u: reading %s failed: %s", v->id,
				  v->disk, strerror(errno));
		else if (!write_piece(s, v->id, done, bytes))
			rc = fail_write(s);
		show_progress(s, bytes);
	}
	close(fd);
	return rc;
}

static int save_all(struct save *s)
{
	uint8_t head[RBLK_ARCHIVE_HEAD_BYTES];
	size_t i;
	int rc = 0;

	rblk_archive_put_head(&s->archive, head);
	if (!rblk_outfile_write(&s->out, head, sizeof(head)))
		return fail_write(s);
	for (i = 0; i < s->state->volumes_n && rc == 0; i++)
		rc = save_volume(s, &s->state->volumes[i]);
	if (rc)
		return rc;
	rblk_archive_put_end(&s->archive, head);
	if (!rblk_outfile_write(&s->out, head, RBLK_ARCHIVE_RECORD_BYTES) ||
	    !rblk_outfile_commit(&s->out))
		return fail_write(s);
	return 0;
}

int rblk_save(const struct rblk_kstate *state, const struct rblk_kpeer *winner,
	      const char *path)
{
	struct save s = { .state = state, .shown_percent = -1 };
	char saved[32], total[32];
	int rc;

	s.piece = aligned_alloc(ALIGNMENT, PIECE);
	if (!s.piece)
		return fail(&s, "out of memory");
	if (!rblk_outfile_open(&s.out, path)) {
		rc = errno == EEXIST ?
		     fail(&s, "%s exists already, and is not overwritten: name another file",
			  path) : fail_write(&s);
		free(s.piece);
		return rc;
	}
	fill_head(&s, winner);
	rc = save_all(&s);
	rblk_outfile_close(&s.out);
	free(s.piece);
	if (rc == 0)
		printf("%s: saved in %s: %s of %s, all but zeroes\n", state->name,
		       path,
		       rblk_text_bytes(saved, sizeof(saved), s.archive.bytes),
		       rblk_text_bytes(total, sizeof(total), s.total_bytes));
	return rc;
}
