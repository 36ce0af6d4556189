/*
 * cmd_settings.c: the settings of the account: what others are told, which the
 * server keeps to, and preferences that only own devices can read.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"

#define OUT_MAX ((size_t)1 << 18)

static const struct {
	uint32_t flag;
	const char *name, *json;
} flags[] = {
	{ SETTING_READ_RECEIPTS, "read-receipts", "readReceipts" },
	{ SETTING_DELIVERY_RECEIPTS, "delivery-receipts",
	    "deliveryReceipts" },
	{ SETTING_TYPING, "typing", "typing" },
	{ SETTING_PRESENCE, "presence", "presence" },
	{ SETTING_LAST_SEEN, "last-seen", "lastSeen" },
	{ SETTING_SEARCHABLE, "searchable", "searchable" },
};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/* "name=on", "name=off", "pref.name=value", "pref.name=". */
static bool
take_one(const char *text, struct client_input *in)
{
	const char *eq = strchr(text, '=');
	struct span name, value;
	if (eq == NULL)
		return false;
	name = span_of(text, (size_t)(eq - text));
	value = span_str(eq + 1);
	if (span_starts(name, SPAN("pref."))) {
		in->u.settings.name = span_sub(name, 5, name.n);
		in->u.settings.value = value;
		return in->u.settings.name.n != 0;
	}
	for (size_t i = 0; i < FLAGS; i++) {
		if (!span_eq(name, span_str(flags[i].name)))
			continue;
		in->u.settings.mask = flags[i].flag;
		if (span_eq(value, SPAN("on")))
			in->u.settings.flags = flags[i].flag;
		return span_eq(value, SPAN("on")) ||
		    span_eq(value, SPAN("off"));
	}
	return false;
}

static enum err
put_prefs(struct host *h, struct buf *out)
{
	struct span after = { NULL, 0 }, value;
	enum err e;
	if (h->args->json)
		TRY(buf_add_str(out, ",\"preferences\":{"));
	while ((e = client_pref_next(&h->client, &h->query, &after, &value)) ==
	    OK) {
		char name[CLIENT_PREF_NAME_MAX + 1];
		snprintf(name, sizeof(name), "%.*s", (int)after.n,
		    (const char *)after.p);
		if (h->args->json) {
			TRY(show_json_str(out, name, value));
			continue;
		}
		TRY(buf_add_str(out, "\npref."));
		TRY(buf_add_str(out, name));
		TRY(buf_add_str(out, "="));
		TRY(show_text(value, out));
	}
	if (e == ERR_NOT_FOUND && h->args->json)
		return buf_add_str(out, "}");
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
put_settings(struct host *h, struct buf *out)
{
	struct client_settings t;
	TRY(client_settings(&h->client, &h->query, &t));
	if (h->args->json)
		TRY(buf_add_str(out, "{"));
	for (size_t i = 0; i < FLAGS; i++) {
		bool on = (t.flags & flags[i].flag) != 0;
		if (h->args->json) {
			TRY(show_json_bool(out, flags[i].json, on));
			continue;
		}
		TRY(buf_add_str(out, i == 0 ? "" : "\n"));
		TRY(buf_add_str(out, flags[i].name));
		TRY(buf_add_str(out, on ? "=on" : "=off"));
	}
	TRY(put_prefs(h, out));
	if (!h->args->json)
		return OK;
	TRY(show_json_u64(out, "version", t.version));
	return buf_add_str(out, "}");
}

/* What another device changed is being fetched. */
static bool
is_known(struct host *h, const void *ctx)
{
	struct client_settings t = { .known = false };
	(void)ctx;
	if (host_read(h) != OK)
		return false;
	struct arena_mark m = arena_mark(&h->query);
	if (client_settings(&h->client, &h->query, &t) != OK)
		t.known = false;
	arena_wipe(&h->query, m);
	host_read_end(h);
	return t.known;
}

static enum exit_status
print_settings(struct host *h)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	enum err e = host_read(h);
	if (e == OK) {
		e = put_settings(h, &out);
		host_read_end(h);
	}
	if (e == OK)
		e = show_line(&out);
	buf_fini(&out);
	if (e == OK)
		return EXIT_OK;
	host_error(h, "the settings cannot be shown (%s)", err_text(e));
	return EXIT_FAILED;
}

enum exit_status
cmd_settings(struct host *h, const struct args *a)
{
	enum exit_status st = EXIT_OK;
	for (size_t i = 0; i < a->operand_n; i++) {
		struct client_input in = { .type = CLIENT_SETTINGS };
		if (take_one(a->operand[i], &in))
			continue;
		host_error(h, "\"%.60s\" is no setting; see: %s",
		    a->operand[i], host_hint(h, "help settings"));
		return EXIT_USAGE;
	}
	st = host_open_reader(h, a, NULL);
	for (size_t i = 0; st == EXIT_OK && i < a->operand_n; i++) {
		struct client_input in = { .type = CLIENT_SETTINGS };
		(void)take_one(a->operand[i], &in);
		st = host_command(h, &in);
	}
	if (st != EXIT_OK || a->operand_n != 0)
		return st;
	st = host_wait(h, is_known, NULL, host_timeout(h));
	return st == EXIT_OK ? print_settings(h) : st;
}
