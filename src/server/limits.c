/* limits.c: see limits.h. */
#include "server/limits.h"

#include "base/text.h"

bool
limits_nets_decode(const char *list, struct limits_nets *out)
{
	struct span left = span_str(list);

	out->n = 0;
	while (left.n > 0) {
		size_t end = span_find(left, ',');
		struct span item = span_trim(span_sub(left, 0, end));

		if (out->n == EDGE_NETS_MAX ||
		    !edge_net_decode(item, &out->all[out->n]))
			return false;
		out->n++;
		left = span_sub(left, end + 1, left.n);
	}
	return true;
}

/* By address even where there is no limit now: there may be one later. */
static uint32_t
by_address(uint32_t max)
{
	return max == 0 ? UINT32_MAX : max;
}

static void
limits_http(const struct conf *c, struct edge_conf *e)
{
	e->conns_max = c->edge_conns_max;
	e->addr_conns_max = by_address(c->edge_addr_conns_max);
	e->handshakes_max = c->edge_handshakes_max;
	e->mem_max = c->edge_mem_max;
	e->head_max = c->edge_head_max;
	e->body_max = c->edge_payload_max;
	e->target_max = c->edge_target_max;
	e->fields_max = c->edge_fields_max;
	e->tls_ms = c->edge_handshake_ms;
	e->head_ms = c->edge_head_ms < c->edge_request_ms ?
	    c->edge_head_ms : c->edge_request_ms;
	e->body_ms = c->edge_request_ms;
	e->silence_ms = c->edge_silence_ms;
	e->rate_min = c->edge_rate_min;
	e->idle_ms = c->edge_idle_ms;
	e->answer_ms = c->edge_answer_ms;
	e->send_ms = c->edge_send_ms;
	e->close_ms = c->edge_close_ms;
	e->requests_max = c->edge_requests_max;
	e->spool_dir = NULL;		/* no operation takes a file */
}

static void
limits_sockets(const struct conf *c, struct edge_conf *e)
{
	e->ping_interval_ms = c->edge_ping_interval_ms;
	e->ping_timeout_ms = c->edge_ping_timeout_ms;
	e->message_max = c->edge_payload_max;
	e->join_max = c->edge_join_max < c->edge_payload_max ?
	    c->edge_join_max : c->edge_payload_max;
	e->out_max = c->edge_queue_max;
	e->held_max = c->edge_held_max;
	e->deflates_max = c->edge_deflates_max;
	e->deflate_bits = (uint8_t)c->edge_deflate_bits;
	e->eio_deflate = c->edge_deflate;
	e->polls_max = c->edge_polls_max;
	e->addr_polls_max = by_address(c->edge_addr_polls_max);
	e->linger_ms = c->edge_linger_ms;
	e->upgrade_ms = c->edge_upgrade_ms;
	e->forwards_max = c->edge_forwards_max;
	e->connect_ms = c->edge_connect_ms;
	/* Events are delivered by user and device (deliver.c), and nothing
	 * of ours is binary or asks a client. */
	e->rooms_max = 0;
	e->asks_max = 0;
	e->attachments_max = 0;
}

enum err
limits_edge(const struct conf *c, struct limits_nets *nets,
    struct edge_conf *out)
{
	struct span field = span_str(c->edge_trusted_field);

	if (!limits_nets_decode(c->edge_trusted, nets) ||
	    (!span_eq(field, SPAN("forwarded")) &&
	    !span_eq(field, SPAN("x-forwarded"))))
		return ERR_VALIDATION;
	edge_conf_default(out);
	limits_http(c, out);
	limits_sockets(c, out);
	out->trusted = nets->all;
	out->trusted_n = nets->n;
	out->forwarded = span_eq(field, SPAN("forwarded")) ?
	    EDGE_FORWARDED_RFC7239 : EDGE_FORWARDED_X;
	return OK;
}
