/*
 * cmd_chat.c: `nightjar chat NAME`.
 */
#include "cli/chat.h"
#include "cli/cmd.h"

#define PAST_DEFAULT 20

enum exit_status
cmd_chat(struct host *h, const struct args *a)
{
	struct client_person p;
	unsigned long limit = PAST_DEFAULT;
	struct chat *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return EXIT_FAILED;
	if (a->limit != NULL)
		(void)args_number(a->limit, 1, 100000, &limit);
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_start(h, NULL, true);
	if (st == EXIT_OK)
		st = host_find(h, a->operand[0], &p);
	if (st == EXIT_OK) {
		struct user_id with = p.user;
		st = chat_run(c, h, &with, limit);
	}
	free(c);
	return st;
}
