/*
 * disk.c: files of pages that are counted references, so that a crashed disk
 * or an older one costs an array of pointers. See disk.h. Pages of zeros are
 * not kept. Names are never removed before the disk is.
 */
#include <assert.h>
#include <sqlite3.h>

#include "sim/disk.h"

#define PAGE 4096
#define SECTOR 512
#define FILES_MAX 8
#define PAGES_MAX 65536		/* 256 MiB */
#define SHM_MAX 64
#define SHM_BYTES 32768
#define LOCKS 8
#define SYNC_US_MAX 3000

struct page {
	unsigned refs;
	uint8_t b[PAGE];
};

struct state {
	struct page **page;
	size_t pages_n;		/* room */
	uint64_t size;
};

struct node {
	char name[64];
	bool exists;
	struct state now, synced;
	uint32_t *dirty;	/* pages that may differ */
	size_t dirty_n, dirty_cap;
	/* What connections share. */
	uint8_t *shm[SHM_MAX];
	unsigned shared, reserved, pending, exclusive;	/* holders */
	unsigned shm_shared[LOCKS], shm_exclusive[LOCKS];
	unsigned opens, shm_opens;
};

struct disk {
	struct node node[FILES_MAX];
	uint64_t trap;
	void (*trap_fn)(void *arg);
	void *trap_arg;
};

static void (*tap_fn)(const void *p, size_t n);
static uint64_t syncs;

/* ----------------------------------------------------------------- pages */

static void
page_unref(struct page *p)
{
	if (p != NULL && --p->refs == 0)
		free(p);
}

static struct page *
page_ref(struct page *p)
{
	if (p != NULL)
		p->refs++;
	return p;
}

static void
state_room(struct state *s, size_t pages)
{
	size_t n = s->pages_n ? s->pages_n : 64;

	if (pages <= s->pages_n)
		return;
	assert(pages <= PAGES_MAX);
	while (n < pages)
		n *= 2;
	s->page = realloc(s->page, n * sizeof(s->page[0]));
	assert(s->page != NULL);
	memset(s->page + s->pages_n, 0,
	    (n - s->pages_n) * sizeof(s->page[0]));
	s->pages_n = n;
}

static struct page *
state_page(const struct state *s, size_t i)
{
	return i < s->pages_n ? s->page[i] : NULL;
}

static void
state_set(struct state *s, size_t i, struct page *p)
{
	state_room(s, i + 1);
	page_unref(s->page[i]);
	s->page[i] = p;
}

static void
state_copy(struct state *out, const struct state *s)
{
	*out = (struct state){ .size = s->size };
	state_room(out, s->pages_n);
	for (size_t i = 0; i < s->pages_n; i++)
		out->page[i] = page_ref(s->page[i]);
}

static void
state_fini(struct state *s)
{
	for (size_t i = 0; i < s->pages_n; i++)
		page_unref(s->page[i]);
	free(s->page);
	*s = (struct state){ 0 };
}

/* The page, to be written to: nobody else sees it. */
static struct page *
state_own(struct state *s, size_t i)
{
	struct page *p = state_page(s, i), *q;

	if (p != NULL && p->refs == 1)
		return p;
	q = calloc(1, sizeof(*q));
	assert(q != NULL);
	if (p != NULL)
		memcpy(q->b, p->b, PAGE);
	q->refs = 1;
	state_set(s, i, q);
	return q;
}

/* ----------------------------------------------------------------- disks */

struct disk *
disk_new(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	assert(d != NULL);
	return d;
}

void
disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct node *n = &d->node[i];

		state_fini(&n->now);
		state_fini(&n->synced);
		free(n->dirty);
		for (size_t k = 0; k < SHM_MAX; k++)
			free(n->shm[k]);
	}
	free(d);
}

/* A page of which some sectors were written. */
static struct page *
page_torn(const struct page *was, const struct page *is)
{
	struct page *p = calloc(1, sizeof(*p));

	assert(p != NULL);
	p->refs = 1;
	for (size_t i = 0; i < PAGE; i += SECTOR) {
		const struct page *from = rng_below(kernel_rng(), 2) ? is : was;

		if (from != NULL)
			memcpy(p->b + i, from->b + i, SECTOR);
	}
	return p;
}

static void
crash_node(struct node *out, const struct node *n)
{
	struct rng *r = kernel_rng();
	bool grew = n->now.size > n->synced.size && rng_below(r, 2);

	memcpy(out->name, n->name, sizeof(out->name));
	out->exists = n->exists;
	state_copy(&out->now, &n->synced);
	if (grew)
		out->now.size = n->now.size;
	for (size_t i = 0; i < n->dirty_n; i++) {
		size_t at = n->dirty[i];
		struct page *is = state_page(&n->now, at);
		struct page *was = state_page(&n->synced, at);
		uint64_t how = rng_below(r, 5);

		if ((uint64_t)at * PAGE >= out->now.size || how < 2)
			continue;
		state_set(&out->now, at, how < 4 ? page_ref(is) :
		    page_torn(was, is));
	}
	state_copy(&out->synced, &out->now);
}

struct disk *
disk_crashed(const struct disk *d)
{
	struct disk *out = disk_new();

	for (size_t i = 0; i < FILES_MAX; i++)
		if (d->node[i].exists)
			crash_node(&out->node[i], &d->node[i]);
	return out;
}

struct disk *
disk_copy(const struct disk *d)
{
	struct disk *out = disk_new();

	for (size_t i = 0; i < FILES_MAX; i++) {
		const struct node *n = &d->node[i];

		memcpy(out->node[i].name, n->name, sizeof(n->name));
		out->node[i].exists = n->exists;
		state_copy(&out->node[i].now, &n->now);
		state_copy(&out->node[i].synced, &n->now);
	}
	return out;
}

void
disk_trap(struct disk *d, uint64_t n, void (*fn)(void *arg), void *arg)
{
	d->trap = n;
	d->trap_fn = fn;
	d->trap_arg = arg;
}

void
disk_tap(void (*tap)(const void *p, size_t n))
{
	tap_fn = tap;
}

uint64_t
disk_syncs(void)
{
	return syncs;
}

static void
step_trap(struct disk *d)
{
	if (d->trap > 0 && --d->trap == 0)
		d->trap_fn(d->trap_arg);
}

/* ------------------------------------------------------------- the files */

struct file {
	sqlite3_file base;
	struct disk *disk;
	struct node *node;
	int level;		/* SQLITE_LOCK_* */
	bool shm;
	unsigned shm_shared, shm_exclusive;	/* bits */
};

static struct file *
of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static int
x_read(sqlite3_file *base, void *out, int n, sqlite3_int64 at)
{
	struct file *f = of(base);
	const struct state *s = &f->node->now;
	uint8_t *to = out;
	uint64_t from = (uint64_t)at, end = from + (uint64_t)n;

	while (from < end) {
		size_t in = from % PAGE, k = PAGE - in;
		struct page *p = state_page(s, from / PAGE);

		k = k < end - from ? k : (size_t)(end - from);
		if (p == NULL)
			memset(to, 0, k);
		else
			memcpy(to, p->b + in, k);
		to += k;
		from += k;
	}
	if (end <= s->size)
		return SQLITE_OK;
	from = s->size > (uint64_t)at ? s->size - (uint64_t)at : 0;
	memset((uint8_t *)out + from, 0, (size_t)n - from);
	return SQLITE_IOERR_SHORT_READ;
}

static void
mark_dirty(struct node *n, size_t page)
{
	if (state_page(&n->now, page) != state_page(&n->synced, page))
		return;		/* it is known already */
	if (n->dirty_n == n->dirty_cap) {
		n->dirty_cap = n->dirty_cap ? 2 * n->dirty_cap : 256;
		n->dirty = realloc(n->dirty, n->dirty_cap *
		    sizeof(n->dirty[0]));
		assert(n->dirty != NULL);
	}
	n->dirty[n->dirty_n++] = (uint32_t)page;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int
x_write(sqlite3_file *base, const void *in, int n, sqlite3_int64 at)
{
	struct file *f = of(base);
	struct state *s = &f->node->now;
	const uint8_t *from = in;
	uint64_t to = (uint64_t)at, end = to + (uint64_t)n;

	step_trap(f->disk);
	if (tap_fn != NULL)
		tap_fn(in, (size_t)n);
	while (to < end) {
		size_t off = to % PAGE, k = PAGE - off, i = to / PAGE;

		k = k < end - to ? k : (size_t)(end - to);
		if (state_page(s, i) != NULL || !is_zero(from, k)) {
			mark_dirty(f->node, i);
			memcpy(state_own(s, i)->b + off, from, k);
		}
		from += k;
		to += k;
	}
	if (end > s->size)
		s->size = end;
	return SQLITE_OK;
}

static int
x_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *f = of(base);
	struct state *s = &f->node->now;

	step_trap(f->disk);
	for (size_t i = ((uint64_t)size + PAGE - 1) / PAGE; i < s->pages_n;
	    i++) {
		if (s->page[i] == NULL)
			continue;
		mark_dirty(f->node, i);
		state_set(s, i, NULL);
	}
	s->size = (uint64_t)size;
	return SQLITE_OK;
}

/* It takes its time, in which others go on; what is durable then is it. */
static int
x_sync(sqlite3_file *base, int flags)
{
	struct file *f = of(base);
	struct node *n = f->node;

	(void)flags;
	step_trap(f->disk);
	syncs++;
	if (n->dirty_n > 0)
		kernel_sleep_us(20 + rng_below(kernel_rng(), SYNC_US_MAX));
	for (size_t i = 0; i < n->dirty_n; i++)
		state_set(&n->synced, n->dirty[i],
		    page_ref(state_page(&n->now, n->dirty[i])));
	n->dirty_n = 0;
	n->synced.size = n->now.size;
	return SQLITE_OK;
}

static int
x_size(sqlite3_file *base, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)of(base)->node->now.size;
	return SQLITE_OK;
}

/* ----------------------------------------------------------------- locks */

static int
x_unlock(sqlite3_file *base, int level)
{
	struct file *f = of(base);
	struct node *n = f->node;

	if (f->level > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
		n->reserved -= f->level >= SQLITE_LOCK_RESERVED;
		n->pending -= f->level >= SQLITE_LOCK_PENDING;
		n->exclusive -= f->level >= SQLITE_LOCK_EXCLUSIVE;
		f->level = SQLITE_LOCK_SHARED;
	}
	if (f->level == SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) {
		n->shared--;
		f->level = SQLITE_LOCK_NONE;
	}
	return SQLITE_OK;
}

static int
x_lock(sqlite3_file *base, int level)
{
	struct file *f = of(base);
	struct node *n = f->node;

	if (f->level >= level)
		return SQLITE_OK;
	if (f->level == SQLITE_LOCK_NONE) {
		if (n->pending > 0 || n->exclusive > 0)
			return SQLITE_BUSY;
		n->shared++;
		f->level = SQLITE_LOCK_SHARED;
	}
	if (level >= SQLITE_LOCK_RESERVED && f->level < SQLITE_LOCK_RESERVED) {
		if (n->reserved > 0)
			return SQLITE_BUSY;
		n->reserved++;
		f->level = SQLITE_LOCK_RESERVED;
	}
	if (level == SQLITE_LOCK_EXCLUSIVE) {
		if (f->level < SQLITE_LOCK_PENDING) {
			n->pending++;
			f->level = SQLITE_LOCK_PENDING;
		}
		if (n->shared > 1)
			return SQLITE_BUSY;
		n->exclusive++;
		f->level = SQLITE_LOCK_EXCLUSIVE;
	}
	return SQLITE_OK;
}

static int
x_check(sqlite3_file *base, int *out)
{
	*out = of(base)->node->reserved > 0;
	return SQLITE_OK;
}

static int
x_control(sqlite3_file *base, int op, void *arg)
{
	(void)base;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
x_sector(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

static int
x_features(sqlite3_file *base)
{
	(void)base;
	return 0;
}

/* -------------------------------------------------- the log's shared index */

static int
x_shm_map(sqlite3_file *base, int region, int size, int extend,
    void volatile **out)
{
	struct file *f = of(base);
	struct node *n = f->node;

	assert(region < SHM_MAX && size == SHM_BYTES);
	if (!f->shm)
		n->shm_opens++;
	f->shm = true;
	*out = NULL;
	if (n->shm[region] == NULL && extend) {
		n->shm[region] = calloc(1, SHM_BYTES);
		assert(n->shm[region] != NULL);
	}
	*out = n->shm[region];
	return SQLITE_OK;
}

static int
shm_unlock(struct file *f, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		unsigned bit = 1u << i;

		f->node->shm_shared[i] -= (f->shm_shared & bit) != 0;
		f->node->shm_exclusive[i] -= (f->shm_exclusive & bit) != 0;
		f->shm_shared &= ~bit;
		f->shm_exclusive &= ~bit;
	}
	return SQLITE_OK;
}

static int
x_shm_lock(sqlite3_file *base, int offset, int n_locks, int flags)
{
	struct file *f = of(base);
	struct node *n = f->node;
	unsigned from = (unsigned)offset, k = (unsigned)n_locks;

	if (flags & SQLITE_SHM_UNLOCK)
		return shm_unlock(f, from, k);
	for (unsigned i = from; i < from + k; i++) {
		unsigned mine = (f->shm_shared >> i) & 1;

		if (n->shm_exclusive[i] > 0)
			return SQLITE_BUSY;
		if ((flags & SQLITE_SHM_EXCLUSIVE) &&
		    n->shm_shared[i] > mine)
			return SQLITE_BUSY;
	}
	for (unsigned i = from; i < from + k; i++) {
		if (flags & SQLITE_SHM_EXCLUSIVE) {
			n->shm_exclusive[i]++;
			f->shm_exclusive |= 1u << i;
		} else if (!((f->shm_shared >> i) & 1)) {
			n->shm_shared[i]++;
			f->shm_shared |= 1u << i;
		}
	}
	return SQLITE_OK;
}

static void
x_shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int
x_shm_unmap(sqlite3_file *base, int is_last)
{
	struct file *f = of(base);
	struct node *n = f->node;

	if (!f->shm)
		return SQLITE_OK;
	shm_unlock(f, 0, LOCKS);
	f->shm = false;
	if (--n->shm_opens > 0 && !is_last)
		return SQLITE_OK;
	for (size_t i = 0; i < SHM_MAX && n->shm_opens == 0; i++) {
		free(n->shm[i]);
		n->shm[i] = NULL;
	}
	return SQLITE_OK;
}

static int
x_close(sqlite3_file *base)
{
	struct file *f = of(base);

	if (f->node == NULL)
		return SQLITE_OK;
	(void)x_unlock(base, SQLITE_LOCK_NONE);
	(void)x_shm_unmap(base, 0);
	f->node->opens--;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = x_close, .xRead = x_read, .xWrite = x_write,
	.xTruncate = x_truncate, .xSync = x_sync, .xFileSize = x_size,
	.xLock = x_lock, .xUnlock = x_unlock, .xCheckReservedLock = x_check,
	.xFileControl = x_control, .xSectorSize = x_sector,
	.xDeviceCharacteristics = x_features, .xShmMap = x_shm_map,
	.xShmLock = x_shm_lock, .xShmBarrier = x_shm_barrier,
	.xShmUnmap = x_shm_unmap,
};

/* ------------------------------------------------------------ file system */

static struct node *
find_node(struct disk *d, const char *name, bool make)
{
	struct node *room = NULL;

	for (size_t i = 0; i < FILES_MAX; i++) {
		struct node *n = &d->node[i];

		if (n->exists && strcmp(n->name, name) == 0)
			return n;
		if (!n->exists && room == NULL)
			room = n;
	}
	if (!make)
		return NULL;
	assert(room != NULL && strlen(name) < sizeof(room->name));
	room->exists = true;
	memcpy(room->name, name, strlen(name) + 1);
	return room;
}

static int
v_open(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *base, int flags,
    int *flags_out)
{
	struct file *f = of(base);
	struct disk *d = kernel_proc()->disk;

	(void)v;
	memset(f, 0, sizeof(*f));
	if (name == NULL || d == NULL)
		return SQLITE_CANTOPEN;
	f->disk = d;
	f->node = find_node(d, name, (flags & SQLITE_OPEN_CREATE) != 0);
	if (f->node == NULL)
		return SQLITE_CANTOPEN;
	f->node->opens++;
	f->base.pMethods = &methods;
	if (flags_out != NULL)
		*flags_out = flags;
	return SQLITE_OK;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	struct disk *d = kernel_proc()->disk;
	struct node *n = find_node(d, name, false);

	(void)v;
	(void)sync;
	if (n == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	step_trap(d);
	state_fini(&n->now);
	state_fini(&n->synced);
	n->dirty_n = 0;
	n->exists = n->opens > 0;
	return SQLITE_OK;
}

static int
v_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	struct node *n = find_node(kernel_proc()->disk, name, false);

	(void)v;
	/* An empty file counts as none, as it does on Unix. */
	*out = n != NULL && (flags != SQLITE_ACCESS_EXISTS || n->now.size > 0);
	return SQLITE_OK;
}

static int
v_path(sqlite3_vfs *v, const char *name, int n, char *out)
{
	(void)v;
	snprintf(out, (size_t)n, "%s", name);
	return SQLITE_OK;
}

static int
v_random(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	rng_bytes(kernel_rng(), out, (size_t)n);
	return n;
}

static int
v_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	kernel_sleep_us((uint64_t)us);
	return us;
}

static int
v_time(sqlite3_vfs *v, sqlite3_int64 *out)
{
	(void)v;
	/* Julian day number times 86,400,000. */
	*out = (sqlite3_int64)kernel_unix_ms(kernel_proc()) +
	    INT64_C(210866760000000);
	return SQLITE_OK;
}

static int
v_error(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	(void)n;
	(void)out;
	return 0;
}

void
disk_setup(void)
{
	static sqlite3_vfs vfs = { .iVersion = 2,
	    .szOsFile = (int)sizeof(struct file), .mxPathname = 63,
	    .zName = "sim", .xOpen = v_open, .xDelete = v_delete,
	    .xAccess = v_access, .xFullPathname = v_path,
	    .xRandomness = v_random, .xSleep = v_sleep,
	    .xGetLastError = v_error, .xCurrentTimeInt64 = v_time };

	/* The driver's own setting, before SQLite begins. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}
