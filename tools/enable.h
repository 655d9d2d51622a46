/* SPDX-License-Identifier: GPL-2.0 */
/* ENABLE as a client means it: did the open get its bypass? */
#ifndef ENABLE_H
#define ENABLE_H

#include "print.h"

enum enable_outcome {
	ENABLE_FULL,
	ENABLE_PARTIAL,	  /* enabled; the volume or storage stack objects */
	ENABLE_SUSPENDED, /* enabled; reads take the traditional path */
	ENABLE_REFUSED,	  /* not enabled */
	ENABLE_FAILED,	  /* the request itself failed; already complained */
};

/**
 * enable() - ENABLE, then find out what a veto in its answer means
 * @fd: stream handle
 * @path: for complaints
 * @in_flags: FSBPIO_INFL_*
 * @report: out: filled for the printers, outcome included
 *
 * A storage veto still enables the open (R-FS-12): a QUERY that skips the
 * storage stack tells partial from refused.  Says on standard error why the
 * bypass is not full.
 */
enum enable_outcome enable(int fd, const char *path, uint32_t in_flags,
			   struct operation_report *report);

/* What ENABLE and that QUERY, when it was needed, mean together. */
enum enable_outcome enable_judge(const struct fs_bpio_output *enabled,
				 int32_t filters_op_status);

#endif /* ENABLE_H */
