/*
 * cmd_search.c: messages of this profile's history that contain some words,
 * newest first. The search itself asks nobody: it reads the encrypted index of
 * the profile.
 */
#include "base/text.h"
#include "cli/clean.h"
#include "cli/cmd.h"
#include "cli/show.h"
#include "cli/tty.h"

#define LIMIT_DEFAULT 50
#define PAGE 32
#define RANGES_MAX 64
#define EXCERPT_BYTES 600		/* of a long text, around the first hit */
#define EXCERPT_BEFORE 200
#define DIM "\033[2m"			/* ECMA-48 8.3.117: SGR */
#define BOLD "\033[1m"
#define MARKED "\033[1;4m"		/* bold and underlined */
#define PLAIN "\033[0m"

struct print {
	const struct client_search *q;
	struct buf out;
	bool color;
};

/* The words of the command line, one space between them. */
static enum err
join_words(const struct args *a, struct buf *out)
{
	for (size_t i = 0; i < a->operand_n; i++) {
		if (i > 0)
			TRY(buf_add_str(out, " "));
		TRY(buf_add_str(out, a->operand[i]));
	}
	return OK;
}

static enum err
add_styled(struct print *p, const char *style, struct span text)
{
	if (p->color)
		TRY(buf_add_str(&p->out, style));
	TRY(clean_text(text, 4, 4, 0, &p->out));
	return p->color ? buf_add_str(&p->out, PLAIN) : OK;
}

/* Where the shown part begins and ends: whole characters, whole when short. */
static struct span
excerpt(struct span text, const struct client_range *r, size_t n,
    size_t *from_out)
{
	size_t from = 0, end = text.n;

	*from_out = 0;
	if (text.n <= EXCERPT_BYTES)
		return text;
	if (n > 0 && r[0].from > EXCERPT_BEFORE)
		from = r[0].from - EXCERPT_BEFORE;
	while (from > 0 && (text.p[from] & 0xc0) == 0x80)
		from--;
	if (end - from > EXCERPT_BYTES)
		end = from + EXCERPT_BYTES;
	while (end < text.n && (text.p[end] & 0xc0) == 0x80)
		end++;
	*from_out = from;
	return span_sub(text, from, end - from);
}

static enum err
add_text(struct print *p, struct span text)
{
	struct client_range r[RANGES_MAX];
	size_t n = client_search_ranges(p->q, text, r, RANGES_MAX), from, at;
	struct span shown = excerpt(text, r, n, &from);

	if (from > 0)
		TRY(buf_add_str(&p->out, "... "));
	at = from;
	for (size_t i = 0; i < n && r[i].from + r[i].n <= from + shown.n;
	    i++) {
		if (r[i].from < at)
			continue;
		TRY(clean_text(span_sub(text, at, r[i].from - at), 4, 4, 0,
		    &p->out));
		TRY(add_styled(p, MARKED, span_sub(text, r[i].from, r[i].n)));
		at = r[i].from + r[i].n;
	}
	TRY(clean_text(span_sub(text, at, from + shown.n - at), 4, 4, 0,
	    &p->out));
	return from + shown.n < text.n ? buf_add_str(&p->out, " ...") : OK;
}

/* The other person of the chat that the message is in. */
static void
other_name(struct host *h, const struct chat_id *chat,
    char out[static HOST_NAME_MAX + 1], struct user_id *user_out)
{
	struct arena_mark m = arena_mark(&h->query);
	struct client_person p;

	/* Before the server knows a chat it has its person's id. */
	memcpy(user_out->b, chat->b, ID_LEN);
	if (client_person_by_chat(&h->client, &h->query, chat, &p) == OK)
		*user_out = p.user;
	arena_reset(&h->query, m);
	show_name(h, user_out, out);
}

static enum err
print_line(struct host *h, struct print *p, const struct client_item *it)
{
	char name[HOST_NAME_MAX + 1], with[HOST_NAME_MAX + 1];
	char time[SHOW_TIME_LEN];
	struct user_id user;

	other_name(h, &it->chat, with, &user);
	show_name(h, &it->sender, name);
	show_time(it->server_ms != 0 ? it->server_ms : it->sender_ms, false,
	    time);
	TRY(add_styled(p, DIM, span_str(time)));
	TRY(buf_add_str(&p->out, " "));
	if (strcmp(with, name) != 0) {
		TRY(buf_add_str(&p->out, "to "));
		TRY(add_styled(p, BOLD, span_str(with)));
	} else {
		TRY(add_styled(p, BOLD, span_str(name)));
	}
	TRY(buf_add_str(&p->out, ": "));
	TRY(add_text(p, it->text));
	return show_line(&p->out);
}

static enum err
print_json(struct host *h, struct print *p, const struct client_item *it)
{
	char with[HOST_NAME_MAX + 1], number[48];
	struct client_range r[RANGES_MAX];
	struct user_id user;
	size_t n = client_search_ranges(p->q, it->text, r, RANGES_MAX);

	other_name(h, &it->chat, with, &user);
	TRY(show_item_json(h, it, &p->out));
	p->out.n--;			/* its closing brace */
	TRY(show_json_str(&p->out, "with", span_str(with)));
	TRY(show_json_id(&p->out, "withId", user.b));
	TRY(show_json_name(&p->out, "matches"));
	TRY(buf_add_str(&p->out, "["));
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(number, sizeof(number), "%s[%zu,%zu]",
		    i > 0 ? "," : "", r[i].from, r[i].n);
		TRY(buf_add_str(&p->out, number));
	}
	TRY(buf_add_str(&p->out, "]}"));
	return show_line(&p->out);
}

/* Pages until there are `limit` hits; *n_out of them were printed. */
static enum err
print_hits(struct host *h, struct print *p, size_t limit, size_t *n_out,
    bool *partial_out)
{
	struct client_search_at at = { .set = false };
	struct client_item items[PAGE];
	size_t n;
	enum err e = OK;

	while (e == OK && !at.end && *n_out < limit) {
		struct arena_mark m = arena_mark(&h->query);
		size_t cap = limit - *n_out < PAGE ? limit - *n_out : PAGE;

		e = client_search_next(&h->client, &h->query, p->q, &at,
		    items, cap, &n);
		for (size_t i = 0; e == OK && i < n; i++)
			e = h->args->json ? print_json(h, p, &items[i]) :
			    print_line(h, p, &items[i]);
		*n_out += n;
		arena_wipe(&h->query, m);
	}
	*partial_out = at.partial;
	return e;
}

/* Asked of any search: is all of the history in the index? */
static bool
is_indexed(struct host *h, const void *ctx)
{
	struct client_search q = { .words = SPAN("a") };
	struct client_search_at at = { .set = false };
	struct client_item item;
	size_t n;

	(void)ctx;
	if (host_read(h) != OK)
		return true;		/* the search itself says why */
	struct arena_mark m = arena_mark(&h->query);
	enum err e = client_search_next(&h->client, &h->query, &q, &at,
	    &item, 1, &n);
	arena_wipe(&h->query, m);
	host_read_end(h);
	return e != OK || !at.partial;
}

/* A history of before there was an index is indexed first, once. */
static enum exit_status
index_all(struct host *h)
{
	if (h->args->offline || is_indexed(h, NULL))
		return EXIT_OK;
	host_debug(h, "the history is being indexed");
	return host_wait(h, is_indexed, NULL, host_timeout(h));
}

static enum exit_status
search(struct host *h, const struct client_search *q, size_t limit)
{
	struct print p = { .q = q, .color = tty_columns() > 0 &&
	    tty_has_color() };
	bool partial = false;
	size_t n = 0;
	enum err e = host_read(h);

	if (e == OK) {
		buf_init(&p.out, (size_t)1 << 20);
		e = print_hits(h, &p, limit, &n, &partial);
		buf_fini(&p.out);
		host_read_end(h);
	}
	if (e == ERR_VALIDATION) {
		host_error(h, "give one to %u words, at most %u bytes in all",
		    CLIENT_WORDS_MAX, CLIENT_WORDS_LEN_MAX);
		return EXIT_USAGE;
	}
	if (e != OK) {
		host_error(h, "the history cannot be searched or printed (%s)",
		    err_text(e));
		return EXIT_FAILED;
	}
	if (partial)
		host_note(h, "older messages are not indexed yet: run this "
		    "without --offline");
	if (n == 0)
		host_note(h, "nothing was found");
	return EXIT_OK;
}

enum exit_status
cmd_search(struct host *h, const struct args *a)
{
	struct client_search q = { .words = { NULL, 0 } };
	struct client_person with;
	unsigned long limit = LIMIT_DEFAULT;
	struct buf words;
	enum exit_status st = host_open_reader(h, a, NULL);

	if (a->limit != NULL)
		(void)args_number(a->limit, 1, 100000, &limit);
	if (st == EXIT_OK && a->with != NULL) {
		st = host_find(h, a->with, &with);
		if (st == EXIT_OK && !ID_IS_ZERO(with.chat))
			q.chat = with.chat;
		else if (st == EXIT_OK)
			memcpy(q.chat.b, with.user.b, ID_LEN);
	}
	if (st == EXIT_OK)
		st = index_all(h);
	if (st != EXIT_OK)
		return st;
	buf_init(&words, 4096);
	if (join_words(a, &words) != OK)
		st = EXIT_USAGE;
	q.words = buf_span(&words);
	if (st == EXIT_OK)
		st = search(h, &q, limit);
	buf_fini(&words);
	return st;
}
