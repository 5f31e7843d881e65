// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_md.c - rblk md: look at metadata, save it, put it back, remove it
 */
#include "cli.h"

#include "meta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Open and find; prints why not. */
static int look(const char *path, bool write, struct rblk_meta_dev *dev,
		struct rblk_meta_found *found)
{
	char why[512];
	int rc = rblk_meta_open(dev, path, write, why, sizeof(why));

	if (rc < 0)
		return rblk_cli_fail(rblk_exit_from_errno(-rc), NULL, "%s",
				     why);
	rc = rblk_meta_find(dev, found);
	if (rc == 0)
		return 0;
	rblk_meta_close(dev);
	return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL, "%s: %s", path,
			     strerror(-rc));
}

static int say_bad(const char *path, enum rblk_ondisk_error verdict)
{
	return rblk_cli_fail(verdict == RBLK_ONDISK_ABSENT ?
			     RBLK_EXIT_NOT_FOUND : RBLK_EXIT_REFUSED, NULL,
			     "%s: %s", path, rblk_ondisk_strerror(verdict));
}

/* For udev: a few lines of KEY=value, nothing where there is no metadata. */
static int print_udev(const struct rblk_meta_found *found)
{
	if (found->verdict == RBLK_ONDISK_ABSENT)
		return RBLK_EXIT_NOT_FOUND;
	printf("ID_RBLK_MEMBER=1\n");
	if (found->verdict == RBLK_ONDISK_OK)
		printf("ID_RBLK_RESOURCE=%s\nID_RBLK_VOLUME=%u\n",
		       rblk_meta_super(found)->name,
		       rblk_meta_super(found)->volume);
	return RBLK_EXIT_OK;
}

static int examine(const char *path, bool udev)
{
	struct rblk_meta_dev dev;
	struct rblk_meta_found found;
	int rc = look(path, false, &dev, &found);

	if (rc)
		return rc;
	if (udev)
		rc = print_udev(&found);
	else if (found.verdict)
		rc = say_bad(path, found.verdict);
	else {
		rblk_meta_show(&found, stdout);
		rblk_meta_show_active(&dev, rblk_meta_super(&found), stdout);
	}
	rblk_meta_close(&dev);
	return rc;
}

static int dump(const char *path)
{
	struct rblk_meta_dev dev;
	struct rblk_meta_found found;
	int rc = look(path, false, &dev, &found);
	json_t *top;

	if (rc)
		return rc;
	rblk_meta_close(&dev);
	if (found.verdict)
		return say_bad(path, found.verdict);
	/* what its position record adds is part of the truth */
	found.super[found.pick].record.lineage.seq = found.seq;
	top = rblk_meta_to_json(rblk_meta_super(&found));
	json_dumpf(top, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(top);
	return RBLK_EXIT_OK;
}

/*
 * A dump is of the past. Unless the admin vouches that nothing happened since,
 * the data is not what it says, and no bitmap and no history may be relied on.
 */
static void distrust(struct rblk_ondisk_super *super)
{
	if (super->record.data == RBLK_DATA_CONSISTENT)
		super->record.data = RBLK_DATA_INCONSISTENT;
	super->record.clean = false;
	super->record.serial++;
}

static int write_dump(struct rblk_meta_dev *dev,
		      const struct rblk_meta_found *found,
		      const struct rblk_ondisk_super *super, bool force)
{
	int rc;

	if (super->geo.meta_bytes != dev->bytes)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				     "%s has %llu bytes, the dump is of a device of %llu",
				     dev->path, (unsigned long long)dev->bytes,
				     (unsigned long long)super->geo.meta_bytes);
	if (found->verdict == RBLK_ONDISK_OK && !force)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				     "%s holds good metadata, which may be newer than the dump; --force replaces it",
				     dev->path);
	rc = rblk_meta_create(dev, super);
	if (rc < 0)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				     "writing %s failed: %s", dev->path,
				     strerror(-rc));
	printf("%s: restored%s\n", dev->path,
	       super->record.data == RBLK_DATA_INCONSISTENT ?
	       "; its data counts as inconsistent until it is copied to, or promoted with --force" : "");
	return RBLK_EXIT_OK;
}

static int restore(const char *path, bool force, bool exact)
{
	struct rblk_meta_dev dev;
	struct rblk_meta_found found;
	struct rblk_ondisk_super super;
	json_error_t error;
	json_t *top = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
	const char *wrong;
	int rc;

	if (!top)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				     "the dump on standard input: line %d: %s",
				     error.line, error.text);
	wrong = rblk_meta_from_json(top, &super);
	json_decref(top);
	if (wrong)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				     "the dump on standard input: %s", wrong);
	if (!exact)
		distrust(&super);
	rc = look(path, true, &dev, &found);
	if (rc)
		return rc;
	rc = write_dump(&dev, &found, &super, force);
	rblk_meta_close(&dev);
	return rc;
}

static bool may_wipe(const char *path, const struct rblk_meta_found *found)
{
	char line[16];

	if (found->verdict == RBLK_ONDISK_OK)
		rblk_meta_show(found, stdout);
	printf("Remove the metadata of %s? Type yes: ", path);
	fflush(stdout);
	return isatty(STDIN_FILENO) && fgets(line, sizeof(line), stdin) &&
	       strcmp(line, "yes\n") == 0;
}

static int wipe(const char *path, bool force)
{
	struct rblk_meta_dev dev;
	struct rblk_meta_found found;
	int rc = look(path, true, &dev, &found);

	if (rc)
		return rc;
	if (found.verdict == RBLK_ONDISK_ABSENT) {
		rc = say_bad(path, found.verdict);
	} else if (!force && !may_wipe(path, &found)) {
		rc = rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
				   "%s: nothing removed; scripts use --force",
				   path);
	} else {
		rc = rblk_meta_wipe(&dev, found.head_at);
		if (rc < 0)
			rc = rblk_cli_fail(RBLK_EXIT_REFUSED, NULL,
					   "writing %s failed: %s", path,
					   strerror(-rc));
		else
			printf("%s: metadata removed\n", path);
	}
	rblk_meta_close(&dev);
	return rc;
}

int rblk_cmd_md(struct rblk_cli *cli, int argc, char **argv)
{
	bool force = false, exact = false, udev = false;
	const struct rblk_cli_option options[] = {
		{ "force", &force, NULL }, { "exact", &exact, NULL },
		{ "udev", &udev, NULL }, { NULL, NULL, NULL },
	};
	int rc = rblk_cli_options("md", options, &argc, &argv);

	(void)cli;
	if (rc)
		return rc;
	if (argc != 2)
		return rblk_cli_usage("md");
	if (strcmp(argv[0], "examine") == 0)
		return examine(argv[1], udev);
	if (strcmp(argv[0], "dump") == 0)
		return dump(argv[1]);
	if (strcmp(argv[0], "restore") == 0)
		return restore(argv[1], force, exact);
	if (strcmp(argv[0], "wipe") == 0)
		return wipe(argv[1], force);
	return rblk_cli_usage("md");
}
