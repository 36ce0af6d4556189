/*
 * list.h: an intrusive, circular, doubly linked list. A list head and a member
 * are the same struct; a zeroed member is in no list.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_ITEM(l, type, member) \
	((type *)(void *)((char *)(l) - offsetof(type, member)))

static inline void
list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool
list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool
list_is_in(const struct list *item)
{
	return item->next != NULL;
}

static inline void
list_push(struct list *head, struct list *item)	/* at the end */
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Takes item out of its list; does nothing when it is in none. */
static inline void
list_remove(struct list *item)
{
	if (item->next == NULL)
		return;
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->prev = item->next = NULL;
}

/* The first, taken out; NULL when the list is empty. */
static inline struct list *
list_pop(struct list *head)
{
	struct list *l = head->next;

	if (l == head)
		return NULL;
	list_remove(l);
	return l;
}

#endif
