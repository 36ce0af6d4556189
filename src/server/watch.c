/* watch.c: see watch.h. On main's thread. */
#include "server/watch.h"

void
watch_set(struct watch *w, size_t i, const char *path)
{
	struct watch_file *f = &w->files[i];
	size_t n = path == NULL ? 0 : strlen(path);

	*f = (struct watch_file){ .there_taken = false };
	if (n == 0 || n >= sizeof(f->path))
		return;
	memcpy(f->path, path, n + 1);
	f->there_taken = f->there_seen = sys_file_look(path, &f->taken);
	f->seen = f->taken;
	if (w->n <= i)
		w->n = i + 1;
}

static bool
same(bool a_there, const struct sys_file_id *a, bool b_there,
    const struct sys_file_id *b)
{
	return a_there == b_there && (!a_there || sys_file_id_eq(a, b));
}

bool
watch_look(struct watch *w, size_t i)
{
	struct watch_file *f = &w->files[i];
	struct sys_file_id now = { 0 };
	bool there, rests;

	if (f->path[0] == '\0')
		return false;
	there = sys_file_look(f->path, &now);
	rests = same(there, &now, f->there_seen, &f->seen);
	f->seen = now;
	f->there_seen = there;
	if (!rests || same(there, &now, f->there_taken, &f->taken))
		return false;
	f->taken = now;
	f->there_taken = there;
	return there;	/* one that has gone may come back */
}
