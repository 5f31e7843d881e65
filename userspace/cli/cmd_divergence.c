// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_divergence.c - rblk divergence: look into archives of given up branches
 *
 * On files only, for anybody who may read them.
 */
#include "cli.h"

#include "archive.h"
#include "ident.h"
#include "outfile.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An archive that is being read. */
struct reader {
	const char *path;
	FILE *file;
	struct rblk_archive archive;
	struct rblk_archive_record record;	/* the one that was read last */
	uint8_t *data;				/* its bytes, where wanted */
};

static int say_bad(const struct reader *r, enum rblk_archive_error error)
{
	return rblk_cli_fail(error == RBLK_ARCHIVE_NONE ? RBLK_EXIT_NOT_FOUND :
			     RBLK_EXIT_REFUSED, NULL,
			     "%s: %s%s", r->path, rblk_archive_strerror(error),
			     error == RBLK_ARCHIVE_NONE ? "" :
			     "; nothing of it was used");
}

static int say_errno(const struct reader *r)
{
	return rblk_cli_fail(rblk_exit_from_errno(errno), NULL, "%s: %s",
			     r->path, strerror(errno));
}

/* 0, or an exit code; @missing says what an end too early means. */
static int read_exactly(struct reader *r, void *to, size_t bytes,
			enum rblk_archive_error missing)
{
	if (fread(to, 1, bytes, r->file) == bytes)
		return 0;
	return ferror(r->file) ? say_errno(r) : say_bad(r, missing);
}

static void close_reader(struct reader *r)
{
	if (r->file)
		fclose(r->file);
	free(r->data);
}

static int open_reader(struct reader *r, const char *path)
{
	uint8_t head[RBLK_ARCHIVE_HEAD_BYTES];
	enum rblk_archive_error error;
	int rc;

	*r = (struct reader){ .path = path };
	r->file = fopen(path, "re");
	r->data = malloc(RBLK_ARCHIVE_DATA_MAX);
	if (!r->file || !r->data) {
		rc = say_errno(r);
		close_reader(r);
		return rc;
	}
	rc = read_exactly(r, head, sizeof(head), RBLK_ARCHIVE_NONE);
	if (rc == 0) {
		error = rblk_archive_get_head(&r->archive, head);
		rc = error ? say_bad(r, error) : 0;
	}
	if (rc)
		close_reader(r);
	return rc;
}

/*
 * The next record, and its bytes, which are looked at even where nobody wants
 * them: an archive is good as a whole or not at all. 0, or an exit code.
 */
static int next_record(struct reader *r)
{
	uint8_t buf[RBLK_ARCHIVE_RECORD_BYTES];
	enum rblk_archive_error error;
	int rc = read_exactly(r, buf, sizeof(buf), RBLK_ARCHIVE_SHORT);

	if (rc)
		return rc;
	error = rblk_archive_get_record(&r->archive, buf, &r->record);
	if (error)
		return say_bad(r, error);
	if (r->record.is_end)
		return fgetc(r->file) == EOF ? 0 :
		       say_bad(r, RBLK_ARCHIVE_LONGER);
	rc = read_exactly(r, r->data, r->record.bytes, RBLK_ARCHIVE_SHORT);
	if (rc)
		return rc;
	return rblk_archive_is_good(&r->record, r->data) ? 0 :
	       say_bad(r, RBLK_ARCHIVE_DAMAGED);
}

/* ---- list */

static void print_head(const struct reader *r)
{
	const struct rblk_archive_head *h = &r->archive.head;
	char hex[2 * RBLK_UUID_SIZE + 1], when[32];

	rblk_ident_hex(h->set, sizeof(h->set), hex);
	printf("%s\n", r->path);
	printf("  resource     %s (%s)\n", h->resource, hex);
	printf("  data of      %s (node %u), up to seq %" PRIu64
	       " of generation %" PRIu64 "\n",
	       h->node, h->node_id, h->seq, h->generation);
	printf("  replaced by  %s (node %u)\n", h->winner, h->winner_id);
	if (h->fork_seq == RBLK_ARCHIVE_UNKNOWN)
		printf("  parted       nobody knows where\n");
	else
		printf("  parted       after seq %" PRIu64 " of generation %" PRIu64
		       ": %" PRIu64 " operations of its own\n",
		       h->fork_seq, h->fork_generation,
		       h->seq > h->fork_seq ? h->seq - h->fork_seq : 0);
	printf("  saved        %s\n",
	       rblk_text_time(when, sizeof(when), h->saved_s));
}

static int list(const char *path)
{
	uint64_t bytes[RBLK_MAX_VOLUMES] = { 0 };
	char size[32], saved[32];
	struct reader r;
	unsigned int i;
	int rc = open_reader(&r, path);

	if (rc)
		return rc;
	do {
		rc = next_record(&r);
		if (rc == 0)
			bytes[r.record.volume] += r.record.bytes;
	} while (rc == 0 && !r.record.is_end);
	if (rc == 0) {
		print_head(&r);
		for (i = 0; i < r.archive.head.volumes_n; i++)
			printf("  volume %-5u %s, %s of it not zero\n",
			       r.archive.head.volumes[i].id,
			       rblk_text_bytes(size, sizeof(size),
					       r.archive.head.volumes[i].bytes),
			       rblk_text_bytes(saved, sizeof(saved),
					       bytes[r.archive.head.volumes[i].id]));
	}
	close_reader(&r);
	return rc;
}

/* ---- show */

struct extent {
	uint8_t volume;
	uint64_t offset;
	uint64_t bytes;
};

static void print_extent(const struct extent *e)
{
	if (e->bytes)
		printf("%u %" PRIu64 " %" PRIu64 "\n", e->volume, e->offset,
		       e->bytes);
}

static int show(const char *path)
{
	struct extent e = { 0 };
	struct reader r;
	int rc = open_reader(&r, path);

	if (rc)
		return rc;
	printf("# volume, offset, bytes\n");
	while ((rc = next_record(&r)) == 0 && !r.record.is_end) {
		if (e.volume == r.record.volume &&
		    e.offset + e.bytes == r.record.offset) {
			e.bytes += r.record.bytes;
			continue;
		}
		print_extent(&e);
		e = (struct extent){ r.record.volume, r.record.offset,
				     r.record.bytes };
	}
	print_extent(&e);
	close_reader(&r);
	return rc;
}

/* ---- export */

/* The volume that was asked for, or the only one; NULL after a message. */
static const struct rblk_archive_volume *choose(const struct reader *r,
						const char *wanted)
{
	const struct rblk_archive_head *h = &r->archive.head;
	uint64_t id = 0;
	unsigned int i;

	if (wanted && !rblk_text_parse_number(wanted, RBLK_MAX_VOLUMES - 1,
					      &id)) {
		rblk_cli_fail(0, NULL, "bad volume '%s' (allowed: 0 to 63)",
			      wanted);
		return NULL;
	}
	if (!wanted && h->volumes_n > 1) {
		rblk_cli_fail(0, NULL,
			      "%s: it holds %u volumes: say --volume N; 'rblk divergence list' shows them",
			      r->path, h->volumes_n);
		return NULL;
	}
	for (i = 0; i < h->volumes_n; i++)
		if (!wanted || h->volumes[i].id == id)
			return &h->volumes[i];
	rblk_cli_fail(0, NULL, "%s: no volume %s in it", r->path, wanted);
	return NULL;
}

static int copy_out(struct reader *r, const struct rblk_archive_volume *v,
		    struct rblk_outfile *out)
{
	bool ok = rblk_outfile_resize(out, v->bytes);
	int rc;

	while (ok && (rc = next_record(r)) == 0 && !r->record.is_end)
		if (r->record.volume == v->id)
			ok = rblk_outfile_write_at(out, r->record.offset,
						   r->data, r->record.bytes);
	if (ok && rc)
		return rc;
	if (ok && rblk_outfile_commit(out))
		return 0;
	return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL, "writing %s failed: %s",
			     out->path, strerror(errno));
}

static int export_volume(const char *path, const char *volume, const char *to)
{
	const struct rblk_archive_volume *v;
	struct rblk_outfile out;
	struct reader r;
	char text[32];
	int rc = open_reader(&r, path);

	if (rc)
		return rc;
	v = choose(&r, volume);
	if (!v) {
		rc = RBLK_EXIT_USAGE;
	} else if (!rblk_outfile_open(&out, to)) {
		rc = rblk_cli_fail(RBLK_EXIT_REFUSED, NULL, "%s: %s", to,
				   errno == EEXIST ?
				   "exists already, and is not overwritten" :
				   strerror(errno));
	} else {
		rc = copy_out(&r, v, &out);
		rblk_outfile_close(&out);
		if (rc == 0)
			printf("%s: volume %u of %s as %s had it, %s\n", to,
			       v->id, r.archive.head.resource,
			       r.archive.head.node,
			       rblk_text_bytes(text, sizeof(text), v->bytes));
	}
	close_reader(&r);
	return rc;
}

int rblk_cmd_divergence(struct rblk_cli *cli, int argc, char **argv)
{
	const char *volume = NULL;
	const struct rblk_cli_option options[] = {
		{ "volume", NULL, &volume }, { NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("divergence", options, &argc, &argv);
	int i;

	(void)cli;
	if (rc)
		return rc;
	if (argc == 3 && strcmp(argv[0], "export") == 0)
		return export_volume(argv[1], volume, argv[2]);
	if (argc == 2 && !volume && strcmp(argv[0], "show") == 0)
		return show(argv[1]);
	if (argc < 2 || volume || strcmp(argv[0], "list") != 0)
		return rblk_cli_usage("divergence");
	for (i = 1; i < argc; i++) {
		int one = list(argv[i]);

		rc = one > rc ? one : rc;
	}
	return rc;
}
