// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_agents.c - the programs that switch nodes off, and what they are told
 */
#include "config_build.h"

#include "text.h"
#include "xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPTIONS_BYTES	4096

/* Its value is not for everybody's eyes. */
static bool is_secret(const char *name, size_t len)
{
	static const char *const ends[] = { "passwd", "password" };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i]);

		if (len >= n && strncmp(name + len - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

const char *rblk_config_judge_option(const char *text, bool may_be_secret)
{
	size_t len = strcspn(text, "="), i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' &&
		    text[i] != '-')
			len = 0;
	if (len == 0 || text[len] != '=')
		return "is not of the form name=value";
	if (len == 6 && (strncmp(text, "action", len) == 0 ||
			 strncmp(text, "option", len) == 0))
		return "is rblkd's to choose: it runs 'off', then 'status'";
	if (!may_be_secret && is_secret(text, len))
		return "is a secret: put it into the file that options-file names, with mode 0600";
	return NULL;
}

bool rblk_config_find_agent(const struct rblk_config_fence *fence, char *path,
			    size_t path_size, char *why, size_t why_size)
{
	struct stat st;

	why[0] = '\0';
	if (!fence->agent)
		return false;
	rblk_text_format(path, path_size, "%s%s", fence->agent[0] == '/' ? "" :
			 RBLK_AGENT_DIR "/", fence->agent);
	if (stat(path, &st) < 0)
		rblk_text_format(why, why_size, "fence agent %s: %s%s", path,
				 strerror(errno), errno == ENOENT ?
				 "; Debian's are in the packages fence-agents and fence-virt" : "");
	else if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		rblk_text_format(why, why_size,
				 "fence agent %s is not an executable file",
				 path);
	else if (st.st_mode & 022)
		rblk_text_format(why, why_size,
				 "fence agent %s has mode %04o: others could change what rblkd runs; run 'chmod go-w %s'",
				 path, st.st_mode & 07777, path);
	return why[0] == '\0';
}

/* The lines that are options; NULL and @why: one is none. */
static char *take_lines(char *text, const char *path, char *why,
			size_t why_size)
{
	char *all = rblk_xcalloc(1, strlen(text) + 2);
	unsigned int nr = 0;
	char *line, *end = all;

	while ((line = strsep(&text, "\n"))) {
		const char *wrong;

		nr++;
		line += strspn(line, " \t\r");
		if (!line[0] || line[0] == '#')
			continue;
		wrong = rblk_config_judge_option(line, true);
		if (wrong) {
			/* not the line: it may be a secret */
			rblk_text_format(why, why_size, "%s:%u: this line %s",
					 path, nr, wrong);
			explicit_bzero(all, end - all);
			free(all);
			return NULL;
		}
		end = stpcpy(stpcpy(end, line), "\n");
	}
	return all;
}

static char *read_options_fd(int fd, const char *path, char *why,
			     size_t why_size)
{
	char text[MAX_OPTIONS_BYTES + 1] = "";
	char *all = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		rblk_text_format(why, why_size, "options file %s is not a file",
				 path);
	} else if (st.st_mode & 0177) {
		rblk_text_format(why, why_size,
				 "options file %s has mode %04o: others could read it; run 'chmod 0600 %s'",
				 path, st.st_mode & 07777, path);
	} else if (st.st_size > MAX_OPTIONS_BYTES) {
		rblk_text_format(why, why_size,
				 "options file %s has %lld bytes (allowed: %d)",
				 path, (long long)st.st_size,
				 MAX_OPTIONS_BYTES);
	} else {
		n = read(fd, text, MAX_OPTIONS_BYTES);
		if (n < 0 || memchr(text, '\0', n))
			rblk_text_format(why, why_size,
					 "cannot read options file %s%s", path,
					 n < 0 ? "" : ": it is not text");
		else
			all = take_lines(text, path, why, why_size);
	}
	explicit_bzero(text, sizeof(text));
	return all;
}

char *rblk_config_read_fence_options(const struct rblk_config_fence *fence,
				     char *why, size_t why_size)
{
	const char *path = fence->options_file;
	char *all;
	int fd;

	if (!path)
		return rblk_xstrdup("");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		rblk_text_format(why, why_size,
				 "cannot read options file %s: %s", path,
				 strerror(errno));
		return NULL;
	}
	all = read_options_fd(fd, path, why, why_size);
	close(fd);
	return all;
}

static void check_fence(struct rblk_config *c,
			const struct rblk_config_fence *f,
			enum rblk_severity severity)
{
	char path[PATH_MAX], why[PATH_MAX + 256];
	char *options;

	if (!f->agent)
		return;
	if (!rblk_config_find_agent(f, path, sizeof(path), why, sizeof(why)))
		rblk_diags_add(&c->diags, severity, &f->agent_pos, "%s", why);
	options = rblk_config_read_fence_options(f, why, sizeof(why));
	if (options)
		explicit_bzero(options, strlen(options));
	else	/* who may not read it cannot say that rblkd may not */
		rblk_diags_add(&c->diags, geteuid() ? RBLK_DIAG_WARNING :
			       severity, &f->options_file_pos, "%s", why);
	free(options);
}

static void check_watchdog(struct rblk_config *c, const struct rblk_config_node *n)
{
	struct stat st;

	if (stat(n->watchdog, &st) < 0)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &n->watchdog_pos,
			       "watchdog %s: %s%s", n->watchdog, strerror(errno),
			       errno == ENOENT ?
			       "; load the driver of this machine's, or softdog" : "");
	else if (!S_ISCHR(st.st_mode))
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &n->watchdog_pos,
			       "watchdog %s is not a character device", n->watchdog);
}

void rblk_config_check_agents(struct rblk_config *config,
			      const struct rblk_config_node *self)
{
	bool runs = self && !self->witness;
	size_t i, j;

	if (config->etcd.endpoints_n)
		rblk_config_check_etcd_files(config, runs ? RBLK_DIAG_ERROR :
					     RBLK_DIAG_WARNING);
	if (self && self->watchdog)
		check_watchdog(config, self);
	for (i = 0; i < config->nodes_n; i++) {
		const struct rblk_config_node *n = &config->nodes[i];

		for (j = 0; n != self && j < n->fences_n; j++)
			check_fence(config, &n->fences[j],
				    runs ? RBLK_DIAG_ERROR :
				    RBLK_DIAG_WARNING);
	}
}
