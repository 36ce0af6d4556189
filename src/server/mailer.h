/*
 * mailer.h: sends what waits in mail_outbox. The reactor of shard 0 looks for
 * it now and then; threads of their own hand it over, so that a mail server
 * that hangs keeps nobody waiting. Nothing of it exists before the first mail.
 */
#ifndef SERVER_MAILER_H
#define SERVER_MAILER_H

#include "server/mail_text.h"
#include "server/smtp.h"

struct shard;

#define MAILER_JOBS 8		/* mails under way at once */

/* A row that is due, as op mail_take found it. */
struct mailer_row {
	struct any_id id;
	enum mail_kind kind;
	struct span recipient, username;	/* in the call's arena */
	uint32_t attempts;		/* this one counted */
	uint64_t expires_at, delete_at;
};

/* What became of one: state of op mail_done. */
struct mailer_end {
	struct any_id id;
	bool is_sent, is_dead;
	struct span why;
};

/* On shard 0's reactor, once, at its start: the timer runs from then on. */
void mailer_start(struct shard *s);
/* On shard 0's reactor: no more mail is begun; what is under way breaks off. */
void mailer_stop(struct shard *s);
/* After all reactors have ended: waits for the threads. */
void mailer_close(struct shard *s);

/* Is something under way? The reactor has to run on until it is not. */
bool mailer_is_busy(const struct shard *s);
/* How many rows may be taken now: places that are free. */
size_t mailer_room(const struct shard *s);

#endif
