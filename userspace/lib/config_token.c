// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_token.c - cut configuration files into tokens, follow includes
 */
#include "config_token.h"

#include "text.h"
#include "xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE_BYTES	(4 << 20)
#define MAX_FILES	1024
#define MAX_DEPTH	8
#define MAX_WORD	1024

/* One file being cut; @parent includes it. */
struct scanner {
	struct rblk_config *config;
	struct rblk_tokens *tokens;
	const struct scanner *parent;
	const char *text;
	const char *end;
	struct rblk_pos pos;
	unsigned int depth;		/* of includes */
	struct rblk_pos open[4];	/* braces not yet closed */
	unsigned int open_n;
	bool may_include;
};

static bool fail(struct scanner *s, const struct rblk_pos *pos,
		 const char *text)
{
	rblk_diags_add(&s->config->diags, RBLK_DIAG_ERROR, pos, "%s", text);
	return false;
}

static void add_token(struct scanner *s, enum rblk_token_type type,
		      bool quoted, const struct rblk_pos *pos, char *text)
{
	struct rblk_tokens *t = s->tokens;

	t->v = rblk_xrealloc(t->v, (t->n + 1) * sizeof(*t->v));
	t->v[t->n++] = (struct rblk_token){
		.type = type, .quoted = quoted, .text = text, .pos = *pos,
	};
}

static int peek(const struct scanner *s, int ahead)
{
	return s->end - s->text > ahead ? (unsigned char)s->text[ahead] : EOF;
}

static int next(struct scanner *s)
{
	int c = peek(s, 0);

	if (c == EOF)
		return EOF;
	s->text++;
	if (c == '\n') {
		s->pos.line++;
		s->pos.col = 1;
	} else {
		s->pos.col++;
	}
	return c;
}

static bool skip_block_comment(struct scanner *s)
{
	struct rblk_pos start = s->pos;

	next(s);
	next(s);
	while (peek(s, 0) != EOF) {
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			next(s);
			next(s);
			return true;
		}
		next(s);
	}
	return fail(s, &start, "this comment is never closed by */");
}

static bool skip_space(struct scanner *s)
{
	for (;;) {
		int c = peek(s, 0);

		if (c == '#' || (c == '/' && peek(s, 1) == '/')) {
			while (peek(s, 0) != EOF && peek(s, 0) != '\n')
				next(s);
		} else if (c == '/' && peek(s, 1) == '*') {
			if (!skip_block_comment(s))
				return false;
		} else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			next(s);
		} else {
			return true;
		}
	}
}

static bool is_word_char(int c)
{
	return c != EOF && (isalnum(c) || strchr("._-:/%@+", c)) && c != '\0';
}

static bool scan_string(struct scanner *s)
{
	struct rblk_pos start = s->pos;
	char word[MAX_WORD];
	size_t len = 0;
	int quote = next(s);

	for (;;) {
		struct rblk_pos at = s->pos;
		int c = next(s);

		if (c == EOF || c == '\n')
			return fail(s, &start,
				    "this string is not closed on its line");
		if (c == quote)
			break;
		if (c == '\\') {
			c = next(s);
			if (c != '\\' && c != '"' && c != '\'')
				return fail(s, &at,
					    "unknown escape (allowed: \\\\ \\\" \\')");
		} else if (c < 0x20 || c == 0x7f || c == '|') {
			return fail(s, &at,
				    "control characters and '|' are not allowed in a string");
		}
		if (len == sizeof(word) - 1)
			return fail(s, &start, "this string is too long");
		word[len++] = c;
	}
	word[len] = '\0';
	add_token(s, RBLK_TOKEN_WORD, true, &start, rblk_xstrdup(word));
	return true;
}

static bool scan_word(struct scanner *s)
{
	struct rblk_pos start = s->pos;
	char word[MAX_WORD];
	size_t len = 0;

	while (is_word_char(peek(s, 0))) {
		if (len == sizeof(word) - 1)
			return fail(s, &start, "this word is too long");
		word[len++] = next(s);
	}
	word[len] = '\0';
	add_token(s, RBLK_TOKEN_WORD, false, &start, rblk_xstrdup(word));
	return true;
}

static bool scan_punct(struct scanner *s)
{
	struct rblk_pos start = s->pos;
	char text[2] = { next(s), '\0' };

	if (text[0] == '{') {
		if (s->open_n == sizeof(s->open) / sizeof(s->open[0]))
			return fail(s, &start, "sections are nested too deeply");
		s->open[s->open_n++] = start;
	} else if (text[0] == '}') {
		if (s->open_n == 0)
			return fail(s, &start, "this '}' closes nothing");
		s->open_n--;
	}
	add_token(s, RBLK_TOKEN_PUNCT, false, &start, rblk_xstrdup(text));
	return true;
}

static bool scan_token(struct scanner *s)
{
	int c = peek(s, 0);
	char text[64];

	if (c == '"' || c == '\'')
		return scan_string(s);
	if (c == '{' || c == '}' || c == '=' || c == ',')
		return scan_punct(s);
	if (is_word_char(c))
		return scan_word(s);
	rblk_text_format(text, sizeof(text),
			 c > 0x20 && c < 0x7f ? "unexpected character '%c'" :
			 "unexpected byte 0x%02x (put values in quotes)", c);
	return fail(s, &s->pos, text);
}

/* recursion: a file that is included is scanned in the same way */
static bool scan_include(struct scanner *s);

/* A word at top level where a statement starts: after '}' or at the start. */
static bool is_include(const struct scanner *s, size_t first)
{
	const struct rblk_tokens *t = s->tokens;
	const struct rblk_token *last = &t->v[t->n - 1];

	if (s->open_n || last->type != RBLK_TOKEN_WORD || last->quoted ||
	    strcmp(last->text, "include") != 0)
		return false;
	return t->n - 1 == first || t->v[t->n - 2].text[0] == '}';
}

static bool scan_all(struct scanner *s)
{
	size_t first = s->tokens->n;

	for (;;) {
		if (!skip_space(s))
			return false;
		if (peek(s, 0) == EOF)
			break;
		if (!scan_token(s))
			return false;
		if (is_include(s, first)) {
			if (!scan_include(s))
				return false;
			first = s->tokens->n;
		}
	}
	if (s->open_n)
		return fail(s, &s->open[s->open_n - 1],
			    "this '{' is never closed");
	return true;
}

static const char *remember_file(struct rblk_config *config, const char *name)
{
	config->files = rblk_xrealloc(config->files, (config->files_n + 1) *
						     sizeof(*config->files));
	return config->files[config->files_n++] = rblk_xstrdup(name);
}

/* The text of a regular file, or NULL with errno set. */
static char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		goto out;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	if (!S_ISREG(st.st_mode))
		goto out;
	errno = EFBIG;
	if (st.st_size > MAX_FILE_BYTES)
		goto out;
	text = rblk_xcalloc(1, st.st_size + 1);
	for (*len = 0; *len < (size_t)st.st_size; *len += n) {
		n = read(fd, text + *len, st.st_size - *len);
		if (n <= 0)
			break;
	}
out:
	close(fd);
	return text;
}

static bool scan_file(struct rblk_config *config, struct rblk_tokens *tokens,
		      const char *path, const struct scanner *parent,
		      const struct rblk_pos *from)
{
	struct scanner s = {
		.config = config, .tokens = tokens, .parent = parent,
		.depth = parent ? parent->depth + 1 : 0, .may_include = true,
	};
	size_t len;
	char *text;
	bool ok;

	if (s.depth > MAX_DEPTH || config->files_n >= MAX_FILES) {
		rblk_diags_add(&config->diags, RBLK_DIAG_ERROR, from,
			       "includes go too deep or too far at \"%s\"; does a file include itself?",
			       path);
		return false;
	}
	text = read_file(path, &len);
	if (!text) {
		rblk_diags_add(&config->diags, RBLK_DIAG_ERROR, from,
			       "cannot read \"%s\": %s", path, strerror(errno));
		return false;
	}
	s.text = text;
	s.end = text + len;
	s.pos = (struct rblk_pos){ remember_file(config, path), 1, 1 };
	ok = scan_all(&s);
	free(text);
	return ok;
}

static char *relative_to(const char *file, const char *pattern)
{
	const char *slash = strrchr(file, '/');

	if (pattern[0] == '/' || !slash)
		return rblk_xstrdup(pattern);
	return rblk_xasprintf("%.*s/%s", (int)(slash - file), file, pattern);
}

static bool include_files(struct scanner *s, const struct rblk_token *what)
{
	char *pattern = relative_to(s->pos.file, what->text);
	struct rblk_pos pos = what->pos;
	bool ok = true;
	glob_t found;
	size_t i;

	switch (glob(pattern, 0, NULL, &found)) {
	case 0:
		for (i = 0; ok && i < found.gl_pathc; i++)
			ok = scan_file(s->config, s->tokens, found.gl_pathv[i],
				       s, &pos);
		globfree(&found);
		break;
	case GLOB_NOMATCH:
		ok = strpbrk(pattern, "*?[") != NULL;
		rblk_diags_add(&s->config->diags,
			       ok ? RBLK_DIAG_WARNING : RBLK_DIAG_ERROR, &pos,
			       "include \"%s\": %s", pattern,
			       ok ? "no file matches" : "no such file");
		break;
	default:
		rblk_diags_add(&s->config->diags, RBLK_DIAG_ERROR, &pos,
			       "include \"%s\": cannot list files: %s", pattern,
			       strerror(errno));
		ok = false;
	}
	free(pattern);
	return ok;
}

/* The word "include" is the last token: replace it by what it names. */
static bool scan_include(struct scanner *s)
{
	struct rblk_token word = s->tokens->v[--s->tokens->n];
	struct rblk_token what;
	bool ok;

	free(word.text);
	if (!skip_space(s))
		return false;
	if (peek(s, 0) != '"' && peek(s, 0) != '\'')
		return fail(s, &s->pos,
			    "expected a quoted file name after 'include'");
	if (!scan_string(s))
		return false;
	what = s->tokens->v[--s->tokens->n];
	ok = s->may_include ? include_files(s, &what) :
	     fail(s, &what.pos, "include is not possible here");
	free(what.text);
	return ok;
}

static void finish(struct rblk_config *config, struct rblk_tokens *tokens)
{
	struct scanner s = { .config = config, .tokens = tokens };
	struct rblk_pos pos = { NULL, 0, 0 };

	if (tokens->n)
		pos = tokens->v[tokens->n - 1].pos;
	else if (config->files_n)
		pos = (struct rblk_pos){ config->files[0], 1, 1 };
	add_token(&s, RBLK_TOKEN_END, false, &pos, rblk_xstrdup("end of file"));
}

bool rblk_config_scan_file(struct rblk_config *config,
			   struct rblk_tokens *tokens, const char *path)
{
	struct rblk_pos nowhere = { NULL, 0, 0 };
	bool ok;

	nowhere.file = "rblk";
	ok = scan_file(config, tokens, path, NULL, &nowhere);
	finish(config, tokens);
	return ok;
}

bool rblk_config_scan_text(struct rblk_config *config,
			   struct rblk_tokens *tokens, const char *name,
			   const char *text, size_t len)
{
	struct scanner s = {
		.config = config, .tokens = tokens,
		.text = text, .end = text + len,
	};
	bool ok;

	s.pos = (struct rblk_pos){ remember_file(config, name), 1, 1 };
	ok = scan_all(&s);
	finish(config, tokens);
	return ok;
}

void rblk_tokens_free(struct rblk_tokens *tokens)
{
	size_t i;

	for (i = 0; i < tokens->n; i++)
		free(tokens->v[i].text);
	free(tokens->v);
	*tokens = (struct rblk_tokens){ 0 };
}

char *rblk_tokens_render(const struct rblk_tokens *tokens)
{
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (i = 0; i < tokens->n; i++) {
		const struct rblk_token *t = &tokens->v[i];
		const char *c;

		if (t->type == RBLK_TOKEN_END)
			break;
		if (t->type == RBLK_TOKEN_PUNCT) {
			fprintf(f, "%s\n", t->text);
			continue;
		}
		fputc('\'', f);
		for (c = t->text; *c; c++)
			fprintf(f, *c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
		fputs("'\n", f);
	}
	fclose(f);
	return text;
}
