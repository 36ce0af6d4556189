/*
 * show_about.c: exports show_about_*, show_causes, show_causes_json; see
 * show_about.h.
 */
#include "cli/show_about.h"

#include "cli/clean.h"
#include "cli/pick.h"
#include "cli/show.h"

#define PREVIEW_MAX 40u		/* bytes of what is answered */

static bool
has_reply(const struct client_item *it)
{
	return it->kind == ITEM_TEXT && !ID_IS_ZERO(it->reply_to.event);
}

/* The first bytes of a text, on one line, without half a character. */
static enum err
put_preview(struct span text, struct buf *out)
{
	struct span cut = span_sub(text, 0, PREVIEW_MAX);
	while (cut.n > 0 && cut.n < text.n && (text.p[cut.n] & 0xc0) == 0x80)
		cut.n--;
	TRY(clean_line(cut, out));
	return cut.n < text.n ? buf_add_str(out, "...") : OK;
}

static enum err
put_id(const struct event_id *id, struct buf *out)
{
	char text[PICK_ID_LEN + 1];
	pick_id(id, text);
	TRY(buf_add_str(out, "["));
	TRY(buf_add_str(out, text));
	return buf_add_str(out, "] ");
}

enum err
show_about_before(struct host *h, const struct client_item *it,
    struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	struct client_item to;
	if (h->args->ids && it->sub != 0)
		TRY(put_id(&it->event, out));
	if (!has_reply(it))
		return OK;
	show_name(h, &it->reply_to.sender, name);
	TRY(buf_add_str(out, "(answers "));
	TRY(buf_add_str(out, name));
	TRY(host_read(h));
	enum err e = client_item(&h->client, &h->query, &it->reply_to.sender,
	    &it->reply_to.event, &to);
	if (e == OK && to.kind == ITEM_TEXT) {
		e = buf_add_str(out, ": ");
		if (e == OK)
			e = put_preview(to.text, out);
	}
	host_read_end(h);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return buf_add_str(out, ") ");
}

static enum err
put_reactions(struct host *h, const struct client_item *it, bool json,
    struct buf *out)
{
	struct client_ref ref = { it->sender, it->event };
	struct user_id after = { .b = { 0 } };
	struct client_reaction r;
	char name[HOST_NAME_MAX + 1];
	enum err e;
	TRY(host_read(h));
	while ((e = client_reaction_next(&h->client, &h->query, &ref, &after,
	    &r)) == OK) {
		show_name(h, &r.user, name);
		if (json) {
			if (out->p[out->n - 1] == '}')
				e = buf_add_str(out, ",");
			if (e == OK)
				e = buf_add_str(out, "{");
			if (e == OK)
				e = show_json_str(out, "from",
				    span_str(name));
			if (e == OK)
				e = show_json_str(out, "text", r.text);
			if (e == OK)
				e = buf_add_str(out, "}");
		} else {
			e = buf_add_str(out, " [");
			if (e == OK)
				e = clean_line(r.text, out);
			if (e == OK)
				e = buf_add_str(out, " ");
			if (e == OK)
				e = buf_add_str(out, name);
			if (e == OK)
				e = buf_add_str(out, "]");
		}
		if (e != OK)
			break;
	}
	host_read_end(h);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
show_about_after(struct host *h, const struct client_item *it,
    struct buf *out)
{
	char text[64];
	if (it->kind != ITEM_TEXT)
		return OK;
	TRY(buf_add_str(out, it->edit_number != 0 ? " (edited)" : ""));
	TRY(buf_add_str(out, it->flags & ITEM_CHANGING ?
	    " (being edited)" : ""));
	TRY(buf_add_str(out, it->flags & ITEM_OTHER_HISTORY ?
	    " (edited from a text that was not seen here)" : ""));
	TRY(buf_add_str(out, it->flags & ITEM_PINNED ? " (pinned)" : ""));
	TRY(buf_add_str(out, it->flags & ITEM_SERVER_REMOVED ?
	    " (the server removed it)" : ""));
	if (it->expire_s != 0) {
		snprintf(text, sizeof(text), " (disappears after %us)",
		    (unsigned)it->expire_s);
		TRY(buf_add_str(out, text));
	}
	return put_reactions(h, it, false, out);
}

static enum err
put_mentions(struct host *h, const struct client_item *it, struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	struct user_id user;
	TRY(show_json_name(out, "mentions"));
	TRY(buf_add_str(out, "["));
	for (size_t at = 0; at + ID_LEN <= it->mentions.n; at += ID_LEN) {
		memcpy(user.b, it->mentions.p + at, ID_LEN);
		show_name(h, &user, name);
		TRY(buf_add_str(out, at == 0 ? "" : ","));
		TRY(show_json_text(span_str(name), out));
	}
	return buf_add_str(out, "]");
}

static enum err
put_text_json(struct host *h, const struct client_item *it, struct buf *out)
{
	if (has_reply(it)) {
		TRY(show_json_id(out, "replyTo", it->reply_to.event.b));
		TRY(show_json_id(out, "replyToSender",
		    it->reply_to.sender.b));
	}
	if (it->mentions.n != 0)
		TRY(put_mentions(h, it, out));
	if (it->edit_number != 0) {
		TRY(show_json_u64(out, "edit", it->edit_number));
		TRY(show_json_time(out, "editedTime", it->edited_ms));
	}
	if (it->flags & ITEM_CHANGING)
		TRY(show_json_bool(out, "changing", true));
	if (it->flags & ITEM_OTHER_HISTORY)
		TRY(show_json_bool(out, "otherHistory", true));
	if (it->flags & ITEM_PINNED)
		TRY(show_json_bool(out, "pinned", true));
	if (it->flags & ITEM_SERVER_REMOVED)
		TRY(show_json_bool(out, "serverRemoved", true));
	if (it->flags & ITEM_REPAIRED)
		TRY(show_json_bool(out, "repaired", true));
	TRY(show_json_name(out, "reactions"));
	TRY(buf_add_str(out, "["));
	TRY(put_reactions(h, it, true, out));
	return buf_add_str(out, "]");
}

enum err
show_about_json(struct host *h, const struct client_item *it,
    struct buf *out)
{
	char id[PICK_ID_LEN + 1];
	pick_id(&it->event, id);
	if (it->sub != 0)
		TRY(show_json_str(out, "id", span_str(id)));
	if (it->expire_s != 0 || it->kind == ITEM_TIMER)
		TRY(show_json_u64(out, "expiresIn", it->expire_s));
	TRY(show_json_time(out, "expiresTime", it->expires_at_ms));
	return it->kind == ITEM_TEXT ? put_text_json(h, it, out) : OK;
}

enum err
show_about_event(struct host *h, const struct client_show *s,
    struct buf *out)
{
	bool pin = s->type == SHOW_PIN;
	const struct client_ref *to = pin ? &s->u.pin.to : &s->u.reaction.to;
	char name[HOST_NAME_MAX + 1], id[PICK_ID_LEN + 1];
	show_name(h, pin ? &s->u.pin.user : &s->u.reaction.user, name);
	pick_id(&to->event, id);
	TRY(buf_add_str(out, "* "));
	TRY(buf_add_str(out, name));
	if (pin)
		TRY(buf_add_str(out, s->u.pin.on ? " pinned [" :
		    " unpinned ["));
	else if (s->u.reaction.text.n == 0)
		TRY(buf_add_str(out, " took a reaction back from ["));
	else
		TRY(buf_add_str(out, " reacted to ["));
	TRY(buf_add_str(out, id));
	TRY(buf_add_str(out, "]"));
	if (pin || s->u.reaction.text.n == 0)
		return OK;
	TRY(buf_add_str(out, ": "));
	return clean_line(s->u.reaction.text, out);
}

enum err
show_about_event_json(struct host *h, const struct client_show *s,
    struct buf *out)
{
	bool pin = s->type == SHOW_PIN;
	const struct client_ref *to = pin ? &s->u.pin.to : &s->u.reaction.to;
	char name[HOST_NAME_MAX + 1], id[PICK_ID_LEN + 1];
	show_name(h, pin ? &s->u.pin.user : &s->u.reaction.user, name);
	pick_id(&to->event, id);
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "type", pin ? SPAN("pin") : SPAN("reaction")));
	TRY(show_json_str(out, "from", span_str(name)));
	TRY(show_json_id(out, "chatId", pin ? s->u.pin.chat.b :
	    s->u.reaction.chat.b));
	TRY(show_json_str(out, "id", span_str(id)));
	TRY(show_json_id(out, "clientMessageId", to->event.b));
	if (pin)
		TRY(show_json_bool(out, "on", s->u.pin.on));
	else
		TRY(show_json_str(out, "text", s->u.reaction.text));
	TRY(show_json_time(out, "time", pin ? s->u.pin.time_ms :
	    s->u.reaction.time_ms));
	return buf_add_str(out, "}");
}

static enum err
put_cause(const struct client_cause *c, bool json, struct buf *out)
{
	char name[64], line[96];
	snprintf(name, sizeof(name), "%.*s", (int)c->name.n,
	    (const char *)c->name.p);
	if (json)
		return show_json_u64(out, name, c->n);
	snprintf(line, sizeof(line), "\n  %-24s %llu", name,
	    (unsigned long long)c->n);
	return buf_add_str(out, line);
}

static enum err
put_causes(struct host *h, bool json, struct buf *out)
{
	struct span after = { NULL, 0 };
	struct client_cause c;
	enum err e;
	TRY(host_read(h));
	while ((e = client_cause_next(&h->client, &h->query, &after, &c)) ==
	    OK) {
		e = put_cause(&c, json, out);
		if (e != OK)
			break;
	}
	host_read_end(h);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
show_causes_json(struct host *h, struct buf *out)
{
	TRY(show_json_name(out, "causes"));
	TRY(buf_add_str(out, "{"));
	TRY(put_causes(h, true, out));
	return buf_add_str(out, "}");
}

enum err
show_causes(struct host *h, struct buf *out)
{
	return put_causes(h, false, out);
}
