// SPDX-License-Identifier: GPL-2.0
/*
 * Live tokens: caps, time to live, look-up, and their death by a write to what
 * they stand for, or which pieces of that were preserved.  Owns the memory of a
 * token and the trees of a volume.  Knows nothing of how data is copied; what
 * the 512 bytes look like is token.c's affair.
 *
 * A token is a capability (protocol 3.4, 9.3): nothing in the 512 bytes is
 * trusted.  The HMAC tells a forged or altered one, the random id finds ours.
 *
 * Point in time, rule TK-3: a redemption reads old data only.
 *
 *  writer:         W0 with ``on_write preserve``: copy the chunk aside, as a
 *                     piece in a reserve
 *                  W1 mark every overlapping token dead, or add the piece
 *                  W2 wait for the commands that hold the sectors
 *                  W3 submit the write
 *  copier:         C0 look where the data lies
 *                  C1 if the token is alive and no piece of the data was added
 *                     since C0, hold the sectors or the piece
 *                  C2 submit the command
 *                  C3 when the command has read, drop the hold
 *
 * W1 and C1 are atomic under token_lock.  If C1 comes first, W2 waits for C3.
 * If W1 comes first, C1 does not hold and the command is not submitted.  So no
 * write to what a command reads is submitted between C2 and C3.
 *
 * A hold is dropped when the device has read, not when the copy is written, and
 * nothing else is waited for between C1 and C3: W2 is as long as a read.
 *
 * What W0 copies is as old as every token that the piece serves: those that
 * were issued before W0 and have no piece of that chunk.  A write to their
 * sectors would wait for one; those that were in flight before had ended when
 * they were issued.  Their ranges stay as they are and tell where the data was.
 * Pieces belong to the volume and are numbered, as tokens are when they are
 * issued; which one is a token's, the numbers tell (reserve.c).
 *
 * A write that was in flight when its range was added is not seen here: the
 * builder waits for those before it issues (see bpio/storage.h).  Copies that
 * write past map() are waited for at the issue, see dm_bpio_pass_begin().  So
 * what W2 waits for was held before W1, and is not joined by others.
 *
 * A token does not expire while it is being redeemed: a command may take longer
 * than an inactivity timer of milliseconds (TK-7).
 */
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timer.h>
#include <linux/uidgid.h>
#include <linux/uuid.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <bpio/compat.h>
#include <bpio/token.h>
#include "dm-bpio.h"

/*
 * One owner, told by its fsuid, may hold that share of a device's max_tokens;
 * an owner with CAP_SYS_RESOURCE is bound by max_tokens alone.
 */
#define BPIO_OWNER_SHARE	4

/* Pieces or chunks looked at, and tokens that die, under one spinlock. */
#define MAX_LOOKS		16
#define MAX_DEATHS		16

/* Who holds how many tokens of a volume; under token_lock. */
struct token_owner {
	struct rb_node rb;
	kuid_t uid;
	unsigned int nr;
};

/**
 * struct bpio_token - a token, under construction or live or dead
 * @node: in bpio_tokens while @hashed
 * @id: key; random
 * @ref: one for being alive, one for an armed timer, one per user
 * @vol: volume that the ranges lie on; NULL for the zero token
 * @list: in vol->tokens while alive
 * @owner: whose cap it counts against
 * @dead: set once, under vol->token_lock; read without
 * @building: not yet issued; ranges may be added
 * @hashed: in the table
 * @nr: ranges
 * @zero: bit per range: reads as zeros, lies nowhere
 * @born: vol->piece_seq when it was issued, which later pieces serve; before
 *	that BPIO_BORN_NEVER
 * @ranges: @one, or an allocation; sorted by offset once issued
 * @length: bytes that the token stands for
 * @limit: bytes it may stand for, see bpio_token_limit()
 * @ttl: jiffies of inactivity (TK-7)
 * @expires: jiffies at which it dies unless used
 * @redemptions: in progress; the timer waits for their end
 * @timer: kills it, some time after @expires
 * @rcu: frees it
 * @one: the range of a token that has only one
 *
 * @ranges, @nr, @zero and @length change only while building; after that they
 * are read without a lock.
 */
struct bpio_token {
	struct rhash_head node;
	u8 id[BPIO_TOKEN_ID_LENGTH];
	struct kref ref;
	bool dead;
	bool building;
	bool hashed;
	struct dm_bpio_volume *vol;
	struct list_head list;
	struct token_owner *owner;
	unsigned int nr;
	u64 zero;
	u64 born;
	struct bpio_token_range *ranges;
	u64 length;
	u64 limit;
	unsigned long ttl;
	unsigned long expires;
	atomic_t redemptions;
	struct timer_list timer;
	struct rcu_head rcu;
	struct bpio_token_range one;
};

static_assert(BPIO_TOKEN_MAX_RANGES <= 64);	/* bits of bpio_token.zero */

static const struct rhashtable_params token_params = {
	.key_len = BPIO_TOKEN_ID_LENGTH,
	.key_offset = offsetof(struct bpio_token, id),
	.head_offset = offsetof(struct bpio_token, node),
	.automatic_shrinking = true,
};

static struct rhashtable bpio_tokens;
static struct kmem_cache *token_cache;
static struct crypto_shash *token_hmac;
static u8 token_uuid[BPIO_TOKEN_UUID_LENGTH];

/* What every zero token is, whoever made it (TK-4: any length, any offset). */
static struct bpio_token zero_token = {
	.ref = KREF_INIT(1),
	.length = U64_MAX,
	.limit = U64_MAX,
};

static bool range_is_zero(const struct bpio_token *token, unsigned int i)
{
	return token->zero & BIT_ULL(i);
}

static u64 range_length(const struct bpio_token_range *range)
{
	return (range->last - range->start + 1) << SECTOR_SHIFT;
}

static void token_to_run(const struct bpio_token *token, unsigned int i,
			 struct bpio_run *run)
{
	const struct bpio_token_range *range = &token->ranges[i];

	run->offset = range->offset;
	run->length = range_length(range);
	run->source = range_is_zero(token, i) ? BPIO_RUN_ZERO : range->start;
}

static void run_to_token(struct bpio_token *token, unsigned int i,
			 const struct bpio_run *run)
{
	struct bpio_token_range *range = &token->ranges[i];
	u64 start = run->source == BPIO_RUN_ZERO ? 0 : run->source;

	range->token = token;
	range->offset = run->offset;
	range->start = start;
	range->last = start + (run->length >> SECTOR_SHIFT) - 1;
	if (run->source == BPIO_RUN_ZERO)
		token->zero |= BIT_ULL(i);
	else
		token->zero &= ~BIT_ULL(i);
}

static void token_tree_add(struct bpio_token *token, unsigned int i)
{
	lockdep_assert_held(&token->vol->token_lock);
	if (range_is_zero(token, i))
		return;
	token->ranges[i].born = token->born;
	bpio_token_tree_add(&token->vol->token_ranges, &token->ranges[i]);
}

static void token_tree_del(struct bpio_token *token, unsigned int i)
{
	lockdep_assert_held(&token->vol->token_lock);
	if (!range_is_zero(token, i))
		bpio_token_tree_del(&token->vol->token_ranges,
				    &token->ranges[i]);
}

/* ---- owners -------------------------------------------------------------- */

static int owner_cmp(const void *uid, const struct rb_node *node)
{
	const struct token_owner *owner =
		rb_entry(node, struct token_owner, rb);
	u32 a = __kuid_val(*(const kuid_t *)uid), b = __kuid_val(owner->uid);

	return a < b ? -1 : a > b;
}

static int owner_cmp_node(struct rb_node *new, const struct rb_node *node)
{
	return owner_cmp(&rb_entry(new, struct token_owner, rb)->uid, node);
}

/*
 * Count a token against its owner.  Takes *@spare when it is the owner's first
 * and sets it to NULL.  Return: NULL when the owner has its share.
 */
static struct token_owner *owner_charge(struct dm_bpio_volume *vol,
					struct token_owner **spare,
					unsigned int max)
{
	struct token_owner *owner;
	struct rb_node *node;

	lockdep_assert_held(&vol->token_lock);
	node = rb_find_add(&(*spare)->rb, &vol->token_owners, owner_cmp_node);
	if (node) {
		owner = rb_entry(node, struct token_owner, rb);
	} else {
		owner = *spare;
		*spare = NULL;
	}
	if (owner->nr >= max)
		return NULL;
	owner->nr++;
	return owner;
}

static void owner_uncharge(struct dm_bpio_volume *vol,
			   struct token_owner *owner)
{
	lockdep_assert_held(&vol->token_lock);
	if (--owner->nr)
		return;
	rb_erase(&owner->rb, &vol->token_owners);
	kfree(owner);
}

/* ---- life and death ------------------------------------------------------ */

static void token_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(token_cache, container_of(rcu, struct bpio_token, rcu));
}

static void token_release(struct kref *ref)
{
	struct bpio_token *token = container_of(ref, struct bpio_token, ref);

	if (token->ranges != &token->one)
		kfree(token->ranges);
	dm_bpio_volume_release(token->vol);
	call_rcu(&token->rcu, token_free_rcu);
}

/**
 * bpio_token_put - give back a reference from bpio_token_find()
 * @token: token; the zero token is fine
 *
 * Context: any but hard interrupt.
 */
void bpio_token_put(struct bpio_token *token)
{
	if (token != &zero_token)
		kref_put(&token->ref, token_release);
}
EXPORT_SYMBOL_GPL(bpio_token_put);

struct bpio_token *dm_bpio_token_hold(struct bpio_token *token)
{
	if (token != &zero_token)
		kref_get(&token->ref);
	return token;
}

/*
 * Step one of a death: from here on no redemption of @token succeeds.  Moves
 * it to @dying, for token_bury() outside the lock.
 */
static void token_mark_dead(struct bpio_token *token, struct list_head *dying)
{
	struct dm_bpio_volume *vol = token->vol;
	unsigned int i;

	lockdep_assert_held(&vol->token_lock);
	WRITE_ONCE(token->dead, true);
	for (i = 0; i < token->nr; i++)
		token_tree_del(token, i);
	list_move_tail(&token->list, dying);
	owner_uncharge(vol, token->owner);
	atomic_dec(&vol->nr_tokens);
	atomic_dec(&vol->nr_watched);
}

/* Does a piece serve a live token?  Those born before it, and after the last. */
static bool piece_serves(struct dm_bpio_volume *vol,
			 const struct bpio_piece *piece)
{
	lockdep_assert_held(&vol->token_lock);
	return bpio_token_tree_find(&vol->token_ranges, piece->start,
				    piece->last,
				    bpio_pieces_before(piece), piece->seq - 1);
}

/* Return: whether the piece is the caller's to free. */
static bool piece_remove_unused(struct dm_bpio_volume *vol,
				struct bpio_piece *piece)
{
	if (piece->readers || piece_serves(vol, piece))
		return false;
	rb_erase(&piece->rb, &vol->pieces);
	return true;
}

/* A dead token needs its pieces no longer: free those that serve no other. */
static void token_drop_pieces(struct bpio_token *token)
{
	struct bpio_piece *piece, *unused[MAX_LOOKS];
	struct dm_bpio_volume *vol = token->vol;
	unsigned int i, n, nr;

	for (i = 0; i < token->nr; i++) {
		u64 at = token->ranges[i].start, last = token->ranges[i].last;

		if (range_is_zero(token, i))
			continue;
		while (at <= last) {
			nr = 0;
			spin_lock_bh(&vol->token_lock);
			for (n = 0; n < MAX_LOOKS && at <= last; n++) {
				piece = bpio_pieces_next(&vol->pieces, &at,
							 last, token->born);
				if (!piece)
					continue;
				at = piece->last + 1;
				if (piece_remove_unused(vol, piece))
					unused[nr++] = piece;
			}
			spin_unlock_bh(&vol->token_lock);
			while (nr)
				dm_bpio_piece_free(unused[--nr]);
		}
	}
}

/* Step two: nobody finds it any more, its memory goes with the last user. */
static void token_bury(struct list_head *dying, enum bpio_stat stat)
{
	struct bpio_token *token, *next;

	list_for_each_entry_safe(token, next, dying, list) {
		list_del_init(&token->list);
		if (stat != BPIO_STAT_NR)
			bpio_stat_add(&token->vol->pub, stat, 1);
		if (token->hashed)
			rhashtable_remove_fast(&bpio_tokens, &token->node,
					       token_params);
		if (timer_delete(&token->timer))
			bpio_token_put(token);
		/* A piece of its was there before it died. */
		if (READ_ONCE(token->vol->pieces.rb_node))
			token_drop_pieces(token);
		bpio_token_put(token);
	}
}

static void token_kill(struct bpio_token *token, enum bpio_stat stat)
{
	struct dm_bpio_volume *vol = token->vol;
	LIST_HEAD(dying);

	spin_lock_bh(&vol->token_lock);
	if (!token->dead)
		token_mark_dead(token, &dying);
	spin_unlock_bh(&vol->token_lock);
	token_bury(&dying, stat);
}

static bool token_expired(const struct bpio_token *token)
{
	return !atomic_read(&token->redemptions) &&
	       time_after_eq(jiffies, READ_ONCE(token->expires));
}

static void token_timeout(struct timer_list *timer)
{
	struct bpio_token *token = container_of(timer, struct bpio_token,
						timer);
	bool again = false;

	/* Under the lock: token_bury() stops the timer of a token that died. */
	spin_lock(&token->vol->token_lock);
	if (!token->dead && atomic_read(&token->redemptions)) {
		mod_timer(timer, jiffies + token->ttl);
		again = true;
	}
	spin_unlock(&token->vol->token_lock);
	if (again)
		return;
	token_kill(token, BPIO_STAT_TOKENS_EXPIRED);
	bpio_token_put(token);
}

/**
 * dm_bpio_tokens_invalidate - kill the tokens that a write is about to outdate
 * @vol: volume that is written to
 * @sector: first sector of the volume
 * @nr_sectors: sectors, at least 1
 *
 * Rule TK-3; call it before the write is submitted, see the top of this file.
 * Callers on a hot path look at vol->nr_watched first.
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: false: there are many, and some are left; call it again.
 */
bool dm_bpio_tokens_invalidate(struct dm_bpio_volume *vol, sector_t sector,
			       sector_t nr_sectors)
{
	struct bpio_token_range *range = NULL;
	LIST_HEAD(dying);
	unsigned int nr;

	spin_lock_bh(&vol->token_lock);
	for (nr = 0; nr < MAX_DEATHS; nr++) {
		range = bpio_token_tree_find(&vol->token_ranges, sector,
					     sector + nr_sectors - 1, 0,
					     BPIO_BORN_NEVER);
		if (!range)
			break;
		token_mark_dead(range->token, &dying);
	}
	spin_unlock_bh(&vol->token_lock);
	token_bury(&dying, BPIO_STAT_TOKENS_INVALIDATED);
	return !range;
}

/**
 * dm_bpio_tokens_revoke - kill every token of a volume
 * @vol: volume whose mapping changed or goes, or whose owner says so
 *
 * Rule TK-8.  Tokens under construction die as well.
 *
 * Context: process, may sleep; takes vol->token_lock.
 */
void dm_bpio_tokens_revoke(struct dm_bpio_volume *vol)
{
	struct bpio_token *token = NULL;
	LIST_HEAD(dying);
	unsigned int nr;

	might_sleep();
	do {
		spin_lock_bh(&vol->token_lock);
		for (nr = 0; nr < MAX_DEATHS; nr++) {
			token = list_first_entry_or_null(&vol->tokens,
							 struct bpio_token,
							 list);
			if (!token)
				break;
			token_mark_dead(token, &dying);
		}
		spin_unlock_bh(&vol->token_lock);
		token_bury(&dying, BPIO_STAT_TOKENS_INVALIDATED);
		cond_resched();
	} while (token);
}

/* ---- preserving ---------------------------------------------------------- */

/*
 * A token that stands for one of [@from, @to], of one chunk, and has no piece of
 * it: those born after the chunk's last piece.  Return: the range that begins
 * first; NULL.
 */
static struct bpio_token_range *chunk_lacked_by(struct dm_bpio_volume *vol,
						u64 from, u64 to, u64 newest)
{
	lockdep_assert_held(&vol->token_lock);
	return bpio_token_tree_find(&vol->token_ranges, from, to,
				    bpio_pieces_newest(&vol->pieces, from),
				    newest);
}

/*
 * Look at the chunk that holds @write->at, or the next one that a token stands
 * for.  Return: DM_BPIO_WRITE_MORE when it needs nothing.
 */
static enum dm_bpio_write_needs look_at_chunk(struct dm_bpio_volume *vol,
					      struct dm_bpio_write *write,
					      struct list_head *dying)
{
	struct bpio_token_range *range;
	u64 to;

	range = bpio_token_tree_find(&vol->token_ranges, write->at, write->last,
				     0, BPIO_BORN_NEVER);
	if (!range) {
		write->at = write->last + 1;
		return DM_BPIO_WRITE_NOTHING;
	}
	write->at = max(write->at, range->start);
	to = min(write->at | (BPIO_CHUNK_SECTORS - 1), write->last);
	range = chunk_lacked_by(vol, write->at, to, BPIO_BORN_NEVER);
	if (!range) {
		write->at = to + 1;
		return to == write->last ? DM_BPIO_WRITE_NOTHING :
					   DM_BPIO_WRITE_MORE;
	}
	if (range->token->building) {
		token_mark_dead(range->token, dying);
		return DM_BPIO_WRITE_MORE;
	}
	write->at = max(write->at, range->start);
	write->seq = ++vol->piece_seq;
	return DM_BPIO_WRITE_CHUNK;
}

/**
 * dm_bpio_tokens_outdated - what has to be preserved before a write
 * @vol: volume that is written to
 * @write: the write, within one target; ->at advances over what needs nothing
 *
 * Kills the tokens under construction that the write outdates: their builder
 * starts again.  Looks from ->at on, or anew when a token was issued since.
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: DM_BPIO_WRITE_NOTHING: nothing is left to preserve;
 * DM_BPIO_WRITE_CHUNK: the chunk that holds ->at, as a piece of number ->seq;
 * DM_BPIO_WRITE_MORE: call it again.
 */
enum dm_bpio_write_needs dm_bpio_tokens_outdated(struct dm_bpio_volume *vol,
						 struct dm_bpio_write *write)
{
	enum dm_bpio_write_needs needs = DM_BPIO_WRITE_NOTHING;
	LIST_HEAD(dying);
	unsigned int i;

	spin_lock_bh(&vol->token_lock);
	if (write->issued != vol->nr_issued) {
		write->issued = vol->nr_issued;
		write->at = write->start;
		write->restarts++;
	}
	for (i = 0; i < MAX_LOOKS && write->at <= write->last; i++) {
		needs = look_at_chunk(vol, write, &dying);
		if (needs != DM_BPIO_WRITE_MORE)
			break;
	}
	spin_unlock_bh(&vol->token_lock);
	token_bury(&dying, BPIO_STAT_TOKENS_INVALIDATED);
	return needs;
}

/**
 * dm_bpio_tokens_attach - give a piece to the tokens that it serves: W1
 * @vol: volume
 * @piece: copied, numbered by dm_bpio_tokens_outdated() before that
 *
 * Pieces of one chunk come here in the order of their numbers.
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: false when there is none any more: the piece is the caller's.
 */
bool dm_bpio_tokens_attach(struct dm_bpio_volume *vol,
			   struct bpio_piece *piece)
{
	bool unused;

	piece->readers = 0;
	spin_lock_bh(&vol->token_lock);
	bpio_pieces_add(&vol->pieces, piece);
	unused = piece_remove_unused(vol, piece);
	spin_unlock_bh(&vol->token_lock);
	return !unused;
}

/**
 * dm_bpio_tokens_give_up - kill the tokens whose data could not be preserved
 * @vol: volume that is written to
 * @start: first sector of the write
 * @last: its last sector
 *
 * Those under construction are dm_bpio_tokens_outdated()'s.
 *
 * Context: process; takes vol->token_lock.
 * Return: how many died.
 */
unsigned int dm_bpio_tokens_give_up(struct dm_bpio_volume *vol, u64 start,
				    u64 last)
{
	struct bpio_token_range *range;
	unsigned int nr = 0, i;
	LIST_HEAD(dying);
	u64 at = start, to;

	while (at <= last) {
		spin_lock_bh(&vol->token_lock);
		for (i = 0; i < MAX_LOOKS && at <= last; i++) {
			to = min(at | (BPIO_CHUNK_SECTORS - 1), last);
			range = chunk_lacked_by(vol, at, to,
						BPIO_BORN_NEVER - 1);
			if (range) {
				token_mark_dead(range->token, &dying);
				nr++;
				continue;
			}
			/* Sectors that no token stands for are many. */
			range = bpio_token_tree_find(&vol->token_ranges, to + 1,
						     last, 0, BPIO_BORN_NEVER);
			at = to == last || !range ? last + 1 :
			     max(to + 1, range->start);
		}
		spin_unlock_bh(&vol->token_lock);
		token_bury(&dying, BPIO_STAT_TOKENS_INVALIDATED);
		INIT_LIST_HEAD(&dying);
		cond_resched();
	}
	return nr;
}

/* ---- building ------------------------------------------------------------ */

/**
 * dm_bpio_volume_rules - what a volume's table line says of offloads
 * @vol: volume
 * @rules: out; the first target speaks for all
 *
 * Context: may sleep; takes dm_bpio_lock, so not inside a gate.
 * Return: false when no live target is ``bpio``.
 */
bool dm_bpio_volume_rules(struct dm_bpio_volume *vol,
			  struct dm_bpio_rules *rules)
{
	struct dm_bpio *target;

	mutex_lock(&dm_bpio_lock);
	target = list_first_entry_or_null(&vol->targets, struct dm_bpio, list);
	if (target) {
		rules->complete = dm_bpio_volume_complete(vol);
		rules->offload = target->offload;
		rules->ttl_ms = target->token_ttl_ms;
		rules->ttl_max_ms = target->token_ttl_max_ms;
		rules->max_tokens = target->max_tokens;
		rules->max_transfer = target->max_transfer;
		rules->optimal_transfer = target->optimal_transfer;
	}
	mutex_unlock(&dm_bpio_lock);
	return target;
}

/**
 * bpio_volume_can_offload - may this volume be asked for offloads at all
 * @vol: volume
 *
 * Context: may sleep.
 * Return: false when its table says ``offload none`` or it has no live table.
 */
bool bpio_volume_can_offload(struct bpio_volume *vol)
{
	struct dm_bpio_rules rules;

	return dm_bpio_volume_rules(to_dm_bpio(vol), &rules) &&
	       rules.offload != DM_BPIO_OFFLOAD_NONE;
}
EXPORT_SYMBOL_GPL(bpio_volume_can_offload);

static s32 token_admit(struct bpio_token *token,
		       const struct dm_bpio_rules *rules)
{
	struct dm_bpio_volume *vol = token->vol;
	struct token_owner *spare;
	unsigned int max = UINT_MAX;

	if (!capable(CAP_SYS_RESOURCE))
		max = max_t(u32, rules->max_tokens / BPIO_OWNER_SHARE, 1);
	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return STATUS_INSUFFICIENT_RESOURCES;
	spare->uid = current_fsuid();

	spin_lock_bh(&vol->token_lock);
	if (atomic_read(&vol->nr_tokens) < rules->max_tokens)
		token->owner = owner_charge(vol, &spare, max);
	if (token->owner) {
		list_add_tail(&token->list, &vol->tokens);
		atomic_inc(&vol->nr_tokens);
		/* Seen by map() before any range can be added. */
		atomic_inc(&vol->nr_watched);
	}
	spin_unlock_bh(&vol->token_lock);
	kfree(spare);
	return token->owner ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * bpio_token_begin - start to build a token
 * @vol: volume that holds the data
 * @ttl_ms: time to live in ms, 0 = the device's default (TK-6)
 * @status: out: why not, when NULL is returned
 *
 * The caller adds ranges, by a marker armed with the token and by
 * bpio_token_add_zero(), and ends by bpio_token_issue() or bpio_token_abort().
 * Counts against the device's max_tokens and the caller's share of it.
 *
 * Context: process, may sleep; the fsuid of current owns the token.
 * Return: a token, or NULL and STATUS_DEVICE_FEATURE_NOT_SUPPORTED (DS-4),
 * STATUS_INVALID_PARAMETER (DS-10), STATUS_INSUFFICIENT_RESOURCES (OR-24) or
 * the status of a scripted fault.
 */
struct bpio_token *bpio_token_begin(struct bpio_volume *vol, u32 ttl_ms,
				    s32 *status)
{
	struct dm_bpio_volume *dvol = to_dm_bpio(vol);
	struct dm_bpio_fault fault = { };
	struct dm_bpio_rules rules;
	struct bpio_token *token;

	bpio_stat_add(vol, BPIO_STAT_OFFLOAD_READS, 1);
	*status = STATUS_DEVICE_FEATURE_NOT_SUPPORTED;
	if (!dm_bpio_volume_rules(dvol, &rules) ||
	    rules.offload == DM_BPIO_OFFLOAD_NONE)
		return NULL;
	*status = STATUS_INVALID_PARAMETER;
	if (ttl_ms > rules.ttl_max_ms)
		return NULL;

	if (dm_bpio_fault_hit(dvol, DM_BPIO_FAULT_OFFLOAD_READ, &fault)) {
		if (fault.delay_ms)
			msleep_interruptible(fault.delay_ms);
		/* A read has no partial failure: it answers once. */
		*status = fault.status;
		if (!bpio_status_ok(fault.status))
			return NULL;
	}

	*status = STATUS_INSUFFICIENT_RESOURCES;
	token = kmem_cache_zalloc(token_cache, GFP_KERNEL_ACCOUNT);
	if (!token)
		goto refused;
	token->ranges = kcalloc(BPIO_TOKEN_MAX_RANGES, sizeof(*token->ranges),
				GFP_KERNEL_ACCOUNT);
	if (!token->ranges)
		goto free_token;
	kref_init(&token->ref);
	token->building = true;
	token->born = BPIO_BORN_NEVER;
	token->vol = dvol;
	token->limit = rules.max_transfer ?: U64_MAX;
	if (!ttl_ms && rules.optimal_transfer)
		token->limit = min(token->limit, rules.optimal_transfer);
	if (fault.has_bytes)
		token->limit = min(token->limit, fault.bytes);
	token->ttl = msecs_to_jiffies(ttl_ms ?: rules.ttl_ms);
	timer_setup(&token->timer, token_timeout, 0);
	get_random_bytes(token->id, sizeof(token->id));

	*status = token_admit(token, &rules);
	if (*status)
		goto free_ranges;
	dm_bpio_volume_hold(dvol);
	kref_get(&token->ref);	/* the builder's; the first is for being alive */
	return token;

free_ranges:
	kfree(token->ranges);
free_token:
	kmem_cache_free(token_cache, token);
refused:
	bpio_stat_add(vol, BPIO_STAT_TOKENS_REFUSED, 1);
	return NULL;
}
EXPORT_SYMBOL_GPL(bpio_token_begin);

/**
 * bpio_token_limit - how many bytes a token under construction may stand for
 * @token: from bpio_token_begin()
 *
 * Return: bytes, U64_MAX for no limit.  Rule DS-12: max_transfer and, when the
 * default lifetime was asked for, optimal_transfer; a scripted truncation.
 */
u64 bpio_token_limit(const struct bpio_token *token)
{
	return token->limit;
}
EXPORT_SYMBOL_GPL(bpio_token_limit);

/**
 * bpio_token_covered - how far a token under construction goes without a gap
 * @token: from bpio_token_begin()
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: bytes from its start; U64_MAX while there is room for more ranges.
 */
u64 bpio_token_covered(const struct bpio_token *token)
{
	struct dm_bpio_volume *vol = token->vol;
	u64 end = 0, before;
	unsigned int i;

	spin_lock_bh(&vol->token_lock);
	if (token->nr < BPIO_TOKEN_MAX_RANGES) {
		end = U64_MAX;
		goto unlock;
	}
	/* mostly in order: once, and once more to see that nothing is left */
	do {
		before = end;
		for (i = 0; i < token->nr; i++)
			if (token->ranges[i].offset <= end)
				end = max(end, token->ranges[i].offset +
					       range_length(&token->ranges[i]));
	} while (end != before);
unlock:
	spin_unlock_bh(&vol->token_lock);
	return end;
}
EXPORT_SYMBOL_GPL(bpio_token_covered);

static int token_add(struct bpio_token *token, const struct bpio_run *run)
{
	struct dm_bpio_volume *vol = token->vol;
	struct bpio_run last;
	int ret = 0;

	if (WARN_ON_ONCE(!token->building))
		return -EINVAL;
	spin_lock_bh(&vol->token_lock);
	if (token->dead) {
		ret = -ESTALE;
		goto unlock;
	}
	if (token->nr) {
		token_to_run(token, token->nr - 1, &last);
		if (bpio_run_follows(&last, run)) {
			token_tree_del(token, token->nr - 1);
			last.length += run->length;
			run_to_token(token, token->nr - 1, &last);
			token_tree_add(token, token->nr - 1);
			goto unlock;
		}
	}
	if (token->nr == BPIO_TOKEN_MAX_RANGES) {
		ret = -ENOSPC;
		goto unlock;
	}
	run_to_token(token, token->nr, run);
	token_tree_add(token, token->nr);
	token->nr++;
unlock:
	spin_unlock_bh(&vol->token_lock);
	return ret;
}

/**
 * dm_bpio_token_add - let a token stand for sectors of its volume
 * @token: under construction
 * @token_offset: bytes into the token's data, a multiple of 512
 * @sector: first sector of the volume
 * @nr_sectors: sectors, at least 1
 *
 * From now on a write to the sectors kills the token.  No allocation.
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: 0, -ESTALE when the token is dead, which makes bpio_token_issue()
 * fail, -ENOSPC at the 65th range, which leaves a gap there.
 */
int dm_bpio_token_add(struct bpio_token *token, u64 token_offset,
		      sector_t sector, sector_t nr_sectors)
{
	struct bpio_run run = {
		.offset = token_offset,
		.length = (u64)nr_sectors << SECTOR_SHIFT,
		.source = sector,
	};

	return token_add(token, &run);
}

/**
 * bpio_token_add_zero - let a token stand for zeros that lie nowhere
 * @token: under construction
 * @token_offset: bytes into the token's data, a multiple of 512
 * @length: bytes, a multiple of 512, at least 512
 *
 * Return: 0; -EINVAL for odd numbers; -ESTALE, -ENOSPC as dm_bpio_token_add().
 */
int bpio_token_add_zero(struct bpio_token *token, u64 token_offset, u64 length)
{
	struct bpio_run run = {
		.offset = token_offset,
		.length = length,
		.source = BPIO_RUN_ZERO,
	};

	if (!length || !bpio_is_aligned(token_offset | length, SECTOR_SIZE))
		return -EINVAL;
	return token_add(token, &run);
}
EXPORT_SYMBOL_GPL(bpio_token_add_zero);

static int run_cmp(const void *a, const void *b)
{
	const struct bpio_run *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void token_sign(const struct storage_offload_token *raw, u8 *hmac)
{
	struct bpio_token_body body;
	SHASH_DESC_ON_STACK(desc, token_hmac);

	memcpy(&body, raw, BPIO_TOKEN_SIGNED);
	memset(body.reserved, 0, sizeof(body.reserved));
	desc->tfm = token_hmac;
	/* A software hash of 48 bytes: cannot fail, and must not pass if so. */
	if (crypto_shash_digest(desc, (u8 *)&body, BPIO_TOKEN_SIGNED, hmac))
		get_random_bytes(hmac, BPIO_TOKEN_HMAC_LENGTH);
	shash_desc_zero(desc);
}

/*
 * Replace the builder's ranges by the final ones: sorted, merged, cut to
 * @length.  Return: STATUS_SUCCESS, or what bpio_token_issue() documents.
 */
static s32 token_finish_ranges(struct bpio_token *token, u64 length)
{
	struct dm_bpio_volume *vol = token->vol;
	struct bpio_token_range *old = token->ranges, *new = &token->one;
	struct bpio_run *runs;
	unsigned int nr = 0, i;
	s32 status;

	runs = kmalloc_array(BPIO_TOKEN_MAX_RANGES, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < token->nr; i++) {
		token_to_run(token, i, &runs[nr]);
		if (bpio_run_clip(&runs[nr], 0, length))
			nr++;
	}
	sort(runs, nr, sizeof(*runs), run_cmp, NULL);
	switch (bpio_runs_cover(runs, nr, length)) {
	case BPIO_COVER_FULL:
		break;
	case BPIO_COVER_GAP:
		status = STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED;
		goto out;
	case BPIO_COVER_OVERLAP:
		status = STATUS_UNSUCCESSFUL;
		goto out;
	}
	nr = bpio_runs_merge(runs, nr);
	if (nr > 1) {
		new = kmalloc_array(nr, sizeof(*new), GFP_KERNEL_ACCOUNT);
		if (!new) {
			status = STATUS_INSUFFICIENT_RESOURCES;
			goto out;
		}
	}

	spin_lock_bh(&vol->token_lock);
	status = STATUS_INVALID_TOKEN;
	if (!token->dead) {
		status = STATUS_SUCCESS;
		for (i = 0; i < token->nr; i++)
			token_tree_del(token, i);
		token->ranges = new;
		token->nr = nr;
		for (i = 0; i < nr; i++) {
			run_to_token(token, i, &runs[i]);
			token_tree_add(token, i);
		}
		token->length = length;
		new = old;
	}
	spin_unlock_bh(&vol->token_lock);
	if (new != &token->one)
		kfree(new);
out:
	kfree(runs);
	return status;
}

/* Make a finished token findable and start its clock, unless it has died. */
static s32 token_publish(struct bpio_token *token)
{
	struct dm_bpio_volume *vol = token->vol;
	unsigned int i;
	bool dead;

	if (rhashtable_insert_fast(&bpio_tokens, &token->node, token_params))
		return STATUS_INSUFFICIENT_RESOURCES;

	spin_lock_bh(&vol->token_lock);
	dead = token->dead;
	if (!dead) {
		for (i = 0; i < token->nr; i++)
			token_tree_del(token, i);
		token->building = false;
		token->hashed = true;
		token->born = vol->piece_seq;
		for (i = 0; i < token->nr; i++)
			token_tree_add(token, i);
		vol->nr_issued++;
		token->expires = jiffies + token->ttl;
		kref_get(&token->ref);	/* the timer's */
		mod_timer(&token->timer, token->expires);
	}
	spin_unlock_bh(&vol->token_lock);
	if (!dead)
		return STATUS_SUCCESS;
	rhashtable_remove_fast(&bpio_tokens, &token->node, token_params);
	return STATUS_INVALID_TOKEN;
}

/**
 * dm_bpio_pass_begin - a copy is about to write to a volume past its map()
 * @vol: volume
 *
 * Before the caller kills the tokens that the write outdates.  Then either the
 * builder of a token sees it here and waits for its end, or it sees the range
 * that was added, and kills the token: both make their mark known before they
 * look at the other's.
 *
 * Context: process; may sleep until dm_bpio_pass_end(), in the same task.
 * Return: what dm_bpio_pass_end() wants.
 */
int dm_bpio_pass_begin(struct dm_bpio_volume *vol)
{
	int passing = srcu_read_lock(&vol->passing);

	__release(&vol->passing);	/* of this function, says sparse */
	atomic_inc(&vol->nr_passing);
	/* pairs with the barrier in token_wait_passing() */
	smp_mb__after_atomic();
	return passing;
}

/* The copy has ended; @passing is from dm_bpio_pass_begin(). */
void dm_bpio_pass_end(struct dm_bpio_volume *vol, int passing)
{
	atomic_dec(&vol->nr_passing);
	__acquire(&vol->passing);
	srcu_read_unlock(&vol->passing, passing);
}

/* Wait for copies that may not have seen the last range that was added. */
static void token_wait_passing(struct dm_bpio_volume *vol)
{
	smp_mb();	/* pairs with the barrier in dm_bpio_pass_begin() */
	if (atomic_read(&vol->nr_passing))
		synchronize_srcu(&vol->passing);
}

/**
 * bpio_token_issue - finish a token
 * @token: from bpio_token_begin(); the caller's reference is gone afterwards,
 *	whatever is returned
 * @length: bytes that it stands for, a multiple of 512, not 0; ranges beyond
 *	are cut
 * @out: out: the 512 bytes
 *
 * Before, the caller has waited for writes of the file that were in flight
 * (see storage.h).
 *
 * Context: process, may sleep.
 * Return: STATUS_SUCCESS;
 * STATUS_INVALID_TOKEN: a write killed it meanwhile; start again;
 * STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED: more than 64 ranges (OR-23), or a
 * part of [0, @length) that no range stands for (data that does not lie in
 * blocks of its own);
 * STATUS_UNSUCCESSFUL: ranges overlap;
 * STATUS_INVALID_PARAMETER: odd @length;
 * STATUS_INSUFFICIENT_RESOURCES.
 */
s32 bpio_token_issue(struct bpio_token *token, u64 length,
		     struct storage_offload_token *out)
{
	struct bpio_token_body *body = (struct bpio_token_body *)out;
	struct bpio_volume *vol = &token->vol->pub;
	s32 status;

	if (!length || !bpio_is_aligned(length, SECTOR_SIZE))
		status = STATUS_INVALID_PARAMETER;
	else
		status = token_finish_ranges(token, length);
	if (status)
		goto abort;
	token_wait_passing(token->vol);

	bpio_token_encode(out, token_uuid, token->id, length);
	token_sign(out, body->hmac);
	status = token_publish(token);
	if (status)
		goto abort;
	bpio_stat_add(vol, BPIO_STAT_TOKENS_ISSUED, 1);
	bpio_token_put(token);
	return STATUS_SUCCESS;

abort:
	memset(out, 0, sizeof(*out));
	if (status == STATUS_INSUFFICIENT_RESOURCES)
		bpio_stat_add(vol, BPIO_STAT_TOKENS_REFUSED, 1);
	bpio_token_abort(token);
	return status;
}
EXPORT_SYMBOL_GPL(bpio_token_issue);

/**
 * bpio_token_abort - give up a token
 * @token: from bpio_token_begin(); or from bpio_token_find() and not the zero
 *	token, when nobody else is to use it; the caller's reference is gone
 *	afterwards
 *
 * Context: process.
 */
void bpio_token_abort(struct bpio_token *token)
{
	token_kill(token, BPIO_STAT_NR);
	bpio_token_put(token);
}
EXPORT_SYMBOL_GPL(bpio_token_abort);

/* ---- using --------------------------------------------------------------- */

/**
 * bpio_token_find - the live token that 512 bytes stand for
 * @raw: the 512 bytes, from anywhere
 * @status: out: STATUS_SUCCESS or STATUS_INVALID_TOKEN
 *
 * Any zero token, form A or B, gives one and the same token without end.  A
 * malformed, foreign, altered, expired, revoked or unknown one gives none
 * (TK-8).  Restarts the inactivity timer (TK-7).
 *
 * Context: may sleep.
 * Return: a token to be put, or NULL.
 */
struct bpio_token *bpio_token_find(const struct storage_offload_token *raw,
				   s32 *status)
{
	const struct bpio_token_body *body =
		(const struct bpio_token_body *)raw;
	struct bpio_token *token;
	u8 hmac[BPIO_TOKEN_HMAC_LENGTH];

	*status = STATUS_SUCCESS;
	if (bpio_token_kind(raw) == BPIO_TOKEN_ZERO)
		return &zero_token;

	*status = STATUS_INVALID_TOKEN;
	if (!bpio_token_well_formed(raw))
		return NULL;
	token_sign(raw, hmac);
	if (crypto_memneq(hmac, body->hmac, sizeof(hmac)) ||
	    memcmp(body->uuid, token_uuid, sizeof(token_uuid)))
		return NULL;

	rcu_read_lock();
	token = rhashtable_lookup_fast(&bpio_tokens, body->id, token_params);
	if (token && !kref_get_unless_zero(&token->ref))
		token = NULL;
	rcu_read_unlock();
	if (!token)
		return NULL;
	/* The wheel may be late by an eighth; the promise is not. */
	if (dm_bpio_token_alive(token) && token_expired(token))
		token_kill(token, BPIO_STAT_TOKENS_EXPIRED);
	if (!dm_bpio_token_alive(token)) {
		bpio_token_put(token);
		return NULL;
	}
	dm_bpio_token_use(token);
	*status = STATUS_SUCCESS;
	return token;
}
EXPORT_SYMBOL_GPL(bpio_token_find);

/**
 * bpio_token_length - bytes that a token stands for
 * @token: issued token
 *
 * Return: bytes; U64_MAX for a zero token.
 */
u64 bpio_token_length(const struct bpio_token *token)
{
	return token->length;
}
EXPORT_SYMBOL_GPL(bpio_token_length);

/* Return: the volume that the ranges lie on, NULL for the zero token. */
struct dm_bpio_volume *dm_bpio_token_volume(const struct bpio_token *token)
{
	return token->vol;
}

/*
 * Has the token not died so far?  It may at any moment; only a hold keeps its
 * data.
 */
bool dm_bpio_token_alive(const struct bpio_token *token)
{
	return !READ_ONCE(token->dead);
}

/* Restart the inactivity timer (TK-7); a timer that has fired stays so. */
void dm_bpio_token_use(struct bpio_token *token)
{
	unsigned long expires = jiffies + token->ttl;

	if (token == &zero_token || READ_ONCE(token->expires) == expires)
		return;
	WRITE_ONCE(token->expires, expires);
	mod_timer_pending(&token->timer, expires);
}

/**
 * dm_bpio_token_redeem_begin - the token is going to be used for a while
 * @token: issued token
 *
 * Until dm_bpio_token_redeem_end() it does not expire; it may die otherwise.
 *
 * Context: any.
 */
void dm_bpio_token_redeem_begin(struct bpio_token *token)
{
	if (token == &zero_token)
		return;
	atomic_inc(&token->redemptions);
	/* map() looks for holds as long as there may be some. */
	atomic_inc(&token->vol->nr_watched);
}

/* Undo dm_bpio_token_redeem_begin(); the inactivity timer starts anew. */
void dm_bpio_token_redeem_end(struct bpio_token *token)
{
	if (token == &zero_token)
		return;
	atomic_dec(&token->vol->nr_watched);
	dm_bpio_token_use(token);
	atomic_dec(&token->redemptions);
}

/* Was any of [@at, @last] preserved for the token? */
static bool token_has_piece(const struct bpio_token *token, u64 at, u64 last)
{
	lockdep_assert_held(&token->vol->token_lock);
	while (at <= last)
		if (bpio_pieces_next(&token->vol->pieces, &at, last,
				     token->born))
			return true;
	return false;
}

/**
 * dm_bpio_token_hold_data - keep data as it is while a command reads it
 * @token: issued token, not the zero token
 * @holds: from dm_bpio_hold_init() with what dm_bpio_token_run() said, inside
 *	the same stay in the source gate; until dm_bpio_token_drop_data()
 * @nr: their number
 *
 * C1 at the top of this file: writes to the data wait until it is dropped.  So
 * the caller must not wait for anything in between but the device's read.
 *
 * Context: any but hard interrupt; takes vol->token_lock, does not sleep.
 * Return: 0; -ESTALE: the token is dead; -EAGAIN: a part was preserved after it
 * was looked up, and has to be looked up again.
 */
int dm_bpio_token_hold_data(struct bpio_token *token,
			    struct dm_bpio_hold *holds, unsigned int nr)
{
	struct dm_bpio_volume *vol = token->vol;
	unsigned int i;
	int ret = 0;

	spin_lock_bh(&vol->token_lock);
	if (token->dead)
		ret = -ESTALE;
	for (i = 0; vol->pieces.rb_node && i < nr && !ret; i++)
		if (!holds[i].piece &&
		    token_has_piece(token, holds[i].range.start,
				    holds[i].range.last))
			ret = -EAGAIN;
	for (i = 0; i < nr && !ret; i++) {
		/* A live token's piece is still there. */
		if (holds[i].piece)
			holds[i].piece->readers++;
		else
			bpio_range_hold(&vol->ranges, &holds[i].range);
	}
	spin_unlock_bh(&vol->token_lock);
	return ret;
}

static void piece_put(struct dm_bpio_volume *vol, struct bpio_piece *piece)
{
	bool unused;

	spin_lock_bh(&vol->token_lock);
	piece->readers--;
	unused = piece_remove_unused(vol, piece);
	spin_unlock_bh(&vol->token_lock);
	if (unused)
		dm_bpio_piece_free(piece);
}

/**
 * dm_bpio_token_drop_data - the command has read
 * @token: token
 * @holds: from dm_bpio_token_hold_data()
 * @nr: their number
 *
 * Context: any; not hard interrupt when a hold has a piece.
 */
void dm_bpio_token_drop_data(struct bpio_token *token,
			     struct dm_bpio_hold *holds, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (holds[i].piece)
			piece_put(token->vol, holds[i].piece);
		else
			bpio_range_drop(&token->vol->ranges, &holds[i].range);
	}
}

/* What @place->run begins with: a piece in the reserve, or none as yet. */
static void token_look_aside(const struct bpio_token *token,
			     struct dm_bpio_place *place)
{
	struct dm_bpio_volume *vol = token->vol;
	struct bpio_run *run = &place->run;
	u64 at = run->source;
	u64 last = at + DIV_ROUND_UP_ULL(run->length, SECTOR_SIZE) - 1;
	struct bpio_piece *piece;

	spin_lock_bh(&vol->token_lock);
	if (token->dead)
		goto unlock;
	piece = bpio_pieces_next(&vol->pieces, &at, last, token->born);
	if (piece && at == run->source) {
		place->bdev = piece->reserve->bdev;
		place->sector = piece->reserve->start +
			(sector_t)piece->slot * BPIO_CHUNK_SECTORS +
			(at - piece->start);
		place->piece = piece;
		at = piece->last + 1;
	}
	run->length = min(run->length, (at - run->source) << SECTOR_SHIFT);
unlock:
	spin_unlock_bh(&vol->token_lock);
}

/**
 * dm_bpio_token_run - where a piece of a token's data lies
 * @token: issued token
 * @offset: bytes into its data
 * @length: bytes wanted, at least 1
 * @place: out: the piece from @offset on that lies in one place, at most
 *	@length
 *
 * By dm_bpio_token_hold_data() it stays so while a command reads it.
 *
 * Context: any but hard interrupt, inside the source gate; takes
 * vol->token_lock when a token's data was preserved.
 * Return: false when @offset is beyond the token's end.
 */
bool dm_bpio_token_run(const struct bpio_token *token, u64 offset, u64 length,
		       struct dm_bpio_place *place)
{
	unsigned int low = 0, high = token->nr;
	struct bpio_run *run = &place->run;

	place->piece = NULL;
	place->bdev = NULL;
	place->sector = 0;
	if (token == &zero_token) {
		run->offset = offset;
		run->length = length;
		run->source = BPIO_RUN_ZERO;
		return true;
	}
	/* The last range that starts at or before @offset holds it. */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (token->ranges[mid].offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	token_to_run(token, low - 1, run);
	if (!bpio_run_clip(run, offset, length))
		return false;
	/* One that is added now is found by dm_bpio_token_hold_data(). */
	if (READ_ONCE(token->vol->pieces.rb_node) &&
	    run->source != BPIO_RUN_ZERO)
		token_look_aside(token, place);
	return true;
}

/* ---- setup --------------------------------------------------------------- */

/*
 * Prepare what a volume holds of tokens; the rest of it is zeroed.  Return: 0
 * or -ENOMEM.
 */
int dm_bpio_tokens_volume_init(struct dm_bpio_volume *vol)
{
	spin_lock_init(&vol->token_lock);
	vol->token_ranges = RB_ROOT;
	vol->pieces = RB_ROOT;
	vol->nr_issued = 1;
	vol->token_owners = RB_ROOT;
	INIT_LIST_HEAD(&vol->tokens);
	return init_srcu_struct(&vol->passing);
}

/* Undo it; no token and no copy is left. */
void dm_bpio_tokens_volume_exit(struct dm_bpio_volume *vol)
{
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&vol->pieces));
	cleanup_srcu_struct(&vol->passing);
}

/**
 * dm_bpio_token_store_init - bring up the store
 *
 * The key and the copy manager's UUID live as long as the module: tokens of an
 * earlier load are foreign.
 *
 * Return: 0 or a negative errno.
 */
int dm_bpio_token_store_init(void)
{
	u8 key[BPIO_TOKEN_HMAC_LENGTH];
	int ret;

	BUILD_BUG_ON(offsetof(struct bpio_token_body, hmac) !=
		     BPIO_TOKEN_SIGNED);

	token_hmac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(token_hmac))
		return PTR_ERR(token_hmac);
	get_random_bytes(key, sizeof(key));
	ret = crypto_shash_setkey(token_hmac, key, sizeof(key));
	memzero_explicit(key, sizeof(key));
	if (ret)
		goto free_hmac;
	generate_random_uuid(token_uuid);

	ret = -ENOMEM;
	token_cache = KMEM_CACHE(bpio_token, SLAB_ACCOUNT);
	if (!token_cache)
		goto free_hmac;
	ret = rhashtable_init(&bpio_tokens, &token_params);
	if (ret)
		goto free_cache;
	return 0;

free_cache:
	kmem_cache_destroy(token_cache);
free_hmac:
	crypto_free_shash(token_hmac);
	return ret;
}

/**
 * dm_bpio_token_store_exit - kill what lives and take the store down
 *
 * Called when no target and no file system is left, so nobody builds, finds
 * or uses a token; before the registry of volumes goes, since tokens hold
 * references to volumes.
 */
void dm_bpio_token_store_exit(void)
{
	struct rhashtable_iter iter;
	struct bpio_token *token;

	/* A walk that meets a resize starts over; until then it may miss some. */
	while (atomic_read(&bpio_tokens.nelems)) {
		rhashtable_walk_enter(&bpio_tokens, &iter);
		rhashtable_walk_start(&iter);
		while ((token = rhashtable_walk_next(&iter)))
			if (!IS_ERR(token))
				token_kill(token, BPIO_STAT_TOKENS_INVALIDATED);
		rhashtable_walk_stop(&iter);
		rhashtable_walk_exit(&iter);
	}

	/* A timer that fires right now, in softirq, has a reference to drop. */
	synchronize_rcu();
	rcu_barrier();
	rhashtable_destroy(&bpio_tokens);
	kmem_cache_destroy(token_cache);
	crypto_free_shash(token_hmac);
}
