/*
 * chat.h: a conversation on the terminal, line by line. Entries come from the
 * profile's journal; the input line stays whole below them (edit.h). Where
 * the standard input is no terminal, each of its lines is one message and
 * nothing is drawn.
 */
#ifndef CLI_CHAT_H
#define CLI_CHAT_H

#include "cli/edit.h"
#include "cli/host.h"

#define CHAT_TYPING_MS 5000u	/* a typing mark ends by itself */
#define CHAT_PAUSE_MS 3000u	/* without a key: typing has stopped */
#define CHAT_ESCAPE_MS 60u
#define CHAT_READ_BYTES 4096u
#define CHAT_LINES_MAX 64u	/* messages of a pipe not yet in the outbox */

struct chat {
	struct host *host;
	struct user_id me, with;
	struct chat_id id;
	char name[HOST_NAME_MAX + 1];
	bool raw;		/* a terminal: line editor, prompt */
	bool reading;		/* on_journal may print */
	bool typing;		/* the other one types */
	bool told;		/* we have said that we type */
	bool blocked;		/* sending waits for a confirmation */
	bool over;		/* /quit, end of input */
	bool draining;		/* the input ended: until all is sent */
	bool prompt_on;		/* the row of the prompt is drawn */
	bool moved;		/* something changed: draw anew */
	struct event_id waits[CHAT_LINES_MAX];	/* own, not acknowledged */
	uint32_t waiting;
	bool held;		/* input is not read: too many wait */
	uint64_t arrived, read_to;	/* newest of theirs; told as read */
	uint64_t delivered, read;	/* their marks on ours */
	uint64_t sent;		/* position of our newest */
	char presence[16];
	struct io input;
	bool input_polled;
	struct timer typing_end, pause, escape;
	struct buf out;		/* what is drawn next */
	struct buf line;	/* of a pipe: not yet taken */
	bool ended;		/* the pipe has */
	bool taking;		/* its lines are being taken */
	enum exit_status status;
	struct edit edit;
};

/* Runs until the end; the host is started and `with` found. */
enum exit_status chat_run(struct chat *c, struct host *h,
    const struct user_id *with, size_t limit);

#endif
