/*
 * eraser.h: erases accounts whose days of grace are over, step by step, on
 * shard 0.
 */
#ifndef SERVER_ERASER_H
#define SERVER_ERASER_H

struct shard;

/*
 * On its reactor: looks soon, then as often as sessions are swept, whether an
 * account is due (what a crash broke off is, too), and erases those that are.
 */
void eraser_start(struct shard *s);
void eraser_stop(struct shard *s);

#endif
