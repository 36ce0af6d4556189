/*
 * deletion.h: what the steps of an erasure hand on (server/eraser.c runs them).
 */
#ifndef SERVER_OPS_DELETION_H
#define SERVER_OPS_DELETION_H

#include "server/call.h"
#include "server/ops/contacts.h"

/* Rows that one step changes at most; a step is one write. */
#define DELETION_STEP 200

/* State of the ops erase_look (NULL: nobody is due) and erase_step. */
struct deletion_step {
	struct user_id user;
	uint64_t after;		/* messages up to here are done */
	uint64_t next;		/* out: those up to here */
	bool is_done;		/* out: all of it */
	struct contacts contacts;
};

#endif
