/*
 * excuse.c: see excuse.h.
 */
#include "sim/excuse.h"

#include <assert.h>

#include "core/store.h"

static_assert(EXCUSES == WORLD_EXCUSES, "a result counts each kind");

const char *
excuse_name(enum excuse e)
{
	static const char *const names[EXCUSES] = { "nothing",
	    "sent by itself", "sender revoked", "sender forgot it",
	    "earlier certificate", "answered before", "asking was lost" };

	return names[e];
}

/* The device that has this number in that account; NULL: none has. */
static const struct device *
device_of(const struct world *w, const struct user_id *user, uint32_t number)
{
	for (unsigned i = 0; i < w->plan->devices; i++)
		if (number != 0 && w->device[i].number == number &&
		    ID_EQ(w->user[w->device[i].account], *user))
			return &w->device[i];
	return NULL;
}

void
excuse_note(struct world *w, const struct device *d,
    const struct client_item *it)
{
	const struct world_refused *was = excuse_find(w, d, &it->event);
	size_t at = was != NULL ? (size_t)(was - w->refused) : w->refused_n++;

	assert(at < WORLD_MESSAGES_MAX);
	w->refused[at] = (struct world_refused){ d->index, it->event, it->sender,
	    it->device, it->cause, it->position };
}

const struct world_refused *
excuse_find(const struct world *w, const struct device *d,
    const struct event_id *event)
{
	for (size_t i = 0; i < w->refused_n; i++)
		if (w->refused[i].device == d->index &&
		    ID_EQ(w->refused[i].event, *event))
			return &w->refused[i];
	return NULL;
}

const struct world_refused *
excuse_at(const struct world *w, const struct device *d, uint64_t position)
{
	for (size_t i = 0; i < w->refused_n && position != 0; i++)
		if (w->refused[i].device == d->index &&
		    w->refused[i].position == position)
			return &w->refused[i];
	return NULL;
}

/* The certificate that d has in the list that it knows itself. */
static bool
own_cert(const struct world *w, const struct device *d, struct app *view,
    uint8_t out[static SHA256_LEN])
{
	struct client_device list[CLIENT_DEVICES_MAX];
	size_t n = 0;

	if (client_devices(&view->client, &view->query, &w->user[d->account],
	    list, &n) != OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (list[i].device != d->number)
			continue;
		memcpy(out, list[i].fingerprint, SHA256_LEN);
		return true;
	}
	return false;
}

/* What f remembers of having sent the event to d. */
static struct span
sent_record(const struct world *w, const struct device *f,
    const struct device *d, uint8_t kind, const struct event_id *event,
    struct app *view)
{
	struct span value = { NULL, 0 };
	uint8_t key[2 * ID_LEN + 4];
	struct wr wr = wr_init(key, sizeof(key));

	wr_bytes(&wr, event->b, ID_LEN);
	wr_bytes(&wr, w->user[d->account].b, ID_LEN);
	wr_u32(&wr, d->number);
	if (records_load(f->disk, kind, wr_done(&wr), &view->query,
	    &value) != OK)
		value.n = 0;
	return value;
}

static enum excuse
of_sender(const struct world *w, const struct world_refused *r,
    const struct device *f, struct app *view)
{
	const struct device *d = &w->device[r->device];
	struct span sent = sent_record(w, f, d, RECORD_SENT, &r->event, view);
	uint8_t cert[SHA256_LEN];

	if (sent.n == 0)
		return f->lost_n > 0 ? EXCUSE_FORGOTTEN : EXCUSE_NONE;
	if (own_cert(w, d, view, cert) &&
	    !span_eq(span_sub(sent, 8, sent.n), SPAN_OF(cert)))
		return EXCUSE_CERT;
	if (d->lost_n > 0 && sent_record(w, f, d, RECORD_ANSWERED, &r->event,
	    view).n != 0)
		return EXCUSE_ANSWERED;
	return d->lost_n > 0 || f->lost_n > 0 ? EXCUSE_WENT_BACK :
	    EXCUSE_NONE;
}

enum excuse
excuse_of(const struct world *w, const struct world_refused *r)
{
	const struct device *d = &w->device[r->device];
	const struct device *f = device_of(w, &r->sender, r->from);
	struct app view;
	enum excuse e;

	if (f == d)
		return r->cause == ERR_ROLLBACK && d->lost_n > 0 ?
		    EXCUSE_OWN : EXCUSE_NONE;
	if (f == NULL)
		return EXCUSE_NONE;
	if (f->gone)
		return EXCUSE_REVOKED;
	app_view(d, &view);
	e = of_sender(w, r, f, &view);
	app_view_end(&view);
	return e;
}

bool
excuse_is_explained(const struct world *w, const struct device *d,
    const struct client_item *it)
{
	const struct device *f = device_of(w, &it->sender, it->device);

	if (f == d)
		return it->cause == ERR_ROLLBACK && d->lost_n > 0;
	if (f == NULL)
		return false;
	if (it->cause == ERR_UNTRUSTED)
		return f->is_renewed || f->gone;
	return d->lost_n > 0 || f->lost_n > 0 || f->gone;
}
