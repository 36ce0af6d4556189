/*
 * there.c: see there.h.
 */
#include "cli/there.h"

#include "wire/shapes.h"

#define ANSWER_ARENA ((size_t)4 << 20)
#define TOKEN_MAX 8192

/* The data of an answer, by its shape, in the arena. */
static bool
decode(struct span body, const struct shape *shape, void *rep, struct arena *a)
{
	struct success_rep all = { 0 };
	return shape_decode(&shape_success_rep, body, a, &all, NULL) == OK &&
	    all.success && all.has_data &&
	    shape_decode(shape, all.data, a, rep, NULL) == OK;
}

/* GET with the account's token; the status, 0 where there is none. */
static enum exit_status
get(struct host *h, const char *path, uint32_t *status_out, struct buf *body)
{
	struct span access = { NULL, 0 }, refresh, none = { NULL, 0 };
	struct buf token;
	enum exit_status st = EXIT_OK;
	*status_out = 0;
	buf_init(&token, TOKEN_MAX);
	enum err e = host_read(h);
	if (e == OK) {
		e = client_tokens(&h->client, &h->query, &access, &refresh);
		if (e == OK)
			e = buf_add_span(&token, access);
		host_read_end(h);
	}
	if (e == OK)
		st = host_call(h, "GET", span_str(path), buf_span(&token),
		    none, status_out, body);
	if (token.p != NULL)
		wipe(token.p, token.n);
	buf_fini(&token);
	return st;
}

static void
keep_status(char *out, size_t cap, enum presence_status status)
{
	snprintf(out, cap, "%s", shape_name(&shape_names_presence_status,
	    (uint32_t)status));
}

static void
take_user(struct span body, struct arena *a, struct there_seen *out)
{
	struct user_get_rep user;
	if (!decode(body, &shape_user_get_rep, &user, a))
		return;
	out->known = true;
	keep_status(out->status, sizeof(out->status), user.status);
	out->seen_ms = user.has_last_seen ? user.last_seen : 0;
}

static void
take_all(struct span body, struct arena *a, struct there *out)
{
	struct bootstrap_rep all;
	if (!decode(body, &shape_bootstrap_rep, &all, a))
		return;
	out->p = calloc(all.presence.n + 1, sizeof(*out->p));
	if (out->p == NULL)
		return;
	out->known = true;
	for (; out->n < all.presence.n; out->n++) {
		struct there_one *one = &out->p[out->n];
		one->user = all.presence.p[out->n].user_id;
		keep_status(one->status, sizeof(one->status),
		    all.presence.p[out->n].status);
	}
}

/* One of the two; the other is NULL. */
static enum exit_status
ask(struct host *h, const char *path, struct there_seen *one,
    struct there *all)
{
	struct arena a;
	struct buf body;
	uint32_t status;
	void *mem = calloc(1, ANSWER_ARENA);
	buf_init(&body, REMOTE_ANSWER_MAX);
	enum exit_status st = get(h, path, &status, &body);
	arena_init(&a, mem, mem != NULL ? ANSWER_ARENA : 0);
	if (st == EXIT_OK && status == 200 && one != NULL)
		take_user(buf_span(&body), &a, one);
	else if (st == EXIT_OK && status == 200)
		take_all(buf_span(&body), &a, all);
	buf_fini(&body);
	free(mem);
	return st;
}

enum exit_status
there_ask(struct host *h, const struct user_id *user, struct there_seen *out)
{
	char path[64], id[ID_TEXT_LEN + 1];
	*out = (struct there_seen){ .known = false };
	id_encode(user->b, id);
	snprintf(path, sizeof(path), "/api/users/%s", id);
	return ask(h, path, out, NULL);
}

enum exit_status
there_load(struct host *h, struct there *out)
{
	*out = (struct there){ .known = false };
	/* Of the chats themselves as little as it gives. */
	return ask(h, "/api/bootstrap?chats=1&messages=1", NULL, out);
}

void
there_fini(struct there *t)
{
	free(t->p);
	*t = (struct there){ .known = false };
}

const char *
there_status(const struct there *t, const struct user_id *user)
{
	for (size_t i = 0; i < t->n; i++)
		if (ID_EQ(t->p[i].user, *user))
			return t->p[i].status;
	return t->known ? "offline" : NULL;
}
