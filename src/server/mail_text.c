/*
 * mail_text.c: mails are plain text, in ASCII but for mail.name, without
 * anything to load: who reads one tells nobody.
 */
#include "server/mail_text.h"

#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "crypto/host.h"

static const char *const kinds[MAIL_KIND_MAX] = {
	[MAIL_VERIFY] = "verify", [MAIL_RESET] = "reset",
	[MAIL_RESET_DONE] = "reset_done", [MAIL_DELETION] = "deletion",
};

const char *
mail_kind_name(enum mail_kind k)
{
	return kinds[k];
}

bool
mail_kind_find(struct span name, enum mail_kind *out)
{
	for (int i = 0; i < MAIL_KIND_MAX; i++) {
		if (!span_eq(name, span_str(kinds[i])))
			continue;
		*out = (enum mail_kind)i;
		return true;
	}
	return false;
}

enum err
mail_token(const uint8_t account_key[static 32], enum mail_kind k,
    const struct any_id *id, char out[static MAIL_TOKEN_LEN + 1])
{
	uint8_t text[64], mac[32];
	struct wr w = wr_init(text, sizeof(text));

	wr_str(&w, "NJ1 mail token");
	wr_u8(&w, (uint8_t)strlen(kinds[k]));
	wr_str(&w, kinds[k]);
	wr_span(&w, SPAN_OF(id->b));
	TRY(host_hmac_sha256(span_of(account_key, 32), wr_done(&w), mac));
	out[base64url_encode(SPAN_OF(mac), out)] = '\0';
	wipe(mac, sizeof(mac));
	return OK;
}

/* ---- what they say ---- */

static const char reset_honest[] =
    "A new password gives you your account back: your name, your contacts\r\n"
    "and the right to sign in. It does not give you your end-to-end keys:\r\n"
    "those are on your devices and in your backup alone, and this server\r\n"
    "never had them. Without a device of yours that is still signed up, or\r\n"
    "your backup with its recovery key, old messages stay unreadable and\r\n"
    "your contacts see that your keys have changed.\r\n";

static const struct {
	const char *subject, *begin, *end;
	const char *command;		/* of the client; takes the code */
	const char *page;		/* of mail.link */
} says[MAIL_KIND_MAX] = {
	[MAIL_VERIFY] = { "Please confirm your address",
	    "somebody, probably you, made an account with this address.\r\n"
	    "To confirm that the address is yours use this code:\r\n",
	    "If it was not you, do nothing: without the code the address\r\n"
	    "stays unconfirmed.\r\n",
	    "nightjar account verify-email", "/verify-email/" },
	[MAIL_RESET] = { "A new password",
	    "somebody, probably you, asked to set a new password for this\r\n"
	    "account. This code allows it, once:\r\n",
	    reset_honest, "nightjar account reset", "/reset/" },
	[MAIL_RESET_DONE] = { "Your password was set anew",
	    "the password of this account was just set anew by a code that\r\n"
	    "was sent to this address. All sessions were signed out.\r\n",
	    "If it was not you, somebody reads your mail: change the\r\n"
	    "password of your mailbox first, then that of this account.\r\n"
	    "\r\n"
	    "Your end-to-end keys were not changed and could not be\r\n"
	    "recovered by this: they are on your devices and in your backup\r\n"
	    "alone.\r\n", NULL, NULL },
	[MAIL_DELETION] = { "Your account will be deleted",
	    "the deletion of this account was asked for. All sessions were\r\n"
	    "signed out. It will be erased for good at\r\n",
	    "If you want to keep it, sign in before then and say so\r\n"
	    "(nightjar account undelete). If it was not you who asked,\r\n"
	    "sign in, and change your password.\r\n", NULL, NULL },
};

/* RFC 5322 3.3, in UTC. */
static void
put_date(struct wr *w, uint64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t s = (time_t)(ms / 1000);
	char text[64];
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
	    days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	wr_str(w, text);
}

/* Nothing that begins another header, or another address. */
static bool
is_header(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 127 || s.p[i] == '<' ||
		    s.p[i] == '>' || s.p[i] == ',' || s.p[i] == '"')
			return false;
	return s.n > 0;
}

static void
put_headers(const struct mail_text *m, struct wr *w)
{
	const char *at = strchr(m->from, '@');
	char id[ID_TEXT_LEN + 1] = "";

	id_encode(m->id->b, id);
	wr_str(w, "From: \"");
	wr_str(w, m->name);
	wr_str(w, "\" <");
	wr_str(w, m->from);
	wr_str(w, ">\r\nTo: <");
	wr_span(w, m->to);
	wr_str(w, ">\r\nSubject: ");
	wr_str(w, says[m->kind].subject);
	wr_str(w, "\r\nDate: ");
	put_date(w, m->now_ms);
	wr_str(w, "\r\nMessage-ID: <");
	wr_span(w, span_of(id, ID_TEXT_LEN));
	wr_str(w, at != NULL ? at : "@localhost");
	wr_str(w, ">\r\nAuto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n");
}

static void
put_code(const struct mail_text *m, struct wr *w)
{
	wr_str(w, "\r\n    ");
	wr_str(w, m->token);
	wr_str(w, "\r\n\r\n");
	wr_str(w, "With the command line:\r\n\r\n    ");
	wr_str(w, says[m->kind].command);
	wr_str(w, "\r\n\r\n");
	if (m->link[0] != '\0') {
		wr_str(w, "With a browser:\r\n\r\n    ");
		wr_str(w, m->link);
		wr_str(w, says[m->kind].page);
		wr_str(w, m->token);
		wr_str(w, "\r\n\r\n");
	}
	wr_str(w, "It is good until ");
	put_date(w, m->expires_ms);
	wr_str(w, ".\r\nNever give it to anybody who asks you for it.\r\n\r\n");
}

enum err
mail_write(const struct mail_text *m, struct wr *w)
{
	if (!is_header(m->to) || !is_header(span_str(m->from)) ||
	    !is_header(m->username) ||
	    span_find(span_str(m->name), '\n') < strlen(m->name))
		return ERR_VALIDATION;
	put_headers(m, w);
	wr_str(w, "Hello ");
	wr_span(w, m->username);
	wr_str(w, ",\r\n\r\n");
	wr_str(w, says[m->kind].begin);
	if (m->token != NULL)
		put_code(m, w);
	if (m->kind == MAIL_DELETION) {
		wr_str(w, "\r\n    ");
		put_date(w, m->erase_ms);
		wr_str(w, "\r\n\r\n");
	}
	wr_str(w, says[m->kind].end);
	return wr_ok(w) ? OK : ERR_SPACE;
}
