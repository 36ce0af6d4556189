/*
 * tui_words.c: see tui_words.h.
 */
#include "cli/tui_words.h"

#define MINUTE_MS 60000ull
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static bool
local(uint64_t ms, struct tm *out)
{
	time_t t = (time_t)(ms / 1000);
	return localtime_r(&t, out) != NULL && out->tm_year >= 0 &&
	    out->tm_year <= 8000;
}

void
tui_words_clock(uint64_t ms, char out[static TUI_WORD_MAX])
{
	struct tm tm;
	if (local(ms, &tm))
		snprintf(out, TUI_WORD_MAX, "%02d:%02d", tm.tm_hour,
		    tm.tm_min);
	else
		snprintf(out, TUI_WORD_MAX, "--:--");
}

static const char *const months[] = { "January", "February", "March",
	"April", "May", "June", "July", "August", "September", "October",
	"November", "December" };
static const char *const days[] = { "Sunday", "Monday", "Tuesday",
	"Wednesday", "Thursday", "Friday", "Saturday" };

bool
tui_words_same_day(uint64_t a_ms, uint64_t b_ms)
{
	struct tm a, b;
	return local(a_ms, &a) && local(b_ms, &b) &&
	    a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
}

/* How many midnights lie between; 999: many, or the future. */
static unsigned
days_ago(uint64_t ms, uint64_t now_ms)
{
	for (unsigned i = 0; i < 7; i++)
		if (now_ms > i * DAY_MS &&
		    tui_words_same_day(ms, now_ms - i * DAY_MS))
			return i;
	return 999;
}

void
tui_words_day(uint64_t ms, uint64_t now_ms, char out[static TUI_WORD_MAX])
{
	struct tm t, now;
	unsigned ago = days_ago(ms, now_ms);
	if (!local(ms, &t) || !local(now_ms, &now))
		snprintf(out, TUI_WORD_MAX, "Some day");
	else if (ago < 2)
		snprintf(out, TUI_WORD_MAX, "%s", ago == 0 ? "Today" :
		    "Yesterday");
	else if (ago < 7)
		snprintf(out, TUI_WORD_MAX, "%s", days[t.tm_wday]);
	else if (t.tm_year == now.tm_year)
		snprintf(out, TUI_WORD_MAX, "%d %s", t.tm_mday,
		    months[t.tm_mon]);
	else
		snprintf(out, TUI_WORD_MAX, "%d %s %d", t.tm_mday,
		    months[t.tm_mon], t.tm_year + 1900);
}

void
tui_words_date(uint64_t ms, uint64_t now_ms, char out[static TUI_WORD_MAX])
{
	char day[TUI_WORD_MAX];
	unsigned ago = days_ago(ms, now_ms);
	tui_words_day(ms, now_ms, day);
	if (ago < 2)
		snprintf(out, TUI_WORD_MAX, "%s", ago == 0 ? "today" :
		    "yesterday");
	else
		snprintf(out, TUI_WORD_MAX, "on %.40s", day);
}

void
tui_words_short(uint64_t ms, uint64_t now_ms, char out[static TUI_WORD_MAX])
{
	struct tm t;
	unsigned ago = days_ago(ms, now_ms);
	out[0] = '\0';
	if (ms == 0 || !local(ms, &t))
		return;
	if (ago == 0)
		tui_words_clock(ms, out);
	else if (ago == 1)
		snprintf(out, TUI_WORD_MAX, "Yesterday");
	else if (ago < 7)
		snprintf(out, TUI_WORD_MAX, "%.3s", days[t.tm_wday]);
	else
		snprintf(out, TUI_WORD_MAX, "%d %.3s", t.tm_mday,
		    months[t.tm_mon]);
}

void
tui_words_full(uint64_t ms, char out[static TUI_WORD_MAX])
{
	struct tm t;
	if (ms == 0 || !local(ms, &t))
		snprintf(out, TUI_WORD_MAX, "not known");
	else
		snprintf(out, TUI_WORD_MAX, "%d %s %d, %02d:%02d:%02d",
		    t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
		    t.tm_min, t.tm_sec);
}

static void
count(uint64_t n, const char *unit, char *out, size_t cap)
{
	snprintf(out, cap, "%llu %s%s", (unsigned long long)n, unit,
	    n == 1 ? "" : "s");
}

void
tui_words_span(uint64_t s, char out[static TUI_WORD_MAX])
{
	static const struct { uint64_t n; const char *unit; } units[] = {
		{ 604800, "week" }, { 86400, "day" }, { 3600, "hour" },
		{ 60, "minute" }, { 1, "second" } };
	char second[TUI_WORD_MAX / 2] = "", first[TUI_WORD_MAX / 2];
	size_t i = 0;
	while (i < 4 && s < units[i].n)
		i++;
	uint64_t rest = s % units[i].n;
	count(s / units[i].n, units[i].unit, first, sizeof(first));
	if (i < 4 && rest >= units[i + 1].n)
		count(rest / units[i + 1].n, units[i + 1].unit, second,
		    sizeof(second));
	snprintf(out, TUI_WORD_MAX, "%s%s%s", first,
	    second[0] != '\0' ? " " : "", second);
}

void
tui_words_ago(uint64_t ms, uint64_t now_ms, char out[static TUI_WORD_MAX])
{
	char day[TUI_WORD_MAX], clock[TUI_WORD_MAX];
	uint64_t d = now_ms > ms ? now_ms - ms : 0;
	if (d < MINUTE_MS) {
		snprintf(out, TUI_WORD_MAX, "just now");
		return;
	}
	if (d < HOUR_MS) {
		count(d / MINUTE_MS, "minute", day, sizeof(day));
		snprintf(out, TUI_WORD_MAX, "%.40s ago", day);
		return;
	}
	tui_words_date(ms, now_ms, day);
	tui_words_clock(ms, clock);
	snprintf(out, TUI_WORD_MAX, "%.40s at %.12s", day, clock);
}

/* ---- states ---- */

const char *
tui_words_state(const struct client_item *it, bool ascii)
{
	switch (it->state) {
	case STATE_WAITING: return ascii ? "waiting" : "\u2026";
	case STATE_FAILED: return ascii ? "NOT SENT" : "\u2717";
	case STATE_SENT:
		if (it->flags & ITEM_READ)
			return ascii ? "read" : "\u25cf";
		if (it->flags & ITEM_DELIVERED)
			return ascii ? "delivered" : "\u25d0";
		return ascii ? "sent" : "\u25cb";
	case STATE_RECEIVED: default: return "";
	}
}

const char *
tui_words_state_name(const struct client_item *it)
{
	switch (it->state) {
	case STATE_WAITING: return "Waiting to be sent";
	case STATE_FAILED: return "Not sent";
	case STATE_SENT: return it->flags & ITEM_READ ? "Read" :
		    it->flags & ITEM_DELIVERED ? "Delivered" : "Sent";
	case STATE_RECEIVED: default: return "Received";
	}
}

static const char *
refused(enum err cause)
{
	switch ((int)cause) {
	case ERR_NO_KEY: case ERR_NO_SESSION: case ERR_PREKEY_GONE:
	case ERR_PQ_EPOCH:
		return "Waiting for this message.\nA piece of the key is "
		    "missing here. %s's device is asked to send it again.";
	case ERR_SUITE: case ERR_SUITE_PINNED:
		return "Refused: not as protected as before.\nIt came with "
		    "weaker encryption than this chat uses, so it was not "
		    "opened. Ask %s what happened, by another way.";
	case ERR_IDENTITY_CHANGED: case ERR_UNTRUSTED:
		return "Refused: from a device that nobody vouches for.\nIt "
		    "is not in the signed list of %s's devices, so it was not "
		    "opened.";
	case ERR_DUPLICATE: case ERR_REPLAY:
		return "Refused: it was here before.\nSomebody sent a message "
		    "of %s a second time; nothing of it is lost.";
	case ERR_EXPIRED: case ERR_STALE:
		return "This can't be opened any more.\nIt came too late: its "
		    "keys were erased, as they have to be. Ask %s to send it "
		    "again.";
	default:
		return "Refused: damaged or not genuine.\nWhat came is not "
		    "what %s's device wrote, so it was not opened.";
	}
}

bool
tui_words_absent(const struct client_item *it, const char *name, bool mine,
    char out[static TUI_SENTENCE_MAX])
{
	char span[TUI_WORD_MAX];
	const char *how = NULL;
	switch (it->kind) {
	case ITEM_REFUSED: how = refused(it->cause); break;
	case ITEM_GAP:
		snprintf(out, TUI_SENTENCE_MAX, "Missing here: %u message%s.\n"
		    "%s wrote %s, but the server never brought %s.",
		    (unsigned)it->gap_n, it->gap_n == 1 ? "" : "s", name,
		    it->gap_n == 1 ? "it" : "them",
		    it->gap_n == 1 ? "it" : "them");
		return true;
	case ITEM_OTHER:
		how = "This can't be shown here.\nA newer Nightjar wrote it; "
		    "with a newer one here it will appear.";
		break;
	case ITEM_REMOVED:
		how = "Removed by the server before it was read here.";
		break;
	case ITEM_DELETED:
		how = mine ? "You deleted this message" :
		    "%s deleted this message";
		break;
	case ITEM_TIMER:
		tui_words_span(it->expire_s, span);
		if (it->expire_s == 0)
			snprintf(out, TUI_SENTENCE_MAX, "%s set messages not "
			    "to disappear any more.", mine ? "You" : name);
		else
			snprintf(out, TUI_SENTENCE_MAX, "%s set messages to "
			    "disappear %s after reading.", mine ? "You" : name,
			    span);
		return true;
	case ITEM_TEXT: case ITEM_HIDDEN: default: return false;
	}
	const char *gap = strstr(how, "%s");
	if (gap == NULL)
		snprintf(out, TUI_SENTENCE_MAX, "%s", how);
	else
		snprintf(out, TUI_SENTENCE_MAX, "%.*s%s%s",
		    (int)(gap - how), how, name, gap + 2);
	return true;
}

const char *
tui_words_unsent(enum err cause)
{
	switch ((int)cause) {
	case ERR_FORBIDDEN: case ERR_NOT_FOUND:
		return "Not sent: this person can't be written to.";
	case ERR_TOO_LARGE: return "Not sent: it is too long.";
	case ERR_EXPIRED: return "Not sent: it waited for too long.";
	case ERR_IDENTITY_CHANGED: case ERR_UNTRUSTED:
		return "Not sent: the safety number is different now.";
	default: return "Not sent: the server did not take it.";
	}
}

/* Grouped: the same sentence for what a person can't tell apart. */
#define FAULT "The server had a fault. Nothing was lost; try again."
#define NOW "Not possible at the moment. Try again in a while."
#define STRANGE "What came back does not fit; nothing was changed."

static const char *const errors[ERR_MAX] = {
	[ERR_ARG] = FAULT, [ERR_AUTH] = STRANGE,
	[ERR_BAD_REQUEST] = STRANGE, [ERR_BUSY] = NOW,
	[ERR_CONFLICT] = "Something else changed it meanwhile. Look, and try "
	    "again.",
	[ERR_DECRYPT] = STRANGE,
	[ERR_DELETION_PENDING] = "This account is to be deleted. Signing in "
	    "again keeps it.",
	[ERR_DEVICES_CHANGED] = NOW,
	[ERR_DISK_FULL] = "The disk is full. Make room, and try again.",
	[ERR_DUPLICATE] = "That is there already.",
	[ERR_EMAIL_TAKEN] = "This e-mail address is in use.",
	[ERR_EMAIL_UNVERIFIED] = "Confirm your e-mail address first.",
	[ERR_EXPIRED] = "It is too old for that. Messages can be edited for "
	    "24 hours; you can reply to it instead.",
	[ERR_FORBIDDEN] = "That is not yours to do.",
	[ERR_FORMAT] = STRANGE,
	[ERR_IDENTITY_CHANGED] = "Kept here: the safety number is different "
	    "now. Compare it, or write anyway.",
	[ERR_INTERNAL] = FAULT,
	[ERR_INVALID_CREDENTIALS] = "That name and password don't belong "
	    "together.",
	[ERR_INVALID_TOKEN] = "You were signed out here. Sign in again.",
	[ERR_IO] = FAULT,
	[ERR_LIMIT] = "That is more than there is room for.",
	[ERR_LIST_CONFLICT] = NOW, [ERR_METHOD_NOT_ALLOWED] = FAULT,
	[ERR_MFA_INVALID] = "That code is not right.",
	[ERR_MFA_REQUIRED] = "A second factor is needed; sign in again.",
	[ERR_NOMEM] = NOW,
	[ERR_NOT_FOUND] = "There is nothing of that name here.",
	[ERR_NO_KEY] = "The keys of this account are not on this machine.",
	[ERR_NO_SESSION] = NOW, [ERR_PQ_EPOCH] = STRANGE,
	[ERR_PREKEY_GONE] = NOW, [ERR_PROVIDER] = FAULT,
	[ERR_RATE_LIMITED] = "A short pause: the server asks to wait.",
	[ERR_REPLAY] = STRANGE, [ERR_ROLLBACK] = STRANGE,
	[ERR_SPACE] = FAULT, [ERR_STALE] = STRANGE,
	[ERR_STORE] = "This profile can't be read or written now.",
	[ERR_SUITE] = STRANGE, [ERR_SUITE_PINNED] = STRANGE,
	[ERR_TOKEN_EXPIRED] = "You were signed out here. Sign in again.",
	[ERR_TOKEN_REUSED] = "You were signed out here. Sign in again.",
	[ERR_TOO_LARGE] = "That is too long.",
	[ERR_UNAVAILABLE] = NOW, [ERR_UNKNOWN_CRITICAL] = STRANGE,
	[ERR_UNSUPPORTED_MEDIA_TYPE] = FAULT,
	[ERR_UNTRUSTED] = "Kept here: the keys of this person are not known "
	    "well enough yet.",
	[ERR_USERNAME_TAKEN] = "This name is in use.",
	[ERR_VALIDATION] = "That can't be done with this message or chat.",
	[ERR_VERSION] = "A newer Nightjar is needed for that.",
};

const char *
tui_words_error(enum err cause)
{
	const char *s = (unsigned)cause < ERR_MAX ? errors[cause] : NULL;
	return s != NULL ? s : FAULT;
}

const char *
tui_words_warning(enum client_warning_kind k)
{
	switch (k) {
	case WARN_VIEW_CONFLICT:
		return "The server shows two people different device lists.";
	case WARN_STALE_LIST:
		return "The server keeps showing an old list of devices. One "
		    "that was removed might still get messages.";
	case WARN_OLD_VIEW:
		return "The other side is shown an old list of your devices.";
	case WARN_LIST_EXPIRED:
		return "Nobody has signed this list of devices for long.";
	case WARN_CLONE:
		return "Somebody else speaks as this device. Look at your "
		    "devices and change your password.";
	case WARN_ROLLBACK:
		return "This profile is older than it was. Its sessions are "
		    "made anew.";
	case WARN_REPAIR: return "A broken session is being replaced.";
	case WARN_PREKEYS_DRAINED:
		return "The one-time keys ran out; new ones are made.";
	case WARN_LIST_REFUSED:
		return "The server gave a list of devices that is not "
		    "genuine. It was refused.";
	default: return "Something unusual happened.";
	}
}
