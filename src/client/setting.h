/*
 * setting.h: the settings of the account: flags that the server keeps to, and
 * preferences that it cannot read (docs/protocol.md, "Settings"). A change is
 * noted at once and goes up when it can; what another device changed in
 * between is fetched and both are joined, name by name, flag by flag. Called
 * by prefs.c, link.c and client.c.
 *
 *	REC_SETTINGS  "" -> what is known, what waits
 *	REC_PREF      name -> u8 waits | value (empty: it is to go)
 */
#ifndef CLIENT_SETTING_H
#define CLIENT_SETTING_H

#include "client/call.h"

struct setting {
	bool known;			/* fetched once */
	bool stale;			/* to be fetched anew */
	bool blocks_known;
	bool chats_known;		/* how the account keeps its chats */
	uint64_t version;
	uint32_t flags;			/* as they are to be */
	uint32_t mask;			/* of those that wait */
	bool prefs;			/* preferences wait */
	uint64_t changes;		/* counts them */
	uint64_t cmd;			/* who waits for it */
};

/* What nobody set: all on. */
MUST_USE enum err setting_load(struct step *s, struct setting *out);
MUST_USE enum err setting_save(struct step *s, const struct setting *t);
/* CLIENT_SETTINGS. ERR_VALIDATION, ERR_LIMIT. */
MUST_USE enum err setting_change(struct step *s,
    const struct client_input *in);
/* The server has another version. */
MUST_USE enum err setting_changed(struct step *s, uint64_t version);
MUST_USE enum err setting_pump(struct step *s);
MUST_USE enum err setting_heard(struct step *s, const struct call_answer *a);
MUST_USE enum err setting_heard_put(struct step *s,
    const struct call_answer *a);

#endif
