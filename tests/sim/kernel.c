/*
 * kernel.c: fibers, clock and events of the simulation; exports kernel_*,
 * thread_* (net/thread.h) and of base/sys.h sys_unix_ms, sys_mono_us,
 * sys_random. See kernel.h.
 *
 * Implementation notes. A fiber runs until it waits; then the scheduler, on
 * the stack of kernel_run, chooses one of those that can go on. Locks can be
 * held over a wait by nobody but by mistake, which is an assertion. Which
 * reactor a thread runs is thread-local in net/reactor.c: each switch sets
 * it anew. Stacks are used again, for servers start often.
 */
#include <assert.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/sys.h"
#include "net/reactor.h"
#include "net/thread.h"
#include "sim/kernel.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(HAS_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES ((size_t)1 << 20)
#define FIBERS_MAX 256
/* The run begins at this Unix time, 2026-01-01. */
#define EPOCH_MS 1767225600000u

struct fiber {
	ucontext_t context;
	uint8_t *stack;
	void *fake;		/* the sanitizer's, of the stack */
	struct proc *proc;
	struct reactor *reactor;
	char name[16];
	void (*fn)(void *arg);
	void *arg;
	uint64_t serial;	/* no other fiber has had it */
	bool used, ready, done, timed_out;
	const void *thing;
	uint64_t until_us;
};

struct event {
	uint64_t at_us, order;
	void (*fn)(void *arg);
	void *arg;
};

static struct {
	struct fiber fiber[FIBERS_MAX];
	struct fiber *self;
	size_t fibers_n;	/* used ones are below */
	ucontext_t scheduler;
	void *fake;
	const void *main_stack;
	size_t main_stack_n;
	uint64_t now_us;
	struct event *heap;
	size_t events_n, events_cap;
	uint64_t order;
	struct rng rng, keys;
	uint64_t trace;
	uint64_t switches, serial;
} k;

/* ------------------------------------------------------------- switching */

static void
enter_fiber(struct fiber *f)
{
#if defined(HAS_ASAN)
	__sanitizer_start_switch_fiber(&k.fake, f->stack, STACK_BYTES);
#endif
	k.self = f;
	reactor_adopt(f->reactor);
	if (swapcontext(&k.scheduler, &f->context) != 0)
		abort();
#if defined(HAS_ASAN)
	__sanitizer_finish_switch_fiber(k.fake, NULL, NULL);
#endif
	f->reactor = reactor_self();
	k.self = NULL;
}

static void
leave_fiber(struct fiber *f)
{
#if defined(HAS_ASAN)
	__sanitizer_start_switch_fiber(f->done ? NULL : &f->fake,
	    k.main_stack, k.main_stack_n);
#endif
	if (swapcontext(&f->context, &k.scheduler) != 0)
		abort();
#if defined(HAS_ASAN)
	__sanitizer_finish_switch_fiber(f->fake, &k.main_stack,
	    &k.main_stack_n);
#endif
}

static void
fiber_main(void)
{
	struct fiber *f = k.self;

#if defined(HAS_ASAN)
	__sanitizer_finish_switch_fiber(NULL, &k.main_stack,
	    &k.main_stack_n);
#endif
	f->fn(f->arg);
	f->done = true;
	f->ready = false;
	kernel_wake(f);
	leave_fiber(f);
	abort();
}

static void
prepare(struct fiber *f)
{
	if (getcontext(&f->context) != 0)
		abort();
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&f->context, fiber_main, 0);
}

static struct fiber *
spawn(struct proc *p, const char *name, void (*fn)(void *arg), void *arg)
{
	struct fiber *f = NULL;
	uint8_t *stack;

	for (size_t i = 0; i < FIBERS_MAX && f == NULL; i++)
		if (!k.fiber[i].used)
			f = &k.fiber[i];
	assert(f != NULL);
	stack = f->stack;
	if (stack == NULL)
		stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(stack != MAP_FAILED);
	*f = (struct fiber){ .stack = stack, .proc = p, .fn = fn, .arg = arg,
	    .used = true, .ready = true, .until_us = KERNEL_NEVER,
	    .serial = ++k.serial };
	snprintf(f->name, sizeof(f->name), "%s", name);
	prepare(f);
	if (f >= &k.fiber[k.fibers_n])
		k.fibers_n = (size_t)(f - k.fiber) + 1;
	return f;
}

void
kernel_spawn(struct proc *p, const char *name, void (*fn)(void *arg),
    void *arg)
{
	(void)spawn(p, name, fn, arg);
}

/* -------------------------------------------------------------- waiting */

bool
kernel_wait(const void *thing, uint64_t until_us)
{
	struct fiber *f = k.self;

	assert(f != NULL);
	f->ready = f->timed_out = false;
	f->thing = thing;
	f->until_us = until_us;
	leave_fiber(f);
	f->thing = NULL;
	f->until_us = KERNEL_NEVER;
	return !f->timed_out;
}

void
kernel_sleep_us(uint64_t us)
{
	(void)kernel_wait(NULL, k.now_us + us);
}

void
kernel_wake(const void *thing)
{
	for (size_t i = 0; i < k.fibers_n; i++)
		if (k.fiber[i].used && k.fiber[i].thing == thing)
			k.fiber[i].ready = true;
}

void
kernel_wake_one(const void *thing)
{
	struct fiber *f = NULL;
	uint64_t n = 0;

	for (size_t i = 0; i < k.fibers_n; i++) {
		struct fiber *g = &k.fiber[i];

		if (g->used && !g->ready && g->thing == thing &&
		    rng_below(&k.rng, ++n) == 0)
			f = g;
	}
	if (f != NULL)
		f->ready = true;
}

/* --------------------------------------------------------------- events */

static bool
event_before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us :
	    a->order < b->order;
}

void
kernel_at(uint64_t at_us, void (*fn)(void *arg), void *arg)
{
	struct event e = { at_us < k.now_us ? k.now_us : at_us, k.order++,
	    fn, arg };
	size_t i = k.events_n++;

	if (k.events_n > k.events_cap) {
		k.events_cap = k.events_cap ? 2 * k.events_cap : 1024;
		k.heap = realloc(k.heap, k.events_cap * sizeof(e));
		assert(k.heap != NULL);
	}
	for (; i > 0 && event_before(&e, &k.heap[(i - 1) / 2]);
	    i = (i - 1) / 2)
		k.heap[i] = k.heap[(i - 1) / 2];
	k.heap[i] = e;
}

static struct event
take_event(void)
{
	struct event top = k.heap[0], last = k.heap[--k.events_n];
	size_t i = 0;

	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= k.events_n)
			break;
		if (c + 1 < k.events_n &&
		    event_before(&k.heap[c + 1], &k.heap[c]))
			c++;
		if (event_before(&last, &k.heap[c]))
			break;
		k.heap[i] = k.heap[c];
		i = c;
	}
	k.heap[i] = last;
	return top;
}

/* ------------------------------------------------------------ scheduling */

/* One that can go on, any of them; *next_us: when the first of others can. */
static struct fiber *
choose(uint64_t *next_us)
{
	struct fiber *f = NULL;
	uint64_t n = 0;

	*next_us = KERNEL_NEVER;
	for (size_t i = 0; i < k.fibers_n; i++) {
		struct fiber *g = &k.fiber[i];

		if (!g->used)
			continue;
		if (!g->ready && g->until_us <= k.now_us)
			g->ready = g->timed_out = true;
		if (g->ready && rng_below(&k.rng, ++n) == 0)
			f = g;
		if (!g->ready && g->until_us < *next_us)
			*next_us = g->until_us;
	}
	return f;
}

static void
run_fiber(struct fiber *f)
{
	k.switches++;
	kernel_trace_u64((uint64_t)(f - k.fiber) ^ (k.now_us << 8));
	enter_fiber(f);
	/* Computing takes its time, too. */
	k.now_us += 1 + rng_below(&k.rng, 20);
	if (f->done) {
		f->used = false;
		while (k.fibers_n > 0 && !k.fiber[k.fibers_n - 1].used)
			k.fibers_n--;
	}
}

bool
kernel_run(void)
{
	while (k.fibers_n > 0) {
		uint64_t next_us;
		struct fiber *f;

		while (k.events_n > 0 && k.heap[0].at_us <= k.now_us) {
			struct event e = take_event();

			e.fn(e.arg);
		}
		f = choose(&next_us);
		if (f != NULL) {
			run_fiber(f);
			continue;
		}
		if (k.events_n > 0 && k.heap[0].at_us < next_us)
			next_us = k.heap[0].at_us;
		if (next_us == KERNEL_NEVER)
			return false;
		k.now_us = next_us;
	}
	return true;
}

void
kernel_open(uint64_t seed)
{
	k.now_us = 1000000;
	k.order = k.switches = 0;
	k.rng = rng_init(seed, 1);
	k.keys = rng_init(seed, 2);
	k.trace = 0;
}

void
kernel_close(void)
{
	assert(k.fibers_n == 0);
	for (size_t i = 0; i < FIBERS_MAX; i++) {
		if (k.fiber[i].stack != NULL &&
		    munmap(k.fiber[i].stack, STACK_BYTES) != 0)
			abort();
		k.fiber[i].stack = NULL;
	}
	while (k.events_n > 0) {
		struct event e = take_event();

		e.fn(e.arg);
	}
	free(k.heap);
	k.heap = NULL;
	k.events_cap = 0;
}

struct proc *
kernel_proc(void)
{
	assert(k.self != NULL);
	return k.self->proc;
}

uint64_t
kernel_now_us(void)
{
	return k.now_us;
}

uint64_t
kernel_unix_ms(const struct proc *p)
{
	return (uint64_t)((int64_t)(EPOCH_MS + k.now_us / 1000) +
	    p->shift_ms);
}

struct rng *
kernel_rng(void)
{
	return &k.rng;
}

struct rng *
kernel_key_rng(void)
{
	return &k.keys;
}

void
kernel_trace_u64(uint64_t v)
{
	k.trace = (k.trace ^ v) * 0x9e3779b97f4a7c15u;
	k.trace ^= k.trace >> 29;
}

void
kernel_trace(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t v;

	kernel_trace_u64(n);
	for (; n >= sizeof(v); n -= sizeof(v), at += sizeof(v)) {
		memcpy(&v, at, sizeof(v));
		kernel_trace_u64(v);
	}
	v = 0;
	memcpy(&v, at, n);
	kernel_trace_u64(v);
}

uint64_t
kernel_trace_hash(void)
{
	return k.trace;
}

uint64_t
kernel_switches(void)
{
	return k.switches;
}

/* ------------------------------------------------------- clocks, of sys.h */

uint64_t
sys_unix_ms(void)
{
	return kernel_unix_ms(kernel_proc());
}

uint64_t
sys_mono_us(void)
{
	return k.now_us;
}

void
sys_random(void *p, size_t n)
{
	rng_bytes(&k.keys, p, n);
}

/* -------------------------------------------------------- net/thread.h */

enum err
thread_start(struct thread *t, const char *name, void (*fn)(void *arg),
    void *arg, int cpu)
{
	*t = (struct thread){ .fn = fn, .arg = arg, .cpu = cpu,
	    .started = true };
	t->id = (pthread_t)spawn(kernel_proc(), name, fn, arg)->serial;
	return OK;
}

void
thread_join(struct thread *t)
{
	if (!t->started)
		return;
	for (size_t i = 0; i < k.fibers_n; i++) {
		struct fiber *f = &k.fiber[i];

		while (f->used && f->serial == (uint64_t)t->id && !f->done)
			(void)kernel_wait(f, KERNEL_NEVER);
	}
	t->started = false;
}

void
thread_sleep_ms(uint64_t ms)
{
	kernel_sleep_us(ms * 1000);
}

/* Nobody is interrupted, so a lock only says that its holder does not wait. */
void
thread_lock_init(struct thread_lock *l)
{
	memset(l, 0, sizeof(*l));
}

void
thread_lock_fini(struct thread_lock *l)
{
	memset(l, 0, sizeof(*l));
}

static bool
is_held(const struct thread_lock *l)
{
	uint8_t held;

	memcpy(&held, l, 1);
	return held != 0;
}

void
thread_lock_take(struct thread_lock *l)
{
	uint8_t held = 1;

	while (is_held(l))
		(void)kernel_wait(l, KERNEL_NEVER);
	memcpy(l, &held, 1);
}

void
thread_lock_give(struct thread_lock *l)
{
	uint8_t held = 0;

	assert(is_held(l));
	memcpy(l, &held, 1);
	kernel_wake(l);
}

void
thread_cond_init(struct thread_cond *c)
{
	memset(c, 0, sizeof(*c));
}

void
thread_cond_fini(struct thread_cond *c)
{
	memset(c, 0, sizeof(*c));
}

void
thread_cond_wait(struct thread_cond *c, struct thread_lock *l)
{
	thread_lock_give(l);
	(void)kernel_wait(c, KERNEL_NEVER);
	thread_lock_take(l);
}

bool
thread_cond_wait_ms(struct thread_cond *c, struct thread_lock *l, uint64_t ms)
{
	bool woken;

	thread_lock_give(l);
	woken = kernel_wait(c, k.now_us + ms * 1000);
	thread_lock_take(l);
	return woken;
}

void
thread_cond_wake_one(struct thread_cond *c)
{
	kernel_wake_one(c);
}

void
thread_cond_wake_all(struct thread_cond *c)
{
	kernel_wake(c);
}
