/*
 * pick.c: see pick.h.
 */
#include "cli/pick.h"

#include <errno.h>
#include <unistd.h>

#include "base/text.h"

#define YEAR_S (365u * 24 * 3600)

enum exit_status
pick_person(struct host *h, const struct args *a, struct client_person *out)
{
	enum exit_status st = host_open_reader(h, a, NULL);
	return st == EXIT_OK ? host_find(h, a->operand[0], out) : st;
}

enum exit_status
pick_chat(struct host *h, const struct client_person *p, struct chat_id *out)
{
	*out = p->chat;
	if (!ID_IS_ZERO(p->chat))
		return EXIT_OK;
	host_error(h, "there is no chat with %.*s yet", (int)p->name.n,
	    (const char *)p->name.p);
	return EXIT_FAILED;
}

void
pick_id(const struct event_id *id, char out[static PICK_ID_LEN + 1])
{
	char text[ID_TEXT_LEN + 1];
	id_encode(id->b, text);
	memcpy(out, text, PICK_ID_LEN);
	out[PICK_ID_LEN] = '\0';
}

/* All of them, each in full: one more digit has to tell them apart. */
static void
say_candidates(struct host *h, const char *id, const struct client_ref *refs,
    size_t n)
{
	char list[CLIENT_REFS_MAX * (ID_TEXT_LEN + 2) + 1];
	size_t i, at = 0;
	for (i = 0; i < n; i++) {
		memcpy(list + at, i == 0 ? "" : ", ", i == 0 ? 0 : 2);
		at += i == 0 ? 0 : 2;
		id_encode(refs[i].event.b, list + at);
		at += ID_TEXT_LEN;
	}
	list[at] = '\0';
	host_error(h, "\"%.40s\" may mean %zu messages: %s", id, n, list);
}

enum exit_status
pick_message(struct host *h, const struct client_person *p, const char *id,
    struct client_ref *out)
{
	struct client_ref refs[CLIENT_REFS_MAX];
	struct chat_id chat = p->chat;
	size_t n = 0;
	if (ID_IS_ZERO(chat))
		memcpy(chat.b, p->user.b, ID_LEN);
	enum err e = host_read(h);
	if (e == OK) {
		e = client_find_refs(&h->client, &h->query, &chat,
		    span_str(id), refs, &n);
		host_read_end(h);
	}
	if (e == ERR_VALIDATION) {
		host_error(h, "\"%.40s\" is not the id of a message; see: %s",
		    id, host_hint(h, "history --ids %s", h->subject));
		return EXIT_USAGE;
	}
	if (e != OK || n == 0) {
		host_error(h, "no message in this chat has an id that begins "
		    "with \"%.40s\"", id);
		return EXIT_FAILED;
	}
	if (n > 1) {
		say_candidates(h, id, refs, n);
		return EXIT_USAGE;
	}
	*out = refs[0];
	return EXIT_OK;
}

static enum err
read_all(struct buf *out)
{
	uint8_t piece[4096];
	for (;;) {
		ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			return OK;
		TRY(buf_add(out, piece, (size_t)n));
	}
}

static enum err
take_text(const struct args *a, size_t first, struct buf *out)
{
	bool pipe = a->operand_n == first ? !isatty(STDIN_FILENO) :
	    a->operand_n == first + 1 && strcmp(a->operand[first], "-") == 0;
	if (pipe) {
		TRY(read_all(out));
		if (out->n > 0 && out->p[out->n - 1] == '\n')
			out->n--;
	}
	for (size_t i = first; i < a->operand_n && !pipe; i++) {
		if (i > first)
			TRY(buf_add(out, " ", 1));
		TRY(buf_add_str(out, a->operand[i]));
	}
	return out->n == 0 ? ERR_NOT_FOUND :
	    utf8_valid(buf_span(out)) ? OK : ERR_FORMAT;
}

enum exit_status
pick_text(struct host *h, const struct args *a, size_t first, struct buf *out)
{
	enum err e = take_text(a, first, out);
	if (e == OK)
		return EXIT_OK;
	if (e == ERR_NOT_FOUND)
		host_error(h, "there is no text to send; give it at the end, "
		    "or - and the text on the standard input");
	else if (e == ERR_FORMAT)
		host_error(h, "the text is not valid UTF-8");
	else if (e == ERR_TOO_LARGE)
		host_error(h, "the text is longer than %u bytes",
		    CLIENT_TEXT_MAX);
	else
		host_error(h, "the text cannot be read (%s)", err_text(e));
	return EXIT_USAGE;
}

bool
pick_seconds(const char *text, uint32_t *out)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 },
	};
	struct span s = span_str(text);
	uint32_t each = 1;
	uint64_t n;
	*out = 0;
	if (strcmp(text, "off") == 0)
		return true;
	for (size_t i = 0; s.n > 0 && i < sizeof(units) / sizeof(units[0]);
	    i++) {
		if (text[s.n - 1] != units[i].unit)
			continue;
		each = units[i].seconds;
		s.n--;
		break;
	}
	if (!span_u64(s, YEAR_S, &n) || n == 0 || n * each > YEAR_S)
		return false;
	*out = (uint32_t)n * each;
	return true;
}
