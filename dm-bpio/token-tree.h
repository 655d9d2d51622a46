/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which tokens stand for which sectors of a volume, told apart by their age.
 * Pure: numbers in, numbers out; the caller's lock guards a tree.
 */
#ifndef _DM_BPIO_TOKEN_TREE_H
#define _DM_BPIO_TOKEN_TREE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* &struct bpio_token_range.born of a token under construction */
#define BPIO_BORN_NEVER		U64_MAX

struct bpio_token;

/**
 * struct bpio_token_range - sectors that a token stands for
 * @rb: in the volume's tree
 * @start: first sector of the volume
 * @last: last sector
 * @born: age of the token: pieces with a greater number serve it; or
 *	BPIO_BORN_NEVER
 * @subtree: the greatest @last, and the smallest and the greatest @born, of the
 *	subtree
 * @offset: bytes into the token's data
 * @token: the token
 */
struct bpio_token_range {
	struct rb_node rb;
	u64 start;
	u64 last;
	u64 born;
	struct {
		u64 last;
		u64 oldest;
		u64 newest;
	} subtree;
	u64 offset;
	struct bpio_token *token;
};

void bpio_token_tree_add(struct rb_root *tree, struct bpio_token_range *range);
void bpio_token_tree_del(struct rb_root *tree, struct bpio_token_range *range);
struct bpio_token_range *bpio_token_tree_find(const struct rb_root *tree,
					      u64 start, u64 last, u64 oldest,
					      u64 newest);

#endif /* _DM_BPIO_TOKEN_TREE_H */
