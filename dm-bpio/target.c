// SPDX-License-Identifier: GPL-2.0
/*
 * The device-mapper target "bpio": table line, map, messages and status
 * (architecture 1.3).  What they mean to BypassIO is bypass.c's and
 * volume.c's, what they mean to ODX the copy engines'.
 *
 *	<start> <length> bpio <lower device> <offset sectors> [<#args> <arg>...]
 */
#include <linux/bio.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

#define DM_BPIO_TTL_MS			60000
#define DM_BPIO_TTL_MAX_MS		600000
#define DM_BPIO_TOKENS			65536
/* A token costs memory: what a table line may ask for. */
#define DM_BPIO_TOKENS_MAX		1048576
/* NVM command set, Identify Namespace: MSSRL is 16 bits, MSRC 8, 0-based. */
#define DM_BPIO_MSSRL_MAX		U16_MAX
#define DM_BPIO_MSRC_MAX		U8_MAX

/* ---- the constructor ---------------------------------------------------- */

enum dm_bpio_feature {
	DM_BPIO_ARG_DRIVER_NAME,
	DM_BPIO_ARG_NO_BYPASSIO,
	DM_BPIO_ARG_OFFLOAD,
	DM_BPIO_ARG_TOKEN_TTL_MS,
	DM_BPIO_ARG_TOKEN_TTL_MAX_MS,
	DM_BPIO_ARG_MAX_TOKENS,
	DM_BPIO_ARG_MAX_TRANSFER,
	DM_BPIO_ARG_OPTIMAL_TRANSFER,
	DM_BPIO_ARG_ON_WRITE,
	DM_BPIO_ARG_RESERVE,
	DM_BPIO_ARG_COPY_LIMITS,
	DM_BPIO_ARG_ANY_STORAGE,
	DM_BPIO_ARG_NR,
};

static const struct {
	const char *name;
	unsigned int values;
	char *missing;
} dm_bpio_features[DM_BPIO_ARG_NR] = {
	[DM_BPIO_ARG_DRIVER_NAME] = { "driver_name", 1,
		"driver_name needs a name" },
	[DM_BPIO_ARG_NO_BYPASSIO] = { "no_bypassio" },
	[DM_BPIO_ARG_OFFLOAD] = { "offload", 1,
		"offload needs one of none, auto, nvme, kcopyd" },
	[DM_BPIO_ARG_TOKEN_TTL_MS] = { "token_ttl_ms", 1,
		"token_ttl_ms needs a number of milliseconds" },
	[DM_BPIO_ARG_TOKEN_TTL_MAX_MS] = { "token_ttl_max_ms", 1,
		"token_ttl_max_ms needs a number of milliseconds" },
	[DM_BPIO_ARG_MAX_TOKENS] = { "max_tokens", 1,
		"max_tokens needs a number of tokens" },
	[DM_BPIO_ARG_MAX_TRANSFER] = { "max_transfer", 1,
		"max_transfer needs a number of bytes" },
	[DM_BPIO_ARG_OPTIMAL_TRANSFER] = { "optimal_transfer", 1,
		"optimal_transfer needs a number of bytes" },
	[DM_BPIO_ARG_ON_WRITE] = { "on_write", 1,
		"on_write needs one of invalidate, preserve" },
	[DM_BPIO_ARG_RESERVE] = { "reserve", 3,
		"reserve needs a device, an offset and a length in sectors" },
	[DM_BPIO_ARG_COPY_LIMITS] = { "copy_limits", 3,
		"copy_limits needs three numbers: mssrl mcl msrc" },
	[DM_BPIO_ARG_ANY_STORAGE] = { "any_storage" },
};

/* More words than all arguments with their values have. */
#define DM_BPIO_WORDS_MAX	32

static const char * const dm_bpio_offload_names[] = {
	[DM_BPIO_OFFLOAD_NONE] = "none",
	[DM_BPIO_OFFLOAD_AUTO] = "auto",
	[DM_BPIO_OFFLOAD_NVME] = "nvme",
	[DM_BPIO_OFFLOAD_KCOPYD] = "kcopyd",
};

/* A size in bytes: a nonzero multiple of the logical block below. */
static bool dm_bpio_parse_transfer(const struct dm_bpio *target,
				   const char *word, u64 *bytes)
{
	return !kstrtou64(word, 10, bytes) && *bytes &&
	       IS_ALIGNED(*bytes,
			  bdev_logical_block_size(target->dev->bdev));
}

static bool dm_bpio_parse_u32(const char *word, u32 min, u32 max, u32 *value)
{
	return !kstrtou32(word, 10, value) && *value >= min && *value <= max;
}

/* Return: NULL, or what is wrong. */
static char *dm_bpio_parse_feature(struct dm_bpio *target,
				   enum dm_bpio_feature feature, char **value)
{
	int i;

	switch (feature) {
	case DM_BPIO_ARG_DRIVER_NAME:
		if (!*value[0] ||
		    strlen(value[0]) > BPIO_DRIVER_NAME_CHARS)
			return "driver_name must have 1 to 32 characters";
		strscpy(target->driver_name, value[0],
			sizeof(target->driver_name));
		return NULL;
	case DM_BPIO_ARG_NO_BYPASSIO:
		target->no_bypassio = true;
		return NULL;
	case DM_BPIO_ARG_OFFLOAD:
		i = match_string(dm_bpio_offload_names,
				 ARRAY_SIZE(dm_bpio_offload_names), value[0]);
		if (i < 0)
			return "offload must be none, auto, nvme or kcopyd";
		target->offload = i;
		return NULL;
	case DM_BPIO_ARG_TOKEN_TTL_MS:
		if (!dm_bpio_parse_u32(value[0], 1, U32_MAX,
				       &target->token_ttl_ms))
			return "token_ttl_ms must be from 1 to 4294967295";
		return NULL;
	case DM_BPIO_ARG_TOKEN_TTL_MAX_MS:
		if (!dm_bpio_parse_u32(value[0], 1, U32_MAX,
				       &target->token_ttl_max_ms))
			return "token_ttl_max_ms must be from 1 to 4294967295";
		return NULL;
	case DM_BPIO_ARG_MAX_TOKENS:
		if (!dm_bpio_parse_u32(value[0], 1, DM_BPIO_TOKENS_MAX,
				       &target->max_tokens))
			return "max_tokens must be from 1 to 1048576";
		return NULL;
	case DM_BPIO_ARG_MAX_TRANSFER:
		if (!dm_bpio_parse_transfer(target, value[0],
					    &target->max_transfer))
			return "max_transfer must be a nonzero multiple of the sector size";
		return NULL;
	case DM_BPIO_ARG_OPTIMAL_TRANSFER:
		if (!dm_bpio_parse_transfer(target, value[0],
					    &target->optimal_transfer))
			return "optimal_transfer must be a nonzero multiple of the sector size";
		return NULL;
	case DM_BPIO_ARG_ON_WRITE:
		target->on_write_preserve = !strcmp(value[0], "preserve");
		if (!target->on_write_preserve &&
		    strcmp(value[0], "invalidate"))
			return "on_write must be invalidate or preserve";
		return NULL;
	case DM_BPIO_ARG_RESERVE:
		target->reserve_path = value[0];
		if (kstrtou64(value[1], 10, &target->reserve_start) ||
		    kstrtou64(value[2], 10, &target->reserve_nr))
			return "The reserve needs an offset and a length in sectors";
		return NULL;
	case DM_BPIO_ARG_COPY_LIMITS:
		if (!dm_bpio_parse_u32(value[0], 1, DM_BPIO_MSSRL_MAX,
				       &target->copy_mssrl))
			return "mssrl of copy_limits must be from 1 to 65535";
		if (!dm_bpio_parse_u32(value[1], 1, U32_MAX,
				       &target->copy_mcl))
			return "mcl of copy_limits must be from 1 to 4294967295";
		if (!dm_bpio_parse_u32(value[2], 0, DM_BPIO_MSRC_MAX,
				       &target->copy_msrc))
			return "msrc of copy_limits must be from 0 to 255";
		target->has_copy_limits = true;
		return NULL;
	case DM_BPIO_ARG_ANY_STORAGE:
		target->any_storage = true;
		return NULL;
	default:
		return "The feature argument is unknown";
	}
}

static char *dm_bpio_parse_features(struct dm_bpio *target,
				    struct dm_arg_set *as, unsigned int words)
{
	unsigned long given = 0;

	while (words) {
		const char *word = dm_shift_arg(as);
		unsigned int i;
		char *error;

		words--;
		for (i = 0; i < DM_BPIO_ARG_NR; i++)
			if (!strcmp(word, dm_bpio_features[i].name))
				break;
		if (i == DM_BPIO_ARG_NR)
			return "A feature argument is none that the bpio target knows";
		if (__test_and_set_bit(i, &given))
			return "A feature argument is given twice";
		if (words < dm_bpio_features[i].values)
			return dm_bpio_features[i].missing;
		error = dm_bpio_parse_feature(target, i, as->argv);
		if (error)
			return error;
		dm_consume_args(as, dm_bpio_features[i].values);
		words -= dm_bpio_features[i].values;
	}
	if (target->token_ttl_ms > target->token_ttl_max_ms)
		return "token_ttl_ms must not exceed token_ttl_max_ms";
	if (target->max_transfer &&
	    target->optimal_transfer > target->max_transfer)
		return "optimal_transfer must not exceed max_transfer";
	if (target->on_write_preserve && !target->reserve_path)
		return "on_write preserve needs a reserve";
	if (!target->on_write_preserve && target->reserve_path)
		return "reserve needs on_write preserve";
	return NULL;
}

/*
 * The words as dmsetup table prints them.  Not escaped: libdm does that on the
 * way in, and nobody undoes it on the way out.
 */
static char *dm_bpio_join_words(unsigned int argc, char **argv)
{
	size_t length = 1, at = 0;
	unsigned int i;
	char *joined;

	for (i = 0; i < argc; i++)
		length += strlen(argv[i]) + 1;
	joined = kzalloc(length, GFP_KERNEL);
	if (!joined)
		return NULL;
	for (i = 0; i < argc; i++)
		at += scnprintf(joined + at, length - at, i ? " %s" : "%s",
				argv[i]);
	return joined;
}

static int dm_bpio_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	static const struct dm_arg words_arg = {
		0, DM_BPIO_WORDS_MAX,
		"The number of feature arguments is not a number or not what follows",
	};
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct mapped_device *md = dm_table_get_md(ti->table);
	struct dm_bpio *target;
	unsigned long long offset;
	unsigned int words = 0;
	int ret;

	if (argc < 2) {
		ti->error = "A lower device and an offset are needed";
		return -EINVAL;
	}
	target = kzalloc(sizeof(*target), GFP_KERNEL);
	if (!target) {
		ti->error = "There is no memory for the target";
		return -ENOMEM;
	}
	target->ti = ti;
	INIT_LIST_HEAD(&target->list);
	strscpy(target->driver_name, DM_BPIO_DRIVER_NAME,
		sizeof(target->driver_name));
	target->offload = DM_BPIO_OFFLOAD_AUTO;
	target->token_ttl_ms = DM_BPIO_TTL_MS;
	target->token_ttl_max_ms = DM_BPIO_TTL_MAX_MS;
	target->max_tokens = DM_BPIO_TOKENS;

	ret = -EINVAL;
	if (kstrtoull(argv[1], 10, &offset) ||
	    offset != (sector_t)offset ||
	    offset + ti->len < offset) {
		ti->error = "The offset must be a number of sectors";
		goto err_target;
	}
	target->offset_sectors = offset;

	ret = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table),
			    &target->dev);
	if (ret) {
		ti->error = "The lower device cannot be opened";
		goto err_target;
	}
	/* Parts of a block go by way of a page. */
	ret = -EINVAL;
	if (bdev_logical_block_size(target->dev->bdev) > PAGE_SIZE) {
		ti->error = "The lower device's logical blocks must not be larger than a page";
		goto err_device;
	}

	dm_consume_args(&as, 2);
	if (as.argc) {
		ret = dm_read_arg_group(&words_arg, &as, &words, &ti->error);
		if (ret)
			goto err_device;
		ret = -EINVAL;
		ti->error = dm_bpio_parse_features(target, &as, words);
		if (ti->error)
			goto err_device;
		if (as.argc) {
			ti->error = "More words follow than the number of feature arguments says";
			goto err_device;
		}
		target->nr_feature_args = words;
		ret = -ENOMEM;
		target->feature_args = dm_bpio_join_words(argc - 2, argv + 2);
		if (!target->feature_args) {
			ti->error = "There is no memory for the feature arguments";
			goto err_device;
		}
	}

	dm_bpio_below_look(target->dev->bdev, &target->below);

	ret = dm_bpio_preserve_init(target);
	if (ret)
		goto err_args;

	ret = -ENOMEM;
	target->vol = dm_bpio_volume_create(md);
	if (!target->vol) {
		ti->error = "There is no memory for the volume";
		goto err_preserve;
	}
	dm_bpio_copy_target_init(target);

	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	ti->num_secure_erase_bios = 1;
	ti->num_write_zeroes_bios = 1;
	if (target->preserve)
		ti->per_io_data_size = sizeof(struct dm_bpio_write);
	ti->private = target;
	return 0;

err_preserve:
	dm_bpio_preserve_exit(target);
err_args:
	kfree(target->feature_args);
err_device:
	dm_put_device(ti, target->dev);
err_target:
	kfree(target);
	return ret;
}

static void dm_bpio_dtr(struct dm_target *ti)
{
	struct dm_bpio *target = ti->private;

	dm_bpio_copy_target_exit(target);
	dm_bpio_volume_del_target(target);
	dm_bpio_preserve_exit(target);
	dm_put_device(ti, target->dev);
	kfree(target->feature_args);
	kfree(target);
}

/* ---- I/O ---------------------------------------------------------------- */

static int dm_bpio_remapped(struct dm_bpio *target, struct bio *bio, bool write)
{
	static_assert(BPIO_STAT_MAPPED_READS + 1 == BPIO_STAT_MAPPED_WRITES);
	bpio_stat_add(&target->vol->pub, BPIO_STAT_MAPPED_READS + write, 1);
	dm_bpio_remap(target, bio);
	return DM_MAPIO_REMAPPED;
}

/* There are markers, tokens, or reads of their data. */
static noinline int dm_bpio_map_watched(struct dm_bpio *target,
					struct bio *bio, bool write)
{
	struct dm_bpio_volume *vol = target->vol;

	if (atomic_read(&vol->nr_markers) &&
	    dm_bpio_marker_map(target, bio) == DM_MAPIO_SUBMITTED)
		return DM_MAPIO_SUBMITTED;
	/*
	 * TK-3: before the write is submitted, an overlapping token dies, or
	 * its data is preserved, and commands that read the data end.
	 */
	if (write && bio_sectors(bio) &&
	    dm_bpio_preserve_map(target, bio) == DM_MAPIO_SUBMITTED) {
		bpio_stat_add(&vol->pub, BPIO_STAT_MAPPED_WRITES, 1);
		return DM_MAPIO_SUBMITTED;
	}
	return dm_bpio_remapped(target, bio, write);
}

static int dm_bpio_map(struct dm_target *ti, struct bio *bio)
{
	struct dm_bpio *target = ti->private;
	struct dm_bpio_volume *vol = target->vol;
	const bool write = op_is_write(bio_op(bio));

	if (unlikely(atomic_read(&vol->nr_watched)))
		return dm_bpio_map_watched(target, bio, write);
	return dm_bpio_remapped(target, bio, write);
}

/* ---- status and messages ------------------------------------------------ */

static const char *dm_bpio_state_name(const struct dm_bpio_volume *vol)
{
	if (READ_ONCE(vol->veto) ||
	    READ_ONCE(vol->pub.gate.closed) & BIT(BPIO_GATE_VETOED))
		return "vetoed";
	return READ_ONCE(vol->enabled) ? "active" : "idle";
}

/* No locks: a status is to be had while a drain hangs. */
static void dm_bpio_status(struct dm_target *ti, status_type_t type,
			   unsigned int status_flags, char *result,
			   unsigned int maxlen)
{
	static const struct {
		enum bpio_stat stat;
		const char *name;
	} words[] = {
		{ BPIO_STAT_ENABLES, "enables" },
		{ BPIO_STAT_DISABLES, "disables" },
		{ BPIO_STAT_QUERIES, "queries" },
		{ BPIO_STAT_VETOES, "vetoes" },
		{ BPIO_STAT_BYPASSED_READS, "bypassed_reads" },
		{ BPIO_STAT_BYPASSED_BYTES, "bypassed_bytes" },
		{ BPIO_STAT_MAPPED_READS, "mapped_reads" },
		{ BPIO_STAT_MAPPED_WRITES, "mapped_writes" },
		{ BPIO_STAT_TOKENS_ISSUED, "tokens_issued" },
		{ BPIO_STAT_TOKENS_EXPIRED, "tokens_expired" },
		{ BPIO_STAT_TOKENS_INVALIDATED, "tokens_invalidated" },
		{ BPIO_STAT_TOKENS_REFUSED, "tokens_refused" },
		{ BPIO_STAT_OFFLOAD_READS, "offload_reads" },
		{ BPIO_STAT_OFFLOAD_WRITES, "offload_writes" },
		{ BPIO_STAT_BYTES_NVME, "bytes_nvme" },
		{ BPIO_STAT_BYTES_KCOPYD, "bytes_kcopyd" },
		{ BPIO_STAT_BYTES_ZERO, "bytes_zero" },
		{ BPIO_STAT_BYTES_LITERAL, "bytes_literal" },
		{ BPIO_STAT_DSM_ACTIONS, "dsm_actions" },
		{ BPIO_STAT_DSM_FORWARDED, "dsm_forwarded" },
		{ BPIO_STAT_PRESERVED_BYTES, "preserved_bytes" },
		{ BPIO_STAT_PRESERVE_FULL, "reserve_full" },
		{ BPIO_STAT_PRESERVE_FAILED, "reserve_failed" },
	};
	const unsigned long paused =
		BIT(BPIO_GATE_PAUSED) | BIT(BPIO_GATE_SUSPENDED);
	struct dm_bpio *target = ti->private;
	struct dm_bpio_volume *vol = target->vol;
	struct bpio_stats stats;
	unsigned int sz = 0, i;
	u64 used, size;

	switch (type) {
	case STATUSTYPE_INFO:
		dm_bpio_stats_read(vol, &stats);
		DMEMIT("bypass=%s paused=%d", dm_bpio_state_name(vol),
		       !!(READ_ONCE(vol->pub.gate.closed) & paused));
		for (i = 0; i < ARRAY_SIZE(words); i++) {
			if (words[i].stat == BPIO_STAT_TOKENS_ISSUED)
				DMEMIT(" tokens=%d",
				       atomic_read(&vol->nr_tokens));
			DMEMIT(" %s=%llu", words[i].name,
			       stats.count[words[i].stat]);
		}
		dm_bpio_preserve_use(target, &used, &size);
		DMEMIT(" reserve_used=%llu reserve_size=%llu", used, size);
		DMEMIT(" engine=%s", dm_bpio_copy_engine_name(target));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %llu", target->dev->name,
		       (unsigned long long)target->offset_sectors);
		if (target->feature_args)
			DMEMIT(" %s", target->feature_args);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",device_name=%s,start=%llu;", target->dev->name,
		       (unsigned long long)target->offset_sectors);
		break;
	}
}

/* veto <ntstatus> <reason words...> */
static int dm_bpio_message_veto(struct dm_bpio *target, unsigned int argc,
				char **argv)
{
	char *reason;
	size_t at = 0;
	unsigned int i;
	s32 status;
	int ret;

	/* A veto is a failure: as FltVetoBypassIo, severity 3 only. */
	if (argc < 3 || dm_bpio_status_parse(argv[1], &status) ||
	    BPIO_NT_SEVERITY(status) != 3)
		return -EINVAL;
	reason = kzalloc(DM_BPIO_REASON_BYTES, GFP_NOIO);
	if (!reason)
		return -ENOMEM;
	for (i = 2; i < argc; i++)
		at += scnprintf(reason + at, DM_BPIO_REASON_BYTES - at,
				i > 2 ? " %s" : "%s", argv[i]);
	ret = at ? dm_bpio_veto(target, status, reason) : -EINVAL;
	kfree(reason);
	return ret;
}

static int dm_bpio_message(struct dm_target *ti, unsigned int argc,
			   char **argv, char *result, unsigned int maxlen)
{
	struct dm_bpio *target = ti->private;

	if (!strcmp(argv[0], "veto"))
		return dm_bpio_message_veto(target, argc, argv);
	if (!strcmp(argv[0], "fault"))
		return argc < 2 ? -EINVAL :
			dm_bpio_fault_message(target->vol, argc - 1, argv + 1);
	if (argc != 1)
		return -EINVAL;
	if (!strcmp(argv[0], "unveto"))
		return dm_bpio_unveto(target);
	if (!strcmp(argv[0], "revoke")) {
		dm_bpio_tokens_revoke(target->vol);
		return 0;
	}
	return -EINVAL;
}

/* ---- suspend and resume ------------------------------------------------- */

static void dm_bpio_presuspend(struct dm_target *ti)
{
	dm_bpio_volume_presuspend(ti->private);
}

static void dm_bpio_presuspend_undo(struct dm_target *ti)
{
	dm_bpio_volume_resume(ti->private);
}

static void dm_bpio_postsuspend(struct dm_target *ti)
{
	dm_bpio_volume_postsuspend(ti->private);
}

static int dm_bpio_preresume(struct dm_target *ti)
{
	dm_bpio_volume_add_target(ti->private);
	return 0;
}

static void dm_bpio_resume(struct dm_target *ti)
{
	dm_bpio_volume_resume(ti->private);
}

/* ---- the rest ----------------------------------------------------------- */

static int dm_bpio_iterate_devices(struct dm_target *ti,
				   iterate_devices_callout_fn fn, void *data)
{
	struct dm_bpio *target = ti->private;

	return fn(ti, target->dev, target->offset_sectors, ti->len, data);
}

/* A passthrough command could write below a token's feet. */
static int dm_bpio_prepare_ioctl(struct dm_target *ti,
				 BPIO_PREPARE_IOCTL_ARGS)
{
	struct dm_bpio *target = ti->private;

	if (atomic_read(&target->vol->nr_tokens))
		return -EBUSY;
	*bdev = target->dev->bdev;
	/* As dm-linear: only when the sizes match exactly. */
	return target->offset_sectors ||
	       ti->len != bdev_nr_sectors(target->dev->bdev);
}

static struct target_type dm_bpio_target = {
	.name = "bpio",
	.version = { 1, 0, 0 },
	.features = DM_TARGET_PASSES_INTEGRITY | DM_TARGET_NOWAIT |
		    DM_TARGET_PASSES_CRYPTO,
	.module = THIS_MODULE,
	.ctr = dm_bpio_ctr,
	.dtr = dm_bpio_dtr,
	.map = dm_bpio_map,
	.status = dm_bpio_status,
	.message = dm_bpio_message,
	.presuspend = dm_bpio_presuspend,
	.presuspend_undo = dm_bpio_presuspend_undo,
	.postsuspend = dm_bpio_postsuspend,
	.preresume = dm_bpio_preresume,
	.resume = dm_bpio_resume,
	.prepare_ioctl = dm_bpio_prepare_ioctl,
	.iterate_devices = dm_bpio_iterate_devices,
};

/**
 * dm_bpio_target_init - register the target type
 *
 * Context: module init.
 * Return: 0 or the negative errno of dm_register_target().
 */
int dm_bpio_target_init(void)
{
	return dm_register_target(&dm_bpio_target);
}

/**
 * dm_bpio_target_exit - unregister the target type
 *
 * Context: module exit; no table uses it.
 */
void dm_bpio_target_exit(void)
{
	dm_unregister_target(&dm_bpio_target);
}
