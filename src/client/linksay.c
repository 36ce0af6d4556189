/*
 * linksay.c: exports link_say, link_ack, link_read, link_typing, link_away:
 * what is said on the connection apart from messages.
 */
#include "client/link.h"

#include "client/setting.h"

#define RECEIVED_EVERY_MS 1000u
#define TYPING_EVERY_MS 3000u

/*
 * message:received: at most once a second, and only what is complete. The
 * generation is what is durable now: this step may store nothing, and one
 * that was told too high would look like a rollback later.
 */
static enum err
link_say_received(struct step *s)
{
	struct msg_received_req req = { .position = s->m.applied,
	    .has_generation = true, .generation = s->m.generation };
	struct client *c = s->c;
	struct span json;

	if (!c->acknowledged || s->m.applied <= c->received ||
	    s->m.inbox_n != 0)
		return OK;
	if (s->now < c->received_at_ms) {
		step_wake(s, c->received_at_ms);
		return OK;
	}
	c->received = s->m.applied;
	c->received_at_ms = s->now + RECEIVED_EVERY_MS;
	TRY(step_json(s, &shape_msg_received_req, &req, &json));
	return step_emit(s, "message:received", json, NULL);
}

/* Where a mark is put down while it is said; NULL: it is, or all are taken. */
static struct client_say *
link_say_slot(struct client *c, const struct chat_id *chat)
{
	struct client_say *slot = NULL;
	size_t i;

	for (i = 0; i < CLIENT_READS_MAX; i++) {
		if (c->says[i].ack == 0)
			slot = &c->says[i];
		else if (ID_EQ(c->says[i].chat, *chat))
			return NULL;
	}
	return slot;
}

/* What the person has read, as far as the server has not heard of it. */
static enum err
link_say_read(struct step *s)
{
	struct span key = { NULL, 0 }, value, json;
	struct msg_read_req req = { .has_chat_id = true,
	    .has_position = true };
	struct client_say *say;
	struct chat c;
	struct rd r;
	enum err err;

	if (!s->c->acknowledged)
		return OK;
	while ((err = rec_seek(&s->r, REC_CHAT, (struct span){ NULL, 0 }, key,
	    false, &key, &value)) == OK) {
		r = rd_init(key);
		rd_bytes(&r, req.chat_id.b, ID_LEN);
		TRY(person_chat(s, &req.chat_id, &c));
		TRY(item_marked(s, &c.id, &s->m.user, MARK_READ,
		    &req.position));
		say = link_say_slot(s->c, &c.id);
		if (req.position <= c.said_read || say == NULL)
			continue;
		say->chat = c.id;
		say->position = req.position;
		TRY(step_json(s, &shape_msg_read_req, &req, &json));
		TRY(step_emit(s, "message:read", json, &say->ack));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
link_ack(struct step *s, uint32_t ack, bool *mine)
{
	struct client_say *say = NULL;
	struct chat c;
	enum err err;
	size_t i;

	for (i = 0; i < CLIENT_READS_MAX && ack != 0; i++)
		if (s->c->says[i].ack == ack)
			say = &s->c->says[i];
	*mine = say != NULL;
	if (say == NULL)
		return OK;
	err = person_chat(s, &say->chat, &c);
	say->ack = 0;
	if (err != OK || say->position <= c.said_read)
		return err == ERR_NOT_FOUND ? OK : err;
	c.said_read = say->position;
	return person_save_chat(s, &c);
}

enum err
link_say(struct step *s)
{
	TRY(link_say_received(s));
	return link_say_read(s);
}

enum err
link_read(struct step *s, const struct client_input *in)
{
	struct client_mark mark = { .chat = in->u.read.chat,
	    .user = s->m.user, .kind = MARK_READ,
	    .position = in->u.read.position, .time_ms = s->now };
	struct chat c;
	enum err err = person_chat(s, &mark.chat, &c);

	if (err == ERR_NOT_FOUND)
		return step_show_error(s, in->cmd, err,
		    (struct span){ NULL, 0 });
	TRY(err);
	if (mark.position == 0 || mark.position > c.head)
		mark.position = c.head;
	TRY(item_mark(s, &mark));
	s->c->dirty = true;
	return step_show_done(s, in->cmd);
}

enum err
link_typing(struct step *s, const struct client_input *in)
{
	struct typing_req req = { .has_chat_id = true,
	    .chat_id = in->u.typing.chat };
	struct client *c = s->c;
	struct setting t;
	struct span json;

	if (!c->acknowledged || ID_IS_ZERO(req.chat_id))
		return OK;
	TRY(setting_load(s, &t));
	if (!(t.flags & SETTING_TYPING))
		return OK;
	if (in->u.typing.on && s->now < c->typing_ms + TYPING_EVERY_MS)
		return OK;
	c->typing_ms = in->u.typing.on ? s->now : 0;
	TRY(step_json(s, &shape_typing_req, &req, &json));
	return step_emit(s, in->u.typing.on ? "typing:start" : "typing:stop",
	    json, NULL);
}

enum err
link_away(struct step *s, const struct client_input *in)
{
	struct presence_set_req req = { .status = in->u.on ?
	    PRESENCE_OWN_AWAY : PRESENCE_OWN_ONLINE };
	struct span json;

	if (!s->c->acknowledged)
		return OK;
	TRY(step_json(s, &shape_presence_set_req, &req, &json));
	return step_emit(s, "presence:set", json, NULL);
}
