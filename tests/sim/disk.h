/*
 * disk.h: a disk in memory that knows what was synced, and SQLite's door to
 * it (a VFS, the default one of the process, whose files are on the disk of
 * the process that runs). A crash keeps what was synced; of each page written
 * since either the old one, the new one or some sectors of both.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/kernel.h"

struct disk;

/* Once for the program: SQLite's files are here from now on. */
void disk_setup(void);
struct disk *disk_new(void);
void disk_free(struct disk *d);
/* What is there after a power cut now; d goes on. */
struct disk *disk_crashed(const struct disk *d);
/* What is there after an orderly end; d goes on. */
struct disk *disk_copy(const struct disk *d);
/*
 * After n more calls that write or sync on this disk, fn(arg) is called, once,
 * before that call has its effect. 0: never.
 */
void disk_trap(struct disk *d, uint64_t n, void (*fn)(void *arg), void *arg);
/* Each write passes here. */
void disk_tap(void (*tap)(const void *p, size_t n));
/* Syncs so far, of all disks. */
uint64_t disk_syncs(void);

#endif
