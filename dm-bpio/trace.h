/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of dm-bpio: who objected and why, and every change of a
 * volume's state.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dm_bpio

#if !defined(_DM_BPIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DM_BPIO_TRACE_H

#include <linux/tracepoint.h>
#include <bpio/compat.h>

/* A layer answers ENABLE or QUERY with an objection of its own. */
TRACE_EVENT(bpio_veto,
	    TP_PROTO(const char *volume, u32 operation, s32 status,
		     const char *driver, const char *reason),
	    TP_ARGS(volume, operation, status, driver, reason),
	    TP_STRUCT__entry(
			__string(volume, volume)
			__field(u32, operation)
			__field(s32, status)
			__string(driver, driver)
			__string(reason, reason)
	    ),
	    TP_fast_assign(
			bpio_assign_str(volume, volume);
			__entry->operation = operation;
			__entry->status = status;
			bpio_assign_str(driver, driver);
			bpio_assign_str(reason, reason);
	    ),
	    TP_printk("%s operation=%u status=0x%08x driver=%s reason=\"%s\"",
		      __get_str(volume), __entry->operation,
		      (u32)__entry->status, __get_str(driver),
		      __get_str(reason))
);

/* The storage leg of a volume changed; closed: bits of bpio_gate_reason. */
TRACE_EVENT(bpio_state,
	    TP_PROTO(const char *volume, const char *event, bool enabled,
		     unsigned long closed),
	    TP_ARGS(volume, event, enabled, closed),
	    TP_STRUCT__entry(
			__string(volume, volume)
			__string(event, event)
			__field(bool, enabled)
			__field(unsigned long, closed)
	    ),
	    TP_fast_assign(
			bpio_assign_str(volume, volume);
			bpio_assign_str(event, event);
			__entry->enabled = enabled;
			__entry->closed = closed;
	    ),
	    TP_printk("%s %s enabled=%d closed=0x%lx", __get_str(volume),
		      __get_str(event), __entry->enabled, __entry->closed)
);

#endif /* _DM_BPIO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
