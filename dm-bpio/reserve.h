/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where preserved data lies: the places of a reserve, and the pieces of a
 * volume that were copied to them.  Pure: numbers in, numbers out.
 */
#ifndef _DM_BPIO_RESERVE_H
#define _DM_BPIO_RESERVE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* What is copied aside at once, and the size of a place: 64 KiB */
#define BPIO_CHUNK_SECTORS	128

/**
 * struct bpio_slots - which places of a reserve are taken
 * @map: a bit per place
 * @nr: places
 * @used: of them taken
 * @next: where to look first
 */
struct bpio_slots {
	unsigned long *map;
	unsigned long nr;
	unsigned long used;
	unsigned long next;
};

struct dm_bpio_reserve;

/**
 * struct bpio_piece - a chunk of a volume as it was before it was written to
 * @rb: in the volume's tree, by @start, then @seq
 * @start: first sector of the volume; a chunk, cut at the ends of its target
 * @last: last sector
 * @seq: serves tokens that were born before; in the order of copying
 * @readers: commands that are reading it
 * @slot: its place
 * @reserve: in this reserve
 */
struct bpio_piece {
	struct rb_node rb;
	u64 start;
	u64 last;
	u64 seq;
	unsigned int readers;
	unsigned long slot;
	struct dm_bpio_reserve *reserve;
};

unsigned long bpio_slots_take(struct bpio_slots *slots);
void bpio_slots_give(struct bpio_slots *slots, unsigned long slot);

void bpio_chunk(u64 sector, u64 begin, u64 nr_sectors, u64 *start, u64 *last);
void bpio_pieces_add(struct rb_root *pieces, struct bpio_piece *piece);
u64 bpio_pieces_newest(const struct rb_root *pieces, u64 sector);
u64 bpio_pieces_before(const struct bpio_piece *piece);
struct bpio_piece *bpio_pieces_next(const struct rb_root *pieces, u64 *sector,
				    u64 last, u64 born);

#endif /* _DM_BPIO_RESERVE_H */
