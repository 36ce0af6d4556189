/*
 * linkrec.h: the one linking that a profile takes part in, as either side
 * (docs/protocol.md, "Linking a device"): its record, what is shown of it, and
 * the calls that both sides make. Called by newdev.c and adopt.c.
 *
 *	REC_LINKING  "" -> struct linkrec
 */
#ifndef CLIENT_LINKREC_H
#define CLIENT_LINKREC_H

#include "client/call.h"
#include "core/linking.h"

/* How often what is not there yet is asked for, where the server does not
 * wait with its answer. */
#define LINKREC_POLL_MS 400u

struct linkrec {
	enum client_linking_state state;
	bool is_new;			/* this is the new device */
	bool manager;			/* the new one gets the account key */
	bool all, no_history;
	bool posted;			/* what this state sends is there */
	bool has_secret, has_archive;
	uint64_t since_ms;		/* in this state */
	uint64_t expires_ms;
	struct any_id mailbox;
	uint8_t hash[SHA256_LEN];	/* manager: of the offer, as scanned */
	uint8_t secret[32];		/* new: reads the mailbox */
	uint32_t device;		/* the new one's number */
	struct any_id archive;
	uint8_t archive_key[32];
	struct user_id user;		/* new: whose account */
	struct span device_name, user_name;
	struct span access, refresh;	/* new: tokens, not in use yet */
	struct span facts;		/* new: what was provisioned */
	struct span sent;		/* sealed: provisioning, or answer */
	struct span cert;		/* manager: of the new device */
	struct linking core;
};

/* ERR_NOT_FOUND. Spans point into the arena. Wipe it after use. */
MUST_USE enum err linkrec_load(struct step *s, struct linkrec *out);
MUST_USE enum err linkrec_save(struct step *s, const struct linkrec *l);
void linkrec_wipe(struct linkrec *l);
/* Is it over, well or not? */
bool linkrec_is_over(const struct linkrec *l);
/*
 * Enters a state, stores it and shows it. At an end, all that is secret goes,
 * and the mailbox at the server where it may still hold something.
 */
MUST_USE enum err linkrec_go(struct step *s, struct linkrec *l,
    enum client_linking_state state);
/* As it is shown. */
MUST_USE enum err linkrec_view(struct step *s, const struct linkrec *l,
    struct client_linking *out);
/* "/api/link/" + mailbox + tail. */
MUST_USE enum err linkrec_path(struct step *s, const struct linkrec *l,
    const char *tail, struct span *out);
/* May this process ask now? Else it is woken when it may. */
bool linkrec_may_poll(struct step *s);
/* An answer with nothing in it yet, or none: asks again in a while. */
void linkrec_again(struct step *s);

#endif
