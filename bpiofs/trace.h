/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the file system role: vetoes of filters, filters that come
 * and go, every FSCTL_MANAGE_BYPASS_IO, and the path of every read of an
 * enabled open.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM bpiofs

#if !defined(_BPIOFS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _BPIOFS_TRACE_H

#include <linux/fs.h>
#include <linux/tracepoint.h>

TRACE_EVENT(bpio_veto,

	TP_PROTO(const char *filter, s32 status, const char *reason),

	TP_ARGS(filter, status, reason),

	TP_STRUCT__entry(
		__string(filter, filter)
		__field(s32, status)
		__string(reason, reason)
	),

	TP_fast_assign(
		bpio_assign_str(filter, filter);
		__entry->status = status;
		bpio_assign_str(reason, reason);
	),

	TP_printk("filter=%s status=0x%08x reason=\"%s\"", __get_str(filter),
		  (u32)__entry->status, __get_str(reason))
);

TRACE_EVENT(bpiofs_filter,

	TP_PROTO(const struct super_block *sb, const char *instance,
		 const char *altitude, bool attached),

	TP_ARGS(sb, instance, altitude, attached),

	TP_STRUCT__entry(
		__string(volume, sb->s_id)
		__string(instance, instance)
		__string(altitude, altitude)
		__field(bool, attached)
	),

	TP_fast_assign(
		bpio_assign_str(volume, sb->s_id);
		bpio_assign_str(instance, instance);
		bpio_assign_str(altitude, altitude);
		__entry->attached = attached;
	),

	TP_printk("volume=%s instance=%s altitude=%s %s", __get_str(volume),
		  __get_str(instance), __get_str(altitude),
		  __entry->attached ? "attached" : "detached")
);

TRACE_EVENT(bpiofs_control,

	TP_PROTO(const struct inode *inode, u32 operation, s32 status,
		 s32 op_status, u32 out_flags, u32 open_count,
		 u32 active_count),

	TP_ARGS(inode, operation, status, op_status, out_flags, open_count,
		active_count),

	TP_STRUCT__entry(
		__string(volume, inode->i_sb->s_id)
		__field(u64, ino)
		__field(u32, operation)
		__field(s32, status)
		__field(s32, op_status)
		__field(u32, out_flags)
		__field(u32, open_count)
		__field(u32, active_count)
	),

	TP_fast_assign(
		bpio_assign_str(volume, inode->i_sb->s_id);
		__entry->ino = inode->i_ino;
		__entry->operation = operation;
		__entry->status = status;
		__entry->op_status = op_status;
		__entry->out_flags = out_flags;
		__entry->open_count = open_count;
		__entry->active_count = active_count;
	),

	TP_printk("volume=%s ino=%llu operation=%u status=0x%08x op_status=0x%08x flags=%u open_count=%u active_count=%u",
		  __get_str(volume), __entry->ino, __entry->operation,
		  (u32)__entry->status, (u32)__entry->op_status,
		  __entry->out_flags, __entry->open_count,
		  __entry->active_count)
);

TRACE_EVENT(bpiofs_read,

	TP_PROTO(const struct inode *inode, loff_t pos, ssize_t result,
		 const char *path, const char *why),

	TP_ARGS(inode, pos, result, path, why),

	TP_STRUCT__entry(
		__string(volume, inode->i_sb->s_id)
		__field(u64, ino)
		__field(loff_t, pos)
		__field(ssize_t, result)
		__string(path, path)
		__string(why, why)
	),

	TP_fast_assign(
		bpio_assign_str(volume, inode->i_sb->s_id);
		__entry->ino = inode->i_ino;
		__entry->pos = pos;
		__entry->result = result;
		bpio_assign_str(path, path);
		bpio_assign_str(why, why);
	),

	TP_printk("volume=%s ino=%llu pos=%lld result=%zd path=%s why=%s",
		  __get_str(volume), __entry->ino, __entry->pos,
		  __entry->result, __get_str(path), __get_str(why))
);

TRACE_EVENT(bpiofs_copy,

	TP_PROTO(const struct inode *inode, loff_t pos, ssize_t result,
		 const char *how, s32 status),

	TP_ARGS(inode, pos, result, how, status),

	TP_STRUCT__entry(
		__string(volume, inode->i_sb->s_id)
		__field(u64, ino)
		__field(loff_t, pos)
		__field(ssize_t, result)
		__string(how, how)
		__field(s32, status)
	),

	TP_fast_assign(
		bpio_assign_str(volume, inode->i_sb->s_id);
		__entry->ino = inode->i_ino;
		__entry->pos = pos;
		__entry->result = result;
		bpio_assign_str(how, how);
		__entry->status = status;
	),

	TP_printk("volume=%s ino=%llu pos=%lld result=%zd how=%s status=0x%08x",
		  __get_str(volume), __entry->ino, __entry->pos,
		  __entry->result, __get_str(how), (u32)__entry->status)
);

#endif /* _BPIOFS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
