/*
 * linkrec.c: record and words of a linking. A version octet, then one layout.
 */
#include "client/linkrec.h"

#define LINKREC_VERSION 1
#define LINKREC_MAX 32768u

enum { FLAG_NEW = 1, FLAG_MANAGER = 2, FLAG_ALL = 4, FLAG_NO_HISTORY = 8,
	FLAG_POSTED = 16, FLAG_SECRET = 32, FLAG_ARCHIVE = 64 };

void
linkrec_wipe(struct linkrec *l)
{
	wipe(l, sizeof(*l));
}

bool
linkrec_is_over(const struct linkrec *l)
{
	return l->state == LINK_NONE || l->state >= LINK_DONE;
}

static uint8_t
linkrec_flags(const struct linkrec *l)
{
	return (uint8_t)((l->is_new ? FLAG_NEW : 0) |
	    (l->manager ? FLAG_MANAGER : 0) | (l->all ? FLAG_ALL : 0) |
	    (l->no_history ? FLAG_NO_HISTORY : 0) |
	    (l->posted ? FLAG_POSTED : 0) |
	    (l->has_secret ? FLAG_SECRET : 0) |
	    (l->has_archive ? FLAG_ARCHIVE : 0));
}

enum err
linkrec_save(struct step *s, const struct linkrec *l)
{
	uint8_t core[LINKING_STATE_MAX];
	struct wr w, c = wr_init(core, sizeof(core));
	enum err err = OK;

	if (l->core.step != LINKING_NONE)
		err = linking_encode(&l->core, &c);
	TRY(step_wr(s, LINKREC_MAX, &w));
	wr_u8(&w, LINKREC_VERSION);
	wr_u8(&w, (uint8_t)l->state);
	wr_u8(&w, linkrec_flags(l));
	wr_u64(&w, l->since_ms);
	wr_u64(&w, l->expires_ms);
	wr_bytes(&w, l->mailbox.b, ID_LEN);
	wr_bytes(&w, l->hash, sizeof(l->hash));
	wr_bytes(&w, l->secret, sizeof(l->secret));
	wr_u32(&w, l->device);
	wr_bytes(&w, l->archive.b, ID_LEN);
	wr_bytes(&w, l->archive_key, sizeof(l->archive_key));
	wr_bytes(&w, l->user.b, ID_LEN);
	wr_vec16(&w, l->device_name);
	wr_vec16(&w, l->user_name);
	wr_vec16(&w, l->access);
	wr_vec16(&w, l->refresh);
	wr_vec16(&w, l->facts);
	wr_vec16(&w, l->sent);
	wr_vec16(&w, l->cert);
	wr_vec16(&w, wr_done(&c));
	wipe(core, sizeof(core));
	TRY(err);
	if (!wr_ok(&w))
		return ERR_SPACE;
	s->c->dirty = true;
	return rec_put(&s->r, REC_LINKING, (struct span){ NULL, 0 },
	    wr_done(&w));
}

static struct span
linkrec_decode(struct rd *r, struct linkrec *l)
{
	uint8_t flags;

	l->state = (enum client_linking_state)rd_u8(r);
	flags = rd_u8(r);
	l->is_new = flags & FLAG_NEW;
	l->manager = flags & FLAG_MANAGER;
	l->all = flags & FLAG_ALL;
	l->no_history = flags & FLAG_NO_HISTORY;
	l->posted = flags & FLAG_POSTED;
	l->has_secret = flags & FLAG_SECRET;
	l->has_archive = flags & FLAG_ARCHIVE;
	l->since_ms = rd_u64(r);
	l->expires_ms = rd_u64(r);
	rd_bytes(r, l->mailbox.b, ID_LEN);
	rd_bytes(r, l->hash, sizeof(l->hash));
	rd_bytes(r, l->secret, sizeof(l->secret));
	l->device = rd_u32(r);
	rd_bytes(r, l->archive.b, ID_LEN);
	rd_bytes(r, l->archive_key, sizeof(l->archive_key));
	rd_bytes(r, l->user.b, ID_LEN);
	l->device_name = rd_vec16(r);
	l->user_name = rd_vec16(r);
	l->access = rd_vec16(r);
	l->refresh = rd_vec16(r);
	l->facts = rd_vec16(r);
	l->sent = rd_vec16(r);
	l->cert = rd_vec16(r);
	return rd_vec16(r);
}

enum err
linkrec_load(struct step *s, struct linkrec *out)
{
	struct span value, core;
	struct rd r;
	uint8_t version;

	*out = (struct linkrec){ .state = LINK_NONE };
	TRY(rec_get(&s->r, REC_LINKING, (struct span){ NULL, 0 }, &value));
	r = rd_init(value);
	version = rd_u8(&r);
	if (version != LINKREC_VERSION)
		return ERR_VERSION;
	core = linkrec_decode(&r, out);
	if (!rd_done(&r))
		return ERR_FORMAT;
	return core.n == 0 ? OK : linking_decode(core, &out->core);
}

enum err
linkrec_path(struct step *s, const struct linkrec *l, const char *tail,
    struct span *out)
{
	return call_path(s, "/api/link/", l->mailbox.b, tail, out);
}

/* At the end nothing secret stays here, and nothing at the server. */
static enum err
linkrec_clear(struct step *s, struct linkrec *l)
{
	struct span none = { NULL, 0 };
	struct call_new n = { .what = CALL_LINK_DROP, .method = "DELETE" };
	bool made;

	memcpy(n.chat.b, l->mailbox.b, ID_LEN);
	/* What is not dropped now expires by itself. */
	if (!l->is_new && l->state != LINK_DONE &&
	    !ID_IS_ZERO(l->mailbox)) {
		TRY(linkrec_path(s, l, "", &n.path));
		TRY(call_make(s, &n, &made));
	}
	linking_wipe(&l->core);
	wipe(l->secret, sizeof(l->secret));
	wipe(l->archive_key, sizeof(l->archive_key));
	l->has_secret = false;
	l->access = l->refresh = l->facts = l->sent = l->cert = none;
	return OK;
}

enum err
linkrec_go(struct step *s, struct linkrec *l, enum client_linking_state state)
{
	struct client_show *show;

	l->state = state;
	l->since_ms = s->now;
	l->posted = false;
	s->c->poll_at_ms = 0;
	if (linkrec_is_over(l))
		TRY(linkrec_clear(s, l));
	TRY(linkrec_save(s, l));
	show = step_show(s, SHOW_LINKING, 0);
	if (show == NULL)
		return ERR_TOO_LARGE;
	return linkrec_view(s, l, &show->u.linking);
}

enum err
linkrec_view(struct step *s, const struct linkrec *l,
    struct client_linking *out)
{
	char text[LINKING_TEXT_LEN + 1];

	*out = (struct client_linking){ .state = l->state,
	    .is_new = l->is_new, .manager = l->manager, .user = l->user,
	    .expires_ms = l->expires_ms };
	TRY(arena_dup(s->a, l->device_name, &out->device_name));
	TRY(arena_dup(s->a, l->user_name, &out->user_name));
	if (!l->is_new)
		return OK;
	if (l->state == LINK_WAITS && l->has_secret) {
		TRY(linking_text(s->pv, &l->core, text));
		return arena_dup(s->a, span_str(text), &out->text);
	}
	if (l->state == LINK_CODE)
		linking_code(&l->core, out->code);
	return OK;
}

bool
linkrec_may_poll(struct step *s)
{
	if (s->now >= s->c->poll_at_ms)
		return true;
	step_wake(s, s->c->poll_at_ms);
	return false;
}

void
linkrec_again(struct step *s)
{
	s->c->poll_at_ms = s->now + LINKREC_POLL_MS;
}
