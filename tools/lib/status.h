/* SPDX-License-Identifier: GPL-2.0 */
/* The table of statuses itself, which grows: not for other programs. */
#ifndef BPIO_STATUS_H
#define BPIO_STATUS_H

#include "bpio.h"

/* Ordered by value as u32. */
extern const struct bpio_status bpio_statuses[];
extern const size_t bpio_statuses_nr;

#endif /* BPIO_STATUS_H */
