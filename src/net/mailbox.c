/*
 * mailbox.c: a stack that many threads push to and one empties at a stroke,
 * turning it round; and the wake-up of a reader that sleeps.
 *
 * Implementation notes. The reader announces its sleep (asleep = true), then
 * looks once more; a writer pushes, then looks at asleep. Both are
 * sequentially consistent, so at least one of them sees the other: no mail is
 * left lying while the reader waits, and a reader that is awake costs its
 * writers no system call.
 */
#include "net/mailbox.h"

#include "base/sys.h"

enum err
mailbox_open(struct mailbox *b)
{
	atomic_init(&b->head, NULL);
	atomic_init(&b->asleep, false);
	b->fd = -1;
	return sys_wake_open(&b->fd);
}

void
mailbox_close(struct mailbox *b)
{
	sys_close(b->fd);
	b->fd = -1;
}

void
mailbox_post(struct mailbox *b, struct mail *m)
{
	struct mail *head = atomic_load_explicit(&b->head,
	    memory_order_relaxed);

	do {
		m->next = head;
	} while (!atomic_compare_exchange_weak(&b->head, &head, m));
	/* Of several writers one wakes the reader. */
	if (atomic_load(&b->asleep) && atomic_exchange(&b->asleep, false))
		sys_wake(b->fd);
}

struct mail *
mailbox_take(struct mailbox *b)
{
	struct mail *m, *first = NULL;

	if (atomic_load_explicit(&b->head, memory_order_relaxed) == NULL)
		return NULL;
	m = atomic_exchange(&b->head, NULL);
	while (m != NULL) {
		struct mail *older = m->next;

		m->next = first;
		first = m;
		m = older;
	}
	return first;
}

bool
mailbox_sleep(struct mailbox *b)
{
	atomic_store(&b->asleep, true);
	if (atomic_load(&b->head) == NULL)
		return true;
	mailbox_awake(b);
	return false;
}

void
mailbox_awake(struct mailbox *b)
{
	atomic_store(&b->asleep, false);
}
