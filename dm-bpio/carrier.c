// SPDX-License-Identifier: GPL-2.0
/*
 * The carrier of control codes, BPIO_IOC_CONTROL, for /dev/bpio and for the
 * files of bpiofs.  METHOD_BUFFERED of the Windows headers: one copy in, one
 * copy out, of as many bytes as the request returns.  It refuses to know what
 * a code means.
 */
#include <linux/capability.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <bpio/carrier.h>

/* Pages of the longest buffer, wherever it begins in a page. */
#define BPIO_PINNED_PAGES	(BPIO_CONTROL_MAX_LENGTH / PAGE_SIZE + 1)

/**
 * struct bpio_pinned - a part of the caller's memory that can be written to
 * @pages: pinned
 * @nr: number of @pages; 0: nothing is pinned
 * @offset: where the part begins in the first of @pages, bytes
 * @dirty: it has been written to
 */
struct bpio_pinned {
	struct page *pages[BPIO_PINNED_PAGES];
	int nr;
	size_t offset;
	bool dirty;
};

static void bpio_unpin(struct bpio_pinned *pinned)
{
	unpin_user_pages_dirty_lock(pinned->pages, pinned->nr, pinned->dirty);
	pinned->nr = 0;
}

/* Return: 0 with all of it pinned, or a negative errno with nothing pinned. */
static int bpio_pin(struct bpio_pinned *pinned, void __user *to, size_t length)
{
	const unsigned long start = (unsigned long)to;
	int nr, got;

	pinned->nr = 0;
	pinned->dirty = false;
	if (!length)
		return 0;
	pinned->offset = offset_in_page(start);
	nr = DIV_ROUND_UP(pinned->offset + length, PAGE_SIZE);
	got = pin_user_pages_fast(start - pinned->offset, nr, FOLL_WRITE,
				  pinned->pages);
	if (got == nr) {
		pinned->nr = nr;
		return 0;
	}
	if (got > 0)
		unpin_user_pages(pinned->pages, got);
	return got == -ENOMEM || got == -EINTR ? got : -EFAULT;
}

static void bpio_pinned_write(struct bpio_pinned *pinned, const void *from,
			      size_t length)
{
	size_t at = pinned->offset;
	struct page **page = pinned->pages;

	pinned->dirty |= length;
	while (length) {
		const size_t part = min_t(size_t, length, PAGE_SIZE - at);

		memcpy_to_page(*page++, at, from, part);
		from += part;
		length -= part;
		at = 0;
	}
}

/**
 * bpio_control_run - carry one control code from user space and back
 * @uc: the caller's struct bpio_control; @uc->status and @uc->information
 *	are written when 0 is returned
 * @volume_side: the file is one of a bpiofs mount, where device_fd must be -1;
 *	on /dev/bpio it is the handler that looks at device_fd
 * @fn: handles the request: sets status, information and output, and returns
 *	0, or a negative errno for a fault of the carrier (device_fd)
 * @ctx: passed to @fn
 *
 * At most min(output_length, information) bytes are copied out, and only when
 * the status is not an error (severity 3).  The caller's input and output may
 * overlap: the input has been copied before the output is written.
 *
 * The output and the two fields are pinned for writing before @fn is called,
 * so that delivery cannot fail afterwards: a request that ends with -EFAULT
 * has done nothing.
 *
 * Context: process context of the caller; may sleep; takes no lock.
 * Return: 0 when the request was processed, whatever its status; -EFAULT for
 * a bad pointer or an output that is not writable from end to end, -EINVAL for
 * unknown flags, a nonzero reserved field, a length over
 * BPIO_CONTROL_MAX_LENGTH or a misused device_fd, -EPERM for
 * BPIO_CONTROL_KERNEL_MODE without CAP_SYS_ADMIN, -ENOMEM, or what @fn says.
 */
int bpio_control_run(struct bpio_control __user *uc, bool volume_side,
		     int (*fn)(void *ctx, struct bpio_request *req),
		     void *ctx)
{
	struct bpio_request req = { .status = STATUS_SUCCESS };
	struct bpio_pinned output, fields;
	struct bpio_control control;
	struct {
		s32 status;
		u32 information;
	} reply;
	void *input = NULL;
	int ret;

	static_assert(offsetof(struct bpio_control, information) ==
		      offsetof(struct bpio_control, status) +
		      offsetof(typeof(reply), information));

	if (copy_from_user(&control, uc, sizeof(control)))
		return -EFAULT;
	if (control.flags & ~BPIO_CONTROL_KERNEL_MODE || control.reserved)
		return -EINVAL;
	if (control.input_length > BPIO_CONTROL_MAX_LENGTH ||
	    control.output_length > BPIO_CONTROL_MAX_LENGTH)
		return -EINVAL;
	if (volume_side && control.device_fd != -1)
		return -EINVAL;
	if (control.flags & BPIO_CONTROL_KERNEL_MODE && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* Addresses that do not fit a pointer, on 32-bit kernels. */
	if (control.input != (unsigned long)control.input ||
	    control.output != (unsigned long)control.output)
		return -EFAULT;

	req.code = control.code;
	req.kernel_mode = control.flags & BPIO_CONTROL_KERNEL_MODE;
	req.input_length = control.input_length;
	req.output_length = control.output_length;
	req.device_fd = control.device_fd;

	if (req.input_length) {
		input = vmemdup_user(u64_to_user_ptr(control.input),
				     req.input_length);
		if (IS_ERR(input))
			return PTR_ERR(input);
		req.input = input;
	}
	if (req.output_length) {
		req.output = kvzalloc(req.output_length, GFP_KERNEL_ACCOUNT);
		if (!req.output) {
			ret = -ENOMEM;
			goto out_input;
		}
	}

	/* Nothing may happen for a reply that cannot be delivered. */
	ret = bpio_pin(&output, u64_to_user_ptr(control.output),
		       req.output_length);
	if (ret)
		goto out_output;
	/* The two fields and no more: the rest of the struct is the caller's. */
	ret = bpio_pin(&fields, &uc->status, sizeof(reply));
	if (ret)
		goto out_unpin;

	ret = fn(ctx, &req);
	if (!ret) {
		if (BPIO_NT_SEVERITY(req.status) != 3)
			bpio_pinned_write(&output, req.output,
					  min(req.output_length,
					      req.information));
		reply.status = req.status;
		reply.information = req.information;
		bpio_pinned_write(&fields, &reply, sizeof(reply));
	}

	bpio_unpin(&fields);
out_unpin:
	bpio_unpin(&output);
out_output:
	kvfree(req.output);
out_input:
	kvfree(input);
	return ret;
}
EXPORT_SYMBOL_GPL(bpio_control_run);
