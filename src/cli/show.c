/*
 * show.c: see show.h.
 */
#include "cli/show.h"

#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/clean.h"
#include "cli/show_about.h"
#include "cli/tty.h"

#define DAY_MS (24ull * 3600 * 1000)

void
show_time(uint64_t unix_ms, bool seconds, char out[static SHOW_TIME_LEN])
{
	time_t t = (time_t)(unix_ms / 1000), now = (time_t)(sys_unix_ms() /
	    1000);
	struct tm tm, today;
	if (localtime_r(&t, &tm) == NULL || localtime_r(&now, &today) == NULL ||
	    tm.tm_year > 8000 || tm.tm_year < 0) {
		snprintf(out, SHOW_TIME_LEN, "--:--");
		return;
	}
	bool same = tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;
	strftime(out, SHOW_TIME_LEN, same ? seconds ? "%H:%M:%S" : "%H:%M" :
	    seconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm);
}

static void
keep_name(struct span name, char out[static HOST_NAME_MAX + 1])
{
	struct buf b;
	buf_init(&b, 1024);
	if (clean_line(span_sub(name, 0, HOST_NAME_MAX), &b) == OK)
		snprintf(out, HOST_NAME_MAX + 1, "%.*s", (int)b.n,
		    (const char *)b.p);
	buf_fini(&b);
}

void
show_name(struct host *h, const struct user_id *user,
    char out[static HOST_NAME_MAX + 1])
{
	struct client_person p;
	struct client_status st;
	char id[ID_TEXT_LEN + 1];
	id_encode(user->b, id);
	snprintf(out, HOST_NAME_MAX + 1, "?%.8s", id);
	if (host_read(h) != OK)
		return;
	struct arena_mark m = arena_mark(&h->query);
	if (client_status(&h->client, &h->query, &st) == OK &&
	    ID_EQ(st.user, *user) && st.name.n > 0)
		keep_name(st.name, out);
	else if (client_person(&h->client, &h->query, user, &p) == OK &&
	    p.name.n > 0)
		keep_name(p.name, out);
	arena_reset(&h->query, m);
	host_read_end(h);
}

/* ---- lines ---- */

/* What stands in place of a text that there is not. */
static const char *
absent_text(const struct client_item *it)
{
	switch (it->kind) {
	case ITEM_REFUSED:
		return "(a message was refused: it is damaged or not genuine)";
	case ITEM_GAP: return "(messages are missing here)";
	case ITEM_OTHER: return "(a message that this program cannot show)";
	case ITEM_REMOVED: return "(removed)";
	case ITEM_DELETED: return "(taken back)";
	case ITEM_TIMER: return it->expire_s != 0 ?
	    "(messages disappear from here on)" :
	    "(messages do not disappear any more)";
	case ITEM_HIDDEN: case ITEM_TEXT: default: return NULL;
	}
}

/* One sign on a terminal that has it, else words. */
static const char *
state_mark(const struct client_item *it, bool signs)
{
	switch (it->state) {
	case STATE_WAITING: return signs ? " \u2026" : " (waiting)";
	case STATE_FAILED: return " (NOT SENT)";
	case STATE_SENT:
		if (signs)
			return it->flags & ITEM_READ ? " \u25cf" :
			    it->flags & ITEM_DELIVERED ? " \u25d0" : " \u25cb";
		return it->flags & ITEM_READ ? " (read)" :
		    it->flags & ITEM_DELIVERED ? " (delivered)" : "";
	case STATE_RECEIVED: default: return "";
	}
}

#define DIM "\033[2m"		/* ECMA-48 8.3.117: SGR */
#define BOLD "\033[1m"
#define ALERT "\033[1;33m"

static enum err
put_styled(struct buf *out, const char *style, const char *text)
{
	if (style == NULL || *text == '\0')
		return buf_add_str(out, text);
	TRY(buf_add_str(out, style));
	TRY(buf_add_str(out, text));
	return buf_add_str(out, "\033[0m");
}

enum err
show_item(struct host *h, const struct client_item *it, size_t cols,
    struct buf *out)
{
	char name[HOST_NAME_MAX + 1], time[SHOW_TIME_LEN];
	const char *absent = absent_text(it);
	const char *late = it->flags & ITEM_LATE ? " (clock differs) " : " ";
	uint64_t at = it->server_ms != 0 ? it->server_ms : it->sender_ms;
	bool color = cols > 0 && tty_has_color();
	show_name(h, &it->sender, name);
	show_time(at, false, time);
	TRY(put_styled(out, color ? DIM : NULL, time));
	TRY(buf_add_str(out, late));
	TRY(put_styled(out, color && it->state == STATE_RECEIVED ? BOLD :
	    NULL, name));
	TRY(buf_add_str(out, ": "));
	size_t col = strlen(time) + strlen(late) + 2 +
	    clean_columns(span_str(name));
	TRY(show_about_before(h, it, out));
	/* Lines after the first stand below the text: none looks like ours. */
	if (absent != NULL)
		TRY(buf_add_str(out, absent));
	else
		TRY(clean_text(it->text, col, col, cols, out));
	if (it->kind == ITEM_REFUSED && it->cause != OK) {
		TRY(buf_add_str(out, " "));
		TRY(buf_add_str(out, err_text(it->cause)));
	}
	TRY(show_about_after(h, it, out));
	return put_styled(out, color ? DIM : NULL, state_mark(it, cols > 0 &&
	    tty_has_signs()));
}

static const char *
warning_text(enum client_warning_kind k)
{
	switch (k) {
	case WARN_VIEW_CONFLICT:
		return "the server shows two people different device lists of "
		    "one version: it may be lying";
	case WARN_STALE_LIST:
		return "the server gave an older device list than is known";
	case WARN_OLD_VIEW:
		return "the other side is shown old lists of your devices";
	case WARN_LIST_EXPIRED:
		return "nobody has signed this device list for a long time";
	case WARN_CLONE:
		return "somebody else speaks as this device: look at your "
		    "devices, and change your password";
	case WARN_ROLLBACK:
		return "this profile is older than it was (a restored copy?): "
		    "sessions are made anew";
	case WARN_REPAIR: return "a broken session is being replaced";
	case WARN_PREKEYS_DRAINED: return "the one-time keys ran out";
	case WARN_LIST_REFUSED:
		return "the server gave a device list that is not valid";
	default: return "something unusual happened";
	}
}

enum err
show_event(struct host *h, const struct client_show *s, struct buf *out)
{
	char name[HOST_NAME_MAX + 1] = "";
	if (s->type == SHOW_REACTION || s->type == SHOW_PIN)
		return show_about_event(h, s, out);
	const struct user_id *user = s->type == SHOW_WARNING ?
	    &s->u.warning.user : &s->u.person.user;
	if (!ID_IS_ZERO(*user))
		show_name(h, user, name);
	TRY(put_styled(out, s->type != SHOW_DEVICES && tty_columns() > 0 &&
	    tty_has_color() ? ALERT : NULL, s->type == SHOW_DEVICES ? "*" :
	    "!"));
	TRY(buf_add_str(out, " "));
	TRY(buf_add_str(out, name));
	TRY(buf_add_str(out, name[0] != '\0' ? ": " : ""));
	if (s->type == SHOW_DEVICES)
		return buf_add_str(out, "the list of devices has changed");
	if (s->type == SHOW_GONE)
		return buf_add_str(out, "the account was deleted. Nothing can "
		    "be sent there any more; what was said stays here");
	if (s->type == SHOW_WARNING)
		return buf_add_str(out, warning_text(s->u.warning.kind));
	if (s->type == SHOW_RENEWED)
		return buf_add_str(out, s->u.person.was_verified ? "the "
		    "account key was renewed, vouched for by the old one. The "
		    "person is not verified any more: compare the safety "
		    "number again (nightjar verify)" : "the account key was "
		    "renewed, vouched for by the old one");
	TRY(buf_add_str(out, "THE IDENTITY HAS CHANGED. Either the person "
	    "started over, or somebody stands between you. Compare the safety "
	    "number (nightjar verify)"));
	return s->u.person.blocked ? buf_add_str(out,
	    "; nothing is sent until you have confirmed it") : OK;
}

enum err
show_text(struct span text, struct buf *out)
{
	return clean_line(text, out);
}

/* ---- JSON ---- */

/* \uXXXX, as a pair above U+FFFF (RFC 8259 7). */
static enum err
put_escape(struct buf *out, uint32_t code)
{
	char text[16];
	if (code < 0x10000)
		snprintf(text, sizeof(text), "\\u%04x", (unsigned)code);
	else
		snprintf(text, sizeof(text), "\\u%04x\\u%04x",
		    (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
		    (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
	return buf_add_str(out, text);
}

enum err
show_json_text(struct span text, struct buf *out)
{
	TRY(buf_add_str(out, "\""));
	while (text.n > 0) {
		uint32_t code;
		size_t n = utf8_next(text, &code);
		if (code == '"' || code == '\\') {
			TRY(buf_add_str(out, "\\"));
			TRY(buf_add(out, text.p, 1));
		} else if (code == '\n') {
			TRY(buf_add_str(out, "\\n"));
		} else if (clean_code(code) != code) {
			TRY(put_escape(out, code));
		} else {
			uint8_t b[4];
			TRY(buf_add(out, b, utf8_put(code, b)));
		}
		text = span_sub(text, n, text.n - n);
	}
	return buf_add_str(out, "\"");
}

enum err
show_json_name(struct buf *out, const char *name)
{
	if (out->n > 0 && out->p[out->n - 1] != '{' &&
	    out->p[out->n - 1] != '[')
		TRY(buf_add_str(out, ","));
	TRY(buf_add_str(out, "\""));
	TRY(buf_add_str(out, name));
	return buf_add_str(out, "\":");
}

enum err
show_json_str(struct buf *out, const char *name, struct span text)
{
	TRY(show_json_name(out, name));
	return show_json_text(text, out);
}

enum err
show_json_id(struct buf *out, const char *name,
    const uint8_t id[static ID_LEN])
{
	char text[ID_TEXT_LEN + 1];
	id_encode(id, text);
	return id_is_zero(id) ? OK :
	    show_json_str(out, name, span_str(text));
}

enum err
show_json_u64(struct buf *out, const char *name, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	TRY(show_json_name(out, name));
	return buf_add_str(out, text);
}

enum err
show_json_bool(struct buf *out, const char *name, bool v)
{
	TRY(show_json_name(out, name));
	return buf_add_str(out, v ? "true" : "false");
}

enum err
show_json_time(struct buf *out, const char *name, uint64_t unix_ms)
{
	char text[TIME_TEXT_LEN + 1];
	if (unix_ms == 0)
		return OK;
	time_encode(unix_ms, text);
	return show_json_str(out, name, span_str(text));
}

static const char *
lower_name(enum err e, char out[static 32])
{
	const char *s = err_name(e);
	size_t n = 0;
	for (; s[n] != '\0' && n < 31; n++)
		out[n] = (char)(s[n] >= 'A' && s[n] <= 'Z' ?
		    s[n] + ('a' - 'A') : s[n]);
	out[n] = '\0';
	return out;
}

enum err
show_item_json(struct host *h, const struct client_item *it,
    struct buf *out)
{
	char name[HOST_NAME_MAX + 1], cause[32];
	show_name(h, &it->sender, name);
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "type", SPAN("message")));
	TRY(show_json_str(out, "kind",
	    span_str(client_item_kind_name(it->kind))));
	TRY(show_json_str(out, "state",
	    span_str(client_item_state_name(it->state))));
	TRY(show_json_str(out, "from", span_str(name)));
	TRY(show_json_id(out, "senderId", it->sender.b));
	TRY(show_json_u64(out, "senderDevice", it->device));
	TRY(show_json_id(out, "chatId", it->chat.b));
	TRY(show_json_id(out, "messageId", it->message.b));
	TRY(show_json_id(out, "clientMessageId", it->event.b));
	if (it->position != 0)
		TRY(show_json_u64(out, "position", it->position));
	TRY(show_json_time(out, "time", it->server_ms));
	TRY(show_json_time(out, "sentTime", it->sender_ms));
	TRY(show_json_bool(out, "delivered", it->flags & ITEM_DELIVERED));
	TRY(show_json_bool(out, "read", it->flags & ITEM_READ));
	if (it->flags & ITEM_ARCHIVED)
		TRY(show_json_str(out, "origin", SPAN("archive")));
	if (it->cause != OK)
		TRY(show_json_str(out, "cause",
		    span_str(lower_name(it->cause, cause))));
	if (it->kind == ITEM_GAP)
		TRY(show_json_u64(out, "missing", it->gap_n));
	if (it->kind == ITEM_TEXT)
		TRY(show_json_str(out, "text", it->text));
	TRY(show_about_json(h, it, out));
	return buf_add_str(out, "}");
}

enum err
show_event_json(struct host *h, const struct client_show *s,
    struct buf *out)
{
	char name[HOST_NAME_MAX + 1];
	const struct user_id *user = &s->u.person.user;
	const char *type = s->type == SHOW_DEVICES ? "devices" :
	    s->type == SHOW_IDENTITY ? "identity" :
	    s->type == SHOW_RENEWED ? "renewed" :
	    s->type == SHOW_GONE ? "gone" :
	    s->type == SHOW_MARK ? "mark" : "warning";
	if (s->type == SHOW_REACTION || s->type == SHOW_PIN)
		return show_about_event_json(h, s, out);
	if (s->type == SHOW_MARK)
		user = &s->u.mark.user;
	else if (s->type == SHOW_WARNING)
		user = &s->u.warning.user;
	TRY(buf_add_str(out, "{"));
	TRY(show_json_str(out, "type", span_str(type)));
	if (!ID_IS_ZERO(*user)) {
		show_name(h, user, name);
		TRY(show_json_str(out, "user", span_str(name)));
		TRY(show_json_id(out, "userId", user->b));
	}
	if (s->type == SHOW_MARK) {
		TRY(show_json_str(out, "kind", s->u.mark.kind == MARK_READ ?
		    SPAN("read") : SPAN("delivered")));
		TRY(show_json_id(out, "chatId", s->u.mark.chat.b));
		TRY(show_json_u64(out, "position", s->u.mark.position));
		TRY(show_json_time(out, "time", s->u.mark.time_ms));
	} else if (s->type == SHOW_WARNING) {
		TRY(show_json_str(out, "warning", span_str(
		    client_warning_name(s->u.warning.kind))));
	} else {
		TRY(show_json_u64(out, "listVersion", s->u.person.version));
		TRY(show_json_u64(out, "devices", s->u.person.devices));
		TRY(show_json_bool(out, "wasVerified",
		    s->u.person.was_verified));
		TRY(show_json_bool(out, "blocked", s->u.person.blocked));
	}
	return buf_add_str(out, "}");
}

enum err
show_line(struct buf *out)
{
	size_t at = 0;
	enum err e = buf_add_str(out, "\n");
	while (e == OK && at < out->n) {
		ssize_t n = write(STDOUT_FILENO, out->p + at, out->n - at);
		if (n < 0 && errno != EINTR)
			e = ERR_IO;
		else if (n > 0)
			at += (size_t)n;
	}
	if (out->p != NULL)
		wipe(out->p, out->n);
	buf_clear(out);
	return e;
}
