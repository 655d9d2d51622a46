// SPDX-License-Identifier: GPL-2.0
/*
 * A minifilter that encrypts single files and follows every recipe for an
 * encryption filter under BypassIO (R-FLT-11): where an author of such a filter
 * may start.  FSCTL_SET_ENCRYPTION encrypts and decrypts an existing file.
 *
 * Here is what begins and ends an operation on a file: registration, opens,
 * control codes.  crypt-data.c has the callbacks for data.
 *
 * To be attached before files are opened: what was mapped before is not seen.
 */
#include <linux/list.h>
#include <linux/spinlock.h>
#include "crypt.h"

static char key[2 * CRYPT_KEY_SIZE + 1];
module_param_string(key, key, sizeof(key), 0);
MODULE_PARM_DESC(key, "of AES-256-XTS: 128 hexadecimal digits; required");

/* Encryption (M-9) */
static char *altitude = "145000";
module_param(altitude, charp, 0444);
MODULE_PARM_DESC(altitude, "where instances go unless told otherwise");

static uint features = SUPPORTED_FS_FEATURES_OFFLOAD_READ |
		       SUPPORTED_FS_FEATURES_OFFLOAD_WRITE |
		       SUPPORTED_FS_FEATURES_BYPASS_IO;
module_param(features, uint, 0444);
MODULE_PARM_DESC(features, "SUPPORTED_FS_FEATURES_*");

/* ---- control codes ------------------------------------------------------ */

static int complete_fsctl(struct flt_callback_data *data, s32 status,
			  u32 information)
{
	data->status = status;
	data->information = information;
	return FLT_PREOP_COMPLETE;
}

static int veto(struct flt_callback_data *data,
		const struct flt_related_objects *objects)
{
	s32 status = flt_veto_bypass_io(data, objects,
					STATUS_NOT_SUPPORTED_WITH_ENCRYPTION,
					"Encrypted file not supported");

	return complete_fsctl(data, status,
			      status ? 0 : FS_BPIO_OUTPUT_QUERY_SIZE);
}

/*
 * ENABLE goes down under the lock: when a conversion has the lock, whoever is
 * enabled has been counted.  QUERY does not: it may come from a STREAM_RESUME.
 */
static int pre_bypass_io(struct flt_callback_data *data,
			 const struct flt_related_objects *objects)
{
	const struct fs_bpio_input *in = data->fsctl.input;
	struct crypt_stream *s;

	if (data->fsctl.input_length < sizeof(*in) ||
	    (in->operation != FS_BPIO_OP_ENABLE &&
	     in->operation != FS_BPIO_OP_QUERY))
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	s = crypt_get_stream(objects);
	if (IS_ERR(s))
		return complete_fsctl(data, crypt_status_of(PTR_ERR(s)), 0);
	if (READ_ONCE(s->vetoing))
		return veto(data, objects);
	if (in->operation == FS_BPIO_OP_QUERY)
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	if (down_read_killable(&s->lock))
		return complete_fsctl(data, STATUS_UNSUCCESSFUL, 0);
	if (s->vetoing) {
		up_read(&s->lock);
		return veto(data, objects);
	}
	return FLT_PREOP_SYNCHRONIZE;
}

/*
 * A token stands for what is on the device.  The file is refused, not the
 * volume: STATUS_NOT_SUPPORTED would tell the caller not to try any file of it
 * (OR-15, OW-11).
 */
static int pre_offload(struct flt_callback_data *data,
		       const struct flt_related_objects *objects)
{
	const s32 refused = data->fsctl.code == FSCTL_OFFLOAD_READ ?
		STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED :
		STATUS_OFFLOAD_WRITE_FILE_NOT_SUPPORTED;
	struct crypt_stream *s = crypt_enter(objects, false);
	bool encrypted;

	if (s == ERR_PTR(-ENOMEM))
		return complete_fsctl(data, STATUS_INSUFFICIENT_RESOURCES, 0);
	if (IS_ERR(s))
		return complete_fsctl(data, refused, 0);
	encrypted = s->encrypted;
	if (!encrypted)
		atomic_inc(&s->offloads);
	crypt_leave(s, false);
	if (encrypted)
		return complete_fsctl(data, refused, 0);
	return FLT_PREOP_SYNCHRONIZE;
}

static int pre_fsctl(struct flt_callback_data *data,
		     const struct flt_related_objects *objects,
		     void **completion_context)
{
	if (!S_ISREG(objects->inode->i_mode))
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	switch (data->fsctl.code) {
	case FSCTL_MANAGE_BYPASS_IO:
		return pre_bypass_io(data, objects);
	case FSCTL_OFFLOAD_READ:
	case FSCTL_OFFLOAD_WRITE:
		return pre_offload(data, objects);
	case FSCTL_SET_ENCRYPTION:
		return complete_fsctl(data, crypt_set_encryption(data, objects),
				      0);
	default:
		return FLT_PREOP_SUCCESS_NO_CALLBACK;
	}
}

/* Only of what was let down. */
static int post_fsctl(struct flt_callback_data *data,
		      const struct flt_related_objects *objects,
		      void *completion_context, u32 flags)
{
	struct crypt_stream *s = flt_stream_context(objects);

	if (data->fsctl.code == FSCTL_MANAGE_BYPASS_IO)
		crypt_leave(s, false);
	else if (atomic_dec_and_test(&s->offloads))
		wake_up_all(&s->idle);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

/* ---- opens -------------------------------------------------------------- */

/*
 * So that mappings of an encrypted file are refused from the start, and so is
 * the open itself without the right key.
 */
static int post_create(struct flt_callback_data *data,
		       const struct flt_related_objects *objects,
		       void *completion_context, u32 flags)
{
	struct crypt_stream *s;
	bool encrypted;

	if (data->result < 0 || !S_ISREG(objects->inode->i_mode))
		return FLT_POSTOP_FINISHED_PROCESSING;
	s = crypt_enter(objects, false);
	if (IS_ERR(s)) {
		data->result = PTR_ERR(s);
		return FLT_POSTOP_FINISHED_PROCESSING;
	}
	encrypted = s->encrypted;
	crypt_leave(s, false);
	/* Enabled before this filter was attached (R-FS-88). */
	if (encrypted && flt_get_bypass_io_open_count(objects->inode))
		crypt_control_bypass_io(objects, FS_BPIO_OP_STREAM_PAUSE);
	return FLT_POSTOP_FINISHED_PROCESSING;
}

/* ---- instances ---------------------------------------------------------- */

struct instance {
	struct list_head list;
	struct super_block *sb;
};

static LIST_HEAD(instances);
static DEFINE_SPINLOCK(instances_lock);

/* One on a mount: two would go by the same marks. */
static int setup(const struct flt_related_objects *objects)
{
	struct instance *new, *other;
	int ret = 0;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->sb = objects->inode->i_sb;
	spin_lock(&instances_lock);
	list_for_each_entry(other, &instances, list)
		if (other->sb == new->sb)
			ret = -EBUSY;
	if (!ret)
		list_add(&new->list, &instances);
	spin_unlock(&instances_lock);
	if (ret)
		kfree(new);
	else
		flt_set_instance_context(objects->instance, new);
	return ret;
}

static void teardown(struct flt_instance *flt_instance)
{
	struct instance *instance = flt_instance_context(flt_instance);

	spin_lock(&instances_lock);
	list_del(&instance->list);
	spin_unlock(&instances_lock);
	kfree(instance);
}

/* ---- registration ------------------------------------------------------- */

static const struct flt_operation_registration operations[] = {
	{ IRP_MJ_CREATE, NULL, post_create },
	{ IRP_MJ_READ, crypt_pre_read, crypt_post_read },
	{ IRP_MJ_WRITE, crypt_pre_write, crypt_post_write },
	{ IRP_MJ_SET_INFORMATION, crypt_pre_set_size, crypt_post_set_size },
	{ IRP_MJ_FILE_SYSTEM_CONTROL, pre_fsctl, post_fsctl },
	{}
};

static struct flt_registration registration = {
	.name = "bpio-flt-crypt",
	.operations = operations,
	.instance_setup = setup,
	.instance_teardown = teardown,
	.stream_context_cleanup = crypt_free_stream,
};

static struct flt_filter *filter;

static int __init crypt_init(void)
{
	int ret;

	ret = crypt_cipher_init(key);
	memzero_explicit(key, sizeof(key));
	if (ret)
		return ret;
	registration.altitude = altitude;
	registration.supported_features = features;
	filter = flt_register_filter(&registration);
	if (IS_ERR(filter)) {
		crypt_cipher_exit();
		return PTR_ERR(filter);
	}
	return 0;
}

static void __exit crypt_exit(void)
{
	flt_unregister_filter(filter);
	crypt_cipher_exit();
}

module_init(crypt_init);
module_exit(crypt_exit);

MODULE_DESCRIPTION("bpiofs minifilter that encrypts files");
MODULE_LICENSE("GPL");
