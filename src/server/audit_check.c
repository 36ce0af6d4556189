/*
 * audit_check.c: what each kind of tampering looks like. A changed field breaks
 * its private hash or the entry's; a row taken out, put in or moved breaks the
 * numbers or the chain; a chain that was made anew, or cut at its end, does not
 * fit the head, whose MAC has a key outside the database; a whole database put
 * back to an older state does not have the entry of a head kept elsewhere.
 * exports audit_check_*, audit_head_*
 */
#include "server/audit_check.h"

#include <stdio.h>

#include "base/text.h"

static void
problem(struct audit_check *k, uint64_t sequence, const char *what)
{
	if (k->problems_n < AUDIT_PROBLEMS_MAX)
		k->problems[k->problems_n++] = (struct audit_problem){
		    sequence, what };
	k->problems_all++;
}

void
audit_check_begin(struct audit_check *k, const struct audit_head *head,
    bool mac_ok, uint64_t seen, const uint8_t seen_hash[AUDIT_HASH_LEN])
{
	*k = (struct audit_check){ .head = *head,
	    .next = head->first_sequence, .seen = seen };
	memcpy(k->previous, head->first_previous, AUDIT_HASH_LEN);
	if (seen != 0)
		memcpy(k->seen_hash, seen_hash, AUDIT_HASH_LEN);
	/* What was dropped for its age can not be missed. */
	k->seen_found = seen == 0 || seen < head->first_sequence;
	if (!mac_ok)
		problem(k, 0, "the head's MAC is not by this server's "
		    "account.key: ends of the log may have been changed");
}

static bool
is_hash(struct span s, const uint8_t hash[static AUDIT_HASH_LEN])
{
	return s.n == AUDIT_HASH_LEN && memcmp(s.p, hash, AUDIT_HASH_LEN) == 0;
}

static enum err
check_private(struct audit_check *k, const struct q_audit_walk_out *row)
{
	struct audit_entry e = { .user = row->user, .device = row->device,
	    .session = row->session, .detail = row->detail,
	    .address = row->address };
	uint8_t hash[AUDIT_HASH_LEN];

	if (row->salt.p == NULL) {
		k->redacted++;
		if (!ID_IS_ZERO(row->user) || row->device != 0 ||
		    !ID_IS_ZERO(row->session) || row->detail.p != NULL ||
		    row->address.p != NULL)
			problem(k, row->sequence, "it was taken out in part");
		return OK;
	}
	if (e.detail.n > AUDIT_DETAIL_MAX || e.address.n > AUDIT_ADDRESS_MAX) {
		problem(k, row->sequence, "who or what was changed");
		return OK;
	}
	TRY(audit_private_hash(&e, row->salt, hash));
	if (!is_hash(row->private_hash, hash))
		problem(k, row->sequence, "who or what was changed");
	return OK;
}

enum err
audit_check_entry(struct audit_check *k, const struct q_audit_walk_out *row)
{
	uint8_t hash[AUDIT_HASH_LEN] = { 0 };

	k->entries++;
	if (row->sequence != k->next)
		problem(k, row->sequence, row->sequence > k->next ?
		    "entries before it are missing" :
		    "it is older than the first that should be kept");
	if (!is_hash(row->previous_hash, k->previous))
		problem(k, row->sequence,
		    "it does not follow the entry before it");
	TRY(check_private(k, row));
	if (row->private_hash.n != AUDIT_HASH_LEN ||
	    row->previous_hash.n != AUDIT_HASH_LEN ||
	    row->hash.n != AUDIT_HASH_LEN || row->event.n > UINT8_MAX) {
		problem(k, row->sequence, "it is malformed");
	} else {
		TRY(audit_hash(row->sequence, row->created_at, row->event,
		    row->private_hash.p, row->previous_hash.p, hash));
		if (!is_hash(row->hash, hash))
			problem(k, row->sequence, "it was changed");
		memcpy(k->previous, row->hash.p, AUDIT_HASH_LEN);
	}
	if (k->seen == row->sequence && k->seen != 0) {
		k->seen_found = true;
		if (!is_hash(row->hash, k->seen_hash))
			problem(k, row->sequence,
			    "it is not the entry that was seen before");
	}
	k->next = row->sequence + 1;
	return OK;
}

bool
audit_check_end(struct audit_check *k)
{
	if (k->next != k->head.last_sequence + 1)
		problem(k, 0, k->next <= k->head.last_sequence ?
		    "entries at the end are missing" :
		    "there are entries behind the head");
	else if (memcmp(k->previous, k->head.last_hash, AUDIT_HASH_LEN) != 0)
		problem(k, 0, "the last entry is not the head's");
	if (k->redacted != k->head.redacted)
		problem(k, 0, "entries were taken out that no erasure "
		    "accounts for");
	if (!k->seen_found)
		problem(k, 0, "an entry that was seen before is missing: "
		    "the log was cut off or put back to an older state");
	return k->problems_all == 0;
}

bool
audit_head_decode(struct span text, uint64_t *sequence_out,
    uint8_t hash_out[AUDIT_HASH_LEN])
{
	size_t colon = span_find(text, ':');

	return text.n == colon + 1 + 2 * AUDIT_HASH_LEN &&
	    span_u64(span_sub(text, 0, colon), UINT64_MAX >> 11,
	    sequence_out) && *sequence_out > 0 &&
	    hex_decode(span_sub(text, colon + 1, text.n), hash_out);
}

void
audit_head_encode(const struct audit_head *h,
    char out[static AUDIT_HEAD_TEXT])
{
	char hex[2 * AUDIT_HASH_LEN + 1];

	hex_encode(SPAN_OF(h->last_hash), hex);
	hex[2 * AUDIT_HASH_LEN] = '\0';
	snprintf(out, AUDIT_HEAD_TEXT, "%llu:%s",
	    (unsigned long long)h->last_sequence, hex);
}
