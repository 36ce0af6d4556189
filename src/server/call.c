/*
 * call.c: what the steps of operations may ask of their call (call.h).
 */
#include "server/call.h"

#include <assert.h>

#include "base/sys.h"
#include "server/data.h"
#include "server/frame.h"

enum err
call_invalid(struct call *c, const char *field, const char *message)
{
	shape_error_add(&frame_of(c)->faults, field, message);
	return ERR_VALIDATION;
}

enum err
call_fail(struct call *c, enum err e, const char *message)
{
	frame_of(c)->message = message;
	return e;
}

enum err
call_conflict(struct call *c, enum err e, struct span details_json)
{
	frame_of(c)->details = details_json;
	return e;
}

void
call_retry_after(struct call *c, uint32_t seconds)
{
	frame_of(c)->retry_s = seconds;
}

void
call_status(struct call *c, unsigned status)
{
	assert(status != 201 || c->op->creates != CREATES_NEVER);
	frame_of(c)->status = status;
}

void
call_key(struct call *c, const uint8_t id[static ID_LEN])
{
	memcpy(c->key, id, ID_LEN);
}

struct span
call_text(struct call *c, const char *s)
{
	struct span out;

	if (arena_dup(&c->arena, span_str(s), &out) != OK)
		return SPAN("");
	return out;
}

void
call_new_id(struct call *c, uint8_t out[static ID_LEN])
{
	uint8_t rnd[10];

	sys_random(rnd, sizeof(rnd));
	id_v7(out, c->now_ms, rnd);
}

void
call_reply_raw(struct call *c, const char *content_type, struct span body)
{
	frame_of(c)->raw_type = content_type;
	frame_of(c)->raw_body = body;
}

void
call_reply_page(struct call *c, enum call_page page)
{
	struct frame *f = frame_of(c);

	f->page = &f->home->server->pages[page];
	if (pages_is_known(f->page, f->none_match))
		f->status = 304;
}

void
call_session_device(struct call *c, const struct session_id *session,
    uint32_t device)
{
	struct frame *f = frame_of(c);

	assert(f->after_emit == NULL);
	f->after_emit = socket_set_device;
	f->sessions = session;
	f->sessions_n = 1;
	f->sessions_user = c->who.user;
	f->sessions_device = device;
}

void
call_sessions_end(struct call *c, const struct user_id *user,
    const struct session_id *sessions, size_t n, const char *reason)
{
	struct frame *f = frame_of(c);

	if (n == 0)
		return;
	assert(f->after_emit == NULL);
	f->after_emit = socket_end_sessions;
	f->sessions = sessions;
	f->sessions_n = n;
	f->sessions_user = *user;
	f->sessions_reason = reason;
}

void
call_presence(struct call *c, bool is_away)
{
	struct frame *f = frame_of(c);

	f->has_presence = true;
	f->is_away = is_away;
}

void
call_tell_presence(struct call *c, const struct presence_state *s)
{
	frame_of(c)->view = s;
}

enum presence_status
call_presence_of(struct call *c, const struct user_id *user)
{
	static const enum presence_status names[] = {
		[DIRECTORY_OFFLINE] = PRESENCE_OFFLINE,
		[DIRECTORY_AWAY] = PRESENCE_AWAY,
		[DIRECTORY_ONLINE] = PRESENCE_ONLINE,
	};
	struct frame *f = frame_of(c);

	assert(reactor_self() == f->at->reactor);
	return names[directory_state(&f->at->directory, user)];
}

void
call_follow(struct call *c, const struct op *op, call_fill_fn fill,
    const void *arg)
{
	struct frame *f = frame_of(c);

	f->follow = op;
	f->follow_fill = fill;
	f->follow_arg = arg;
}

void
call_again(struct call *c)
{
	frame_of(c)->again = true;
}

const struct audit_key *
call_audit_key(struct call *c)
{
	return &frame_of(c)->home->server->audit;
}

const uint8_t *
call_account_key(struct call *c)
{
	return frame_of(c)->home->server->data->account_key;
}

enum err
call_data_file(struct call *c, const char *name, char *out, size_t n)
{
	struct wr w = wr_init(out, n);

	wr_str(&w, frame_of(c)->home->server->data->path);
	wr_u8(&w, '/');
	wr_str(&w, name);
	wr_u8(&w, '\0');
	return wr_ok(&w) ? OK : ERR_SPACE;
}

enum err
call_room(struct call *c)
{
	uint64_t reserve = (uint64_t)c->conf->store_reserve << 20, left;

	if (reserve == 0 || sys_disk_free(frame_of(c)->home->server->data->path,
	    &left) != OK || left >= reserve)
		return OK;
	return call_fail(c, ERR_UNAVAILABLE,
	    "The server's disk is nearly full: this has to wait");
}

enum err
call_spool(struct call *c, int *fd_out)
{
	struct frame *f = frame_of(c);

	if (f->file_fd < 0)
		TRY(sys_spool_open(f->home->server->data->path, &f->file_fd));
	*fd_out = f->file_fd;
	return OK;
}

void
call_reply_file(struct call *c, uint64_t n, const char *content_type,
    const char *name)
{
	struct frame *f = frame_of(c);

	assert(f->file_fd >= 0);
	f->file_n = n;
	f->file_name = name;
	f->raw_type = content_type;
}

enum err
call_refuse_after(struct call *c, enum err e)
{
	frame_of(c)->late = e;
	return OK;
}

struct span
call_address(struct call *c)
{
	struct sys_addr addr = frame_of(c)->addr;
	char text[SYS_ADDR_TEXT];

	if (strcmp(c->conf->log_ip, "off") == 0)
		return SPAN("");
	if (strcmp(c->conf->log_ip, "truncated") == 0) {
		/* An IPv4 /24, an IPv6 /48. */
		if (sys_addr_is_v4(&addr))
			addr.ip[15] = 0;
		else
			memset(addr.ip + 6, 0, 10);
	}
	sys_addr_text(&addr, text);
	return call_text(c, text);
}

bool
call_is_local(struct call *c)
{
	static const uint8_t local6[16] = { [15] = 1 };
	const struct sys_addr *a = &frame_of(c)->addr;

	return sys_addr_is_v4(a) ? a->ip[12] == 127 :
	    memcmp(a->ip, local6, sizeof(local6)) == 0;
}

struct span
call_agent(struct call *c)
{
	return frame_of(c)->agent;
}

enum err
call_store_health(struct call *c)
{
	return store_health(frame_of(c)->home->server->store);
}

uint64_t
call_uptime_ms(struct call *c)
{
	uint64_t since = frame_of(c)->home->server->started_ms;

	return c->now_ms > since ? c->now_ms - since : 0;
}
