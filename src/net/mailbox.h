/*
 * mailbox.h: how threads talk: whole objects are handed over by posting the
 * mail inside them. Lock-free, many writers, one reader; posts of one thread
 * arrive in its order. Nothing is copied or allocated.
 *
 *	struct job { struct mail mail; ... };
 *	job->mail.run = job_done;
 *	reactor_post(home, &job->mail);		(any thread; job is home's now)
 *
 * There is no limit here: what bounds a mailbox is that each sender has a
 * bounded number of objects to send.
 */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include <stdatomic.h>

#include "base/bytes.h"

struct reactor;
struct mail;
typedef void (*mail_fn)(struct reactor *r, struct mail *m);

struct mail {
	struct mail *next;
	mail_fn run;	/* called on the reader; may free or reuse the mail */
};

struct mailbox {
	_Atomic(struct mail *) head;	/* newest first */
	atomic_bool asleep;		/* the reader waits or is about to */
	int fd;				/* eventfd that wakes it */
};

MUST_USE enum err mailbox_open(struct mailbox *b);
void mailbox_close(struct mailbox *b);
/* From any thread. The mail must be in no mailbox. */
void mailbox_post(struct mailbox *b, struct mail *m);
/* Everything posted so far, oldest first, linked by next; NULL when empty. */
struct mail *mailbox_take(struct mailbox *b);
/*
 * The reader is about to wait: false when mail is there already, so that it
 * must not. mailbox_awake ends it.
 */
MUST_USE bool mailbox_sleep(struct mailbox *b);
void mailbox_awake(struct mailbox *b);

#endif
