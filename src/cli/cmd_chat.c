/*
 * cmd_chat.c: `nightjar chat [NAME]`: the full-screen client where there is a
 * terminal for it, else, or with --plain, the conversation line by line.
 */
#include "cli/chat.h"
#include "cli/cmd.h"
#include "cli/tui.h"

#define PAST_DEFAULT 20

static enum exit_status
plain(struct host *h, const struct args *a, const struct user_id *with)
{
	unsigned long limit = PAST_DEFAULT;
	struct chat *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return EXIT_FAILED;
	if (a->limit != NULL)
		(void)args_number(a->limit, 1, 100000, &limit);
	enum exit_status st = chat_run(c, h, with, limit);
	free(c);
	return st;
}

enum exit_status
cmd_chat(struct host *h, const struct args *a)
{
	struct client_person p = { 0 };
	bool full = !a->plain && !a->json && tui_can();
	bool named = a->operand_n > 0;
	h->args = a;
	if (!full && !named) {
		host_error(h, "with whom? Without a full screen it is: "
		    "nightjar chat NAME");
		return EXIT_USAGE;
	}
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_start(h, NULL, true);
	if (st == EXIT_OK && named)
		st = host_find(h, a->operand[0], &p);
	if (st != EXIT_OK)
		return st;
	struct user_id with = p.user;
	return full ? tui_run(h, named ? &with : NULL) : plain(h, a, &with);
}
