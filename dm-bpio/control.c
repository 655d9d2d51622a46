// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/bpio: the IOCTL codes of the storage layer, aimed at a block device.
 * Checks the request, dispatches it and fills the reply (protocol section 8);
 * data set management and properties are dsm.c's.  The copying in and out is
 * carrier.c's.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <bpio/carrier.h>
#include <bpio/compat.h>
#include "dm-bpio.h"

/**
 * dm_bpio_check_manage_bypass_io - steps 1 to 7 of protocol section 8
 * @input: @input_length bytes, 8-byte aligned; may be NULL when that is 0
 * @input_length: bytes
 * @output_length: bytes
 * @user_mode: the sender is user mode
 *
 * Pure.  A request too short to hold an operation is neither ENABLE nor
 * DISABLE, so step 1 does not apply to it.
 *
 * Context: any.
 * Return: STATUS_SUCCESS, STATUS_ACCESS_DENIED, STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_BUFFER_TOO_SMALL or STATUS_INVALID_PARAMETER.
 */
s32 dm_bpio_check_manage_bypass_io(const struct bpio_input *input,
				   u32 input_length, u32 output_length,
				   bool user_mode)
{
	if (user_mode &&
	    input_length >= offsetofend(struct bpio_input, operation) &&
	    (input->operation == BPIO_OP_ENABLE ||
	     input->operation == BPIO_OP_DISABLE))
		return STATUS_ACCESS_DENIED;
	if (input_length < sizeof(*input))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (output_length < sizeof(struct bpio_output))
		return STATUS_BUFFER_TOO_SMALL;
	if (input->version != sizeof(*input))
		return STATUS_INVALID_PARAMETER;
	if (input->size < sizeof(*input) || input->size > input_length)
		return STATUS_INFO_LENGTH_MISMATCH;
	if (input->operation < BPIO_OP_ENABLE ||
	    input->operation > BPIO_OP_QUERY)
		return STATUS_INVALID_PARAMETER;
	if (input->in_flags || input->reserved2)
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

BPIO_EXPORT_FOR_KUNIT(dm_bpio_check_manage_bypass_io);

static s32 dm_bpio_manage_bypass_io(struct block_device *bdev,
				    struct bpio_request *req)
{
	const struct bpio_input *input = req->input;
	struct bpio_output *output = req->output;
	struct dm_bpio_volume *vol;
	struct bpio_results *results;
	s32 status;

	status = dm_bpio_check_manage_bypass_io(input, req->input_length,
						req->output_length,
						!req->kernel_mode);
	if (status)
		return status;

	vol = dm_bpio_volume_find(bdev->bd_dev);
	if (!vol)
		return STATUS_NOT_SUPPORTED;
	results = &output->query;
	status = bpio_volume_control(&vol->pub, input->operation, results);
	dm_bpio_volume_release(vol);
	if (status)
		return status;

	output->version = sizeof(*output);
	output->size = input->operation == BPIO_OP_DISABLE ?
		BPIO_OUTPUT_DISABLE_SIZE : sizeof(*output);
	output->operation = input->operation;
	output->out_flags = BPIO_OUTFL_NONE;
	output->reserved2 = 0;
	req->information = output->size;
	return STATUS_SUCCESS;
}

/* I/O manager rule: the access bits of the code come before anything else. */
static bool dm_bpio_access_ok(const struct file *file, u32 code)
{
	u32 access = BPIO_CTL_ACCESS(code);

	if (access & BPIO_FILE_READ_ACCESS && !(file->f_mode & FMODE_READ))
		return false;
	if (access & BPIO_FILE_WRITE_ACCESS && !(file->f_mode & FMODE_WRITE))
		return false;
	return true;
}

static int dm_bpio_control(void *ctx, struct bpio_request *req)
{
	struct file *file = fget(req->device_fd);
	struct block_device *bdev;

	if (!file)
		return -EBADF;
	if (!S_ISBLK(file_inode(file)->i_mode)) {
		fput(file);
		return -EINVAL;
	}
	bdev = I_BDEV(file->f_mapping->host);

	if (!dm_bpio_access_ok(file, req->code)) {
		req->status = STATUS_ACCESS_DENIED;
	} else {
		switch (req->code) {
		case IOCTL_STORAGE_MANAGE_BYPASS_IO:
			req->status = dm_bpio_manage_bypass_io(bdev, req);
			break;
		case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
			dm_bpio_manage_data_set(file, req);
			break;
		case IOCTL_STORAGE_QUERY_PROPERTY:
			dm_bpio_query_property(file, req);
			break;
		default:
			req->status = STATUS_INVALID_DEVICE_REQUEST;
		}
	}
	fput(file);
	return 0;
}

static long dm_bpio_ioctl(struct file *file, unsigned int command,
			  unsigned long arg)
{
	if (command != BPIO_IOC_CONTROL)
		return -ENOTTY;
	return bpio_control_run((struct bpio_control __user *)arg, false,
				dm_bpio_control, NULL);
}

static const struct file_operations dm_bpio_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = dm_bpio_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dm_bpio_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bpio",
	.mode = 0600,
	.fops = &dm_bpio_fops,
};

/**
 * dm_bpio_control_init - make /dev/bpio appear
 *
 * Context: module init.
 * Return: 0 or the negative errno of misc_register().
 */
int dm_bpio_control_init(void)
{
	return misc_register(&dm_bpio_misc);
}

/**
 * dm_bpio_control_exit - take /dev/bpio away
 *
 * Context: module exit; no file of it is open.
 */
void dm_bpio_control_exit(void)
{
	misc_deregister(&dm_bpio_misc);
}
