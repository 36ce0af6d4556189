/*
 * sock.c: what the application may ask of a Socket.IO socket, and the pointer
 * of its own that it keeps there. exports edge_is_open, edge_is_recovered,
 * edge_sock_*, edge_set_user, edge_user
 */
#include "edge/sio.h"

bool
edge_is_open(struct edge_ref sock)
{
	return edge_sio_find_open(sock) != NULL;
}

bool
edge_is_recovered(struct edge_ref sock)
{
	struct sock *k = edge_sio_find_open(sock);

	return k != NULL && k->more != NULL && k->more->recovered;
}

struct span
edge_sock_id(struct edge_ref sock)
{
	struct sock *k = edge_sio_find_open(sock);

	return k == NULL ? (struct span){ NULL, 0 } : SPAN_OF(k->id);
}

struct span
edge_sock_nsp(struct edge_ref sock)
{
	struct sock *k = edge_sio_find(sock);

	return k == NULL ? (struct span){ NULL, 0 } : edge_nsp_name(k->nsp);
}

struct span
edge_sock_transport(struct edge_ref sock)
{
	struct sock *k = edge_sio_find_open(sock);

	return k == NULL ? (struct span){ NULL, 0 } :
	    edge_session_transport(k->session);
}

void
edge_set_user(struct edge_ref sock, void *user)
{
	struct sock *k = edge_sio_find(sock);

	if (k != NULL)
		k->user = user;
}

void *
edge_user(struct edge_ref sock)
{
	struct sock *k = edge_sio_find(sock);

	return k == NULL ? NULL : k->user;
}
