// SPDX-License-Identifier: GPL-2.0
/*
 * Where preserved data lies.  Owns: which places of a reserve are taken, and
 * the order of a volume's pieces.  Pure: knows no token, device or lock.
 *
 * A piece is what a chunk held when the piece was copied.  It serves the tokens
 * that were born before that and for which the chunk had not been copied yet:
 * of the pieces of a chunk, a token's is the first with a greater number than
 * its own.  So tokens need no list of pieces, however many share one.
 */
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <bpio/compat.h>
#include "reserve.h"

/* Groups of pieces that a search passes by: it runs under a spinlock. */
#define PIECES_PASSED_MAX	64

/**
 * bpio_slots_take - take a free place
 * @slots: slots
 *
 * Return: the place; @slots->nr when none is free.
 */
unsigned long bpio_slots_take(struct bpio_slots *slots)
{
	unsigned long slot;

	if (slots->used == slots->nr)
		return slots->nr;
	slot = find_next_zero_bit(slots->map, slots->nr, slots->next);
	if (slot >= slots->nr)
		slot = find_first_zero_bit(slots->map, slots->nr);
	__set_bit(slot, slots->map);
	slots->used++;
	slots->next = slot + 1;
	return slot;
}
BPIO_EXPORT_FOR_KUNIT(bpio_slots_take);

/**
 * bpio_slots_give - give a place back
 * @slots: slots
 * @slot: from bpio_slots_take()
 */
void bpio_slots_give(struct bpio_slots *slots, unsigned long slot)
{
	if (WARN_ON_ONCE(!__test_and_clear_bit(slot, slots->map)))
		return;
	slots->used--;
}
BPIO_EXPORT_FOR_KUNIT(bpio_slots_give);

/**
 * bpio_chunk - the chunk that holds a sector
 * @sector: of the volume, within the target
 * @begin: first sector of the target
 * @nr_sectors: sectors of the target
 * @start: out: first sector of the chunk
 * @last: out: its last
 */
void bpio_chunk(u64 sector, u64 begin, u64 nr_sectors, u64 *start, u64 *last)
{
	*start = round_down(sector, BPIO_CHUNK_SECTORS);
	*last = min(*start + BPIO_CHUNK_SECTORS, begin + nr_sectors) - 1;
	*start = max(*start, begin);
}
BPIO_EXPORT_FOR_KUNIT(bpio_chunk);

static bool piece_less(const struct bpio_piece *piece, u64 start, u64 seq)
{
	return piece->start < start ||
	       (piece->start == start && piece->seq < seq);
}

/**
 * bpio_pieces_add - add a piece to a volume's
 * @pieces: of the volume
 * @piece: not there yet; removed by rb_erase()
 */
void bpio_pieces_add(struct rb_root *pieces, struct bpio_piece *piece)
{
	struct rb_node **link = &pieces->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (piece_less(rb_entry(parent, struct bpio_piece, rb),
			       piece->start, piece->seq))
			link = &parent->rb_right;
		else
			link = &parent->rb_left;
	}
	rb_link_node(&piece->rb, parent, link);
	rb_insert_color(&piece->rb, pieces);
}
BPIO_EXPORT_FOR_KUNIT(bpio_pieces_add);

/**
 * bpio_pieces_newest - the last piece of a chunk
 * @pieces: of the volume
 * @sector: of the chunk
 *
 * Return: its number; 0 when there is none.
 */
u64 bpio_pieces_newest(const struct rb_root *pieces, u64 sector)
{
	struct rb_node *node = pieces->rb_node;
	struct bpio_piece *found = NULL;

	/* The last one that begins at or before it. */
	while (node) {
		struct bpio_piece *piece = rb_entry(node, struct bpio_piece,
						    rb);

		if (piece->start <= sector) {
			found = piece;
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return found && found->last >= sector ? found->seq : 0;
}
BPIO_EXPORT_FOR_KUNIT(bpio_pieces_newest);

/**
 * bpio_pieces_before - the piece of the same chunk before this one
 * @piece: in a volume's tree
 *
 * Return: its number; 0 when there is none.
 */
u64 bpio_pieces_before(const struct bpio_piece *piece)
{
	struct bpio_piece *before = rb_entry_safe(rb_prev(&piece->rb),
						  struct bpio_piece, rb);

	return before && before->start == piece->start ? before->seq : 0;
}
BPIO_EXPORT_FOR_KUNIT(bpio_pieces_before);

/* The first piece that is not before (@start, @seq), or NULL. */
static struct bpio_piece *pieces_from(const struct rb_root *pieces, u64 start,
				      u64 seq)
{
	struct rb_node *node = pieces->rb_node;
	struct bpio_piece *found = NULL;

	while (node) {
		struct bpio_piece *piece = rb_entry(node, struct bpio_piece,
						    rb);

		if (piece_less(piece, start, seq)) {
			node = node->rb_right;
		} else {
			found = piece;
			node = node->rb_left;
		}
	}
	return found;
}

/**
 * bpio_pieces_next - where a token's data is next to be found in a reserve
 * @pieces: of the volume
 * @sector: in: where to begin; out: nothing that was passed by is preserved:
 *	the first sector of the answer, or with none @last + 1, or less when
 *	much was passed by; then it is beyond what it was
 * @last: where to end
 * @born: of the token
 *
 * Return: the first piece of the token that holds *@sector or a sector behind
 * it, up to @last; NULL when none was found.
 */
struct bpio_piece *bpio_pieces_next(const struct rb_root *pieces, u64 *sector,
				    u64 last, u64 born)
{
	/* Nothing that begins before it holds *@sector. */
	u64 key = round_down(*sector, BPIO_CHUNK_SECTORS);
	struct bpio_piece *piece;
	unsigned int passed;

	for (passed = 0; passed < PIECES_PASSED_MAX || key <= *sector;
	     passed++) {
		piece = pieces_from(pieces, key, 0);
		if (!piece || piece->start > last) {
			*sector = last + 1;
			return NULL;
		}
		key = piece->start;
		if (piece->seq <= born)
			piece = pieces_from(pieces, key, born + 1);
		if (piece && piece->start == key && piece->last >= *sector) {
			*sector = max(*sector, key);
			return piece;
		}
		key++;
	}
	*sector = key;
	return NULL;
}
BPIO_EXPORT_FOR_KUNIT(bpio_pieces_next);
