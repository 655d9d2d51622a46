// SPDX-License-Identifier: GPL-2.0
/*
 * An interval tree of the sectors that tokens stand for.  Each subtree also
 * knows the age of its oldest and newest token, so that a search by age need
 * not pass over the others: thousands of tokens may stand for the same sector.
 */
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rbtree_augmented.h>
#include <bpio/compat.h>
#include "token-tree.h"

/* What a search looks at, at most, once it has something to answer. */
#define MAX_VISITS	1024

static struct bpio_token_range *to_range(const struct rb_node *node)
{
	return rb_entry_safe(node, struct bpio_token_range, rb);
}

/* Return: whether it was right before, if asked to stop there. */
static bool range_compute(struct bpio_token_range *range, bool exit)
{
	const struct bpio_token_range *child[] = {
		to_range(range->rb.rb_left), to_range(range->rb.rb_right),
	};
	u64 last = range->last, oldest = range->born, newest = range->born;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(child); i++) {
		if (!child[i])
			continue;
		last = max(last, child[i]->subtree.last);
		oldest = min(oldest, child[i]->subtree.oldest);
		newest = max(newest, child[i]->subtree.newest);
	}
	if (exit && range->subtree.last == last &&
	    range->subtree.oldest == oldest && range->subtree.newest == newest)
		return true;
	range->subtree.last = last;
	range->subtree.oldest = oldest;
	range->subtree.newest = newest;
	return false;
}

RB_DECLARE_CALLBACKS(static, range_callbacks, struct bpio_token_range, rb,
		     subtree, range_compute);

/**
 * bpio_token_tree_add - add a range to a tree
 * @tree: of a volume
 * @range: not in a tree; @start, @last and @born set, which stay as they are
 */
void bpio_token_tree_add(struct rb_root *tree, struct bpio_token_range *range)
{
	struct rb_node **link = &tree->rb_node, *parent = NULL;

	while (*link) {
		struct bpio_token_range *at = to_range(*link);

		parent = *link;
		at->subtree.last = max(at->subtree.last, range->last);
		at->subtree.oldest = min(at->subtree.oldest, range->born);
		at->subtree.newest = max(at->subtree.newest, range->born);
		link = range->start < at->start ? &parent->rb_left :
						  &parent->rb_right;
	}
	range->subtree.last = range->last;
	range->subtree.oldest = range->born;
	range->subtree.newest = range->born;
	rb_link_node(&range->rb, parent, link);
	rb_insert_augmented(&range->rb, tree, &range_callbacks);
}
BPIO_EXPORT_FOR_KUNIT(bpio_token_tree_add);

/**
 * bpio_token_tree_del - remove a range from a tree
 * @tree: of a volume
 * @range: in it
 */
void bpio_token_tree_del(struct rb_root *tree, struct bpio_token_range *range)
{
	rb_erase_augmented(&range->rb, tree, &range_callbacks);
}
BPIO_EXPORT_FOR_KUNIT(bpio_token_tree_del);

/* May a node below @node, or it itself, be an answer? */
static bool may_hold(const struct rb_node *node, u64 start, u64 oldest,
		     u64 newest)
{
	const struct bpio_token_range *range = to_range(node);

	return range && range->subtree.last >= start &&
	       range->subtree.newest >= oldest &&
	       range->subtree.oldest <= newest;
}

/* The first range of a subtree that ends at or behind @start; there is one. */
static struct bpio_token_range *first_behind(struct rb_node *node, u64 start)
{
	while (true) {
		const struct bpio_token_range *left = to_range(node->rb_left);

		if (left && left->subtree.last >= start) {
			node = node->rb_left;
			continue;
		}
		if (to_range(node)->last >= start)
			return to_range(node);
		node = node->rb_right;
	}
}

/**
 * bpio_token_tree_find - a token that stands for one of some sectors
 * @tree: of a volume
 * @start: first sector
 * @last: last sector
 * @oldest: smallest age
 * @newest: greatest age
 *
 * The work is bounded.  Whoever adds ranges can arrange them so that those that
 * overlap are of other ages, and those of these ages overlap not; after 1024 of
 * them the answer may be of another age.  Callers act safely then: they preserve
 * what need not be, or keep or kill what need not be.
 *
 * Return: of the ranges that overlap and are of these ages the one that begins
 * first, or one as described; or NULL.
 */
struct bpio_token_range *bpio_token_tree_find(const struct rb_root *tree,
					      u64 start, u64 last, u64 oldest,
					      u64 newest)
{
	struct rb_node *node = tree->rb_node, *from, *other = NULL;
	struct bpio_token_range *range, *left;
	unsigned int visits = 0;
	bool down = true;

	if (!may_hold(node, start, oldest, newest))
		return NULL;
	/* In order of @start, without the subtrees that hold no answer. */
	while (node) {
		if (down && may_hold(node->rb_left, start, oldest, newest)) {
			node = node->rb_left;
			continue;
		}
		range = to_range(node);
		if (range->start > last)
			break;
		if (range->last >= start && range->born >= oldest &&
		    range->born <= newest)
			return range;
		/* What is left of it begins in time, so it may overlap, too. */
		left = to_range(node->rb_left);
		if (range->last >= start ||
		    (left && left->subtree.last >= start))
			other = other ?: node;
		if (++visits > MAX_VISITS && other)
			return first_behind(other, start);
		if (may_hold(node->rb_right, start, oldest, newest)) {
			node = node->rb_right;
			down = true;
			continue;
		}
		do {
			from = node;
			node = rb_parent(node);
		} while (node && from == node->rb_right);
		down = false;
	}
	return NULL;
}
BPIO_EXPORT_FOR_KUNIT(bpio_token_tree_find);
