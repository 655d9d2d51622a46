// SPDX-License-Identifier: GPL-2.0
/*
 * Any number of minifilters, scripted by the guest tests, for tests of the
 * filter manager: also such as do what a filter must not.  Parameters:
 *
 * add		NAME ALTITUDE FEATURES OP...: register a filter; an OP is one of
 *		create close read write setsize fsctl cleanup, for one callback
 *		alone with :pre or :post
 * remove	NAME: unregister it
 * script	NAME KEY=VALUE...: what its callbacks do; see keys[]
 * clear	forget the log and the calls
 * log		a line for each callback, the newest last; "lost N" in front
 *		when there were more than fit
 * calls	a line for each filter: its instances, and OP=PRE/POST callbacks
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <bpio/filter.h>

#define NR_OPS		7
#define NAME_ROOM	64	/* more than a filter may have */
#define REASON_ROOM	256
#define LOG_LINES	64
#define LOG_LINE	112

/* With read and write access to the handle; nobody else knows it. */
#define FSCTL_TEST	0x0022EFFC

static const struct {
	const char *word;
	unsigned int major;
} op_words[NR_OPS] = {
	{ "create", IRP_MJ_CREATE },
	{ "close", IRP_MJ_CLOSE },
	{ "read", IRP_MJ_READ },
	{ "write", IRP_MJ_WRITE },
	{ "setsize", IRP_MJ_SET_INFORMATION },
	{ "fsctl", IRP_MJ_FILE_SYSTEM_CONTROL },
	{ "cleanup", IRP_MJ_CLEANUP },
};

enum null_argument { NULL_NONE, NULL_DATA, NULL_OBJECTS, NULL_REASON };

/* A value for one op: "read:-5". */
struct op_value {
	bool set;
	int op;
	int value;
};

/* What the callbacks of a filter do; all zero: log, and go on. */
struct script {
	bool veto, veto_in_post;
	s32 veto_status;
	char reason[REASON_ROOM];
	unsigned int null;	/* enum null_argument */
	unsigned int fs_ops;	/* FS_BPIO_OP_*, bits; 0: ENABLE and QUERY */
	struct op_value pre, post, complete, result;
	unsigned int info;
	unsigned int sleep_ms;
	bool hold;
	bool detach, detach_in_post;
	unsigned int send;	/* FS_BPIO_OP_* */
	bool send_top;
	bool count;
	bool silent;
	int setup;
};

struct test_filter {
	struct list_head node;
	char name[NAME_ROOM];
	char altitude[NAME_ROOM];
	struct flt_registration registration;
	struct flt_operation_registration operations[NR_OPS + 1];
	bool has_pre[NR_OPS], has_post[NR_OPS];
	struct flt_filter *filter;
	bool going;		/* being unregistered */
	spinlock_t lock;	/* script */
	struct script script;
	atomic_t pre_calls[NR_OPS], post_calls[NR_OPS];
	atomic_t instances;
};

struct test_instance {
	struct test_filter *tf;
	atomic_t running;
};

/*
 * Parameters are written and read under kernel_param_lock(); callbacks know
 * the list by filters_lock, which is inside it.  A filter that is being
 * unregistered stays on the list without kernel_param_lock(), so that scripts
 * and the log are there for whatever it waits for.
 */
static LIST_HEAD(filters);
static DEFINE_SPINLOCK(filters_lock);
static bool ready;

/* ---- log ------------------------------------------------------------------ */

static DEFINE_SPINLOCK(log_lock);
static char log_text[LOG_LINES][LOG_LINE];
static unsigned int log_next;	/* lines ever, since clear */

static __printf(1, 2) void log_line(const char *format, ...)
{
	va_list args;

	spin_lock(&log_lock);
	va_start(args, format);
	vscnprintf(log_text[log_next++ % LOG_LINES], LOG_LINE, format, args);
	va_end(args);
	spin_unlock(&log_lock);
}

static int log_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int i, first;
	int length = 0;

	spin_lock(&log_lock);
	for (first = log_next; first && log_next - first < LOG_LINES; first--) {
		length += strlen(log_text[(first - 1) % LOG_LINES]) + 1;
		if (length > PAGE_SIZE - LOG_LINE)
			break;
	}
	length = 0;
	if (first)
		length = scnprintf(buffer, PAGE_SIZE, "lost %u\n", first);
	for (i = first; i < log_next; i++)
		length += scnprintf(buffer + length, PAGE_SIZE - length, "%s\n",
				    log_text[i % LOG_LINES]);
	spin_unlock(&log_lock);
	return length;
}

/* ---- callbacks ------------------------------------------------------------ */

static int op_of(unsigned int major)
{
	int op;

	for (op = 0; op < NR_OPS; op++)
		if (op_words[op].major == major)
			return op;
	return -1;
}

static u32 bpio_operation(const struct flt_callback_data *data)
{
	u32 operation = 0;

	if (data->fsctl.code == FSCTL_MANAGE_BYPASS_IO)
		memcpy(&operation, data->fsctl.input,
		       min_t(u32, data->fsctl.input_length, sizeof(operation)));
	return operation;
}

/* Is the script about this operation?  All but of BypassIO always are. */
static bool is_meant(const struct script *s,
		     const struct flt_callback_data *data)
{
	u32 operations = s->fs_ops ?: BIT(FS_BPIO_OP_ENABLE) |
				      BIT(FS_BPIO_OP_QUERY);
	u32 operation;

	if (data->major != IRP_MJ_FILE_SYSTEM_CONTROL)
		return true;
	operation = bpio_operation(data);
	return operation < 32 && (!operation || BIT(operation) & operations);
}

static bool value_for(const struct op_value *v, int op, int *value)
{
	if (!v->set || v->op != op)
		return false;
	*value = v->value;
	return true;
}

/* Return: what a filter completes the request with (R-FLT-5). */
static s32 object(const struct script *s, const char *name,
		  struct flt_callback_data *data,
		  const struct flt_related_objects *objects)
{
	const u32 length = data->fsctl.output_length;
	const bool clean = !length ||
			   !memchr_inv(data->fsctl.output, 0, length);
	s32 status;

	status = flt_veto_bypass_io(s->null == NULL_DATA ? NULL : data,
				    s->null == NULL_OBJECTS ? NULL : objects,
				    s->veto_status,
				    s->null == NULL_REASON ? NULL : s->reason);
	log_line("%s veto op=%u status=%#x%s", name, bpio_operation(data),
		 status, status && clean && length &&
		 memchr_inv(data->fsctl.output, 0, length) ? " TOUCHED" : "");
	return status;
}

static void send(const struct script *s, const char *name,
		 struct flt_callback_data *data,
		 const struct flt_related_objects *objects)
{
	struct fs_bpio_input in = { .operation = s->send };
	struct fs_bpio_output out = {};
	u32 information = 0;

	data->status = flt_fs_control(objects, s->send_top,
				      FSCTL_MANAGE_BYPASS_IO, &in, sizeof(in),
				      &out, sizeof(out), &information);
	data->information = 0;
	log_line("%s sent op=%u status=%#x info=%u", name, s->send,
		 data->status, information);
}

/* Tells, too, when what the manager hands over is not what it promised. */
static struct test_instance *enter(struct script *s, int *op,
				   const struct flt_callback_data *data,
				   const struct flt_related_objects *objects)
{
	struct test_instance *ti = flt_instance_context(objects->instance);

	*op = op_of(data->major);
	WARN_ON_ONCE(!ti || *op < 0 || objects->filter != ti->tf->filter ||
		     !objects->inode || !objects->dentry);
	WARN_ON_ONCE(!objects->file && data->major != IRP_MJ_SET_INFORMATION);
	might_sleep();
	atomic_inc(&ti->running);
	spin_lock(&ti->tf->lock);
	*s = ti->tf->script;
	spin_unlock(&ti->tf->lock);
	return ti;
}

/* Until another script is written, or the caller is killed. */
static void hold(struct test_filter *tf)
{
	bool held;

	do {
		msleep(20);
		spin_lock(&tf->lock);
		held = tf->script.hold;
		spin_unlock(&tf->lock);
	} while (held && !fatal_signal_pending(current));
}

static void log_pre(const struct script *s, const struct test_filter *tf,
		    int op, const struct flt_callback_data *data,
		    const struct flt_related_objects *objects)
{
	char count[24] = "", what[24] = "";

	if (s->silent)
		return;
	if (s->count)
		scnprintf(count, sizeof(count), " count=%u",
			  flt_get_bypass_io_open_count(objects->inode));
	if (data->major == IRP_MJ_FILE_SYSTEM_CONTROL) {
		if (data->fsctl.code == FSCTL_MANAGE_BYPASS_IO)
			scnprintf(what, sizeof(what), " op=%u",
				  bpio_operation(data));
		else
			scnprintf(what, sizeof(what), " code=%#x",
				  data->fsctl.code);
	}
	log_line("%s pre %s%s%s", tf->name, op_words[op].word, what, count);
}

static void log_post(const struct script *s, const struct test_filter *tf,
		     int op, const struct flt_callback_data *data,
		     const struct flt_related_objects *objects, u32 flags)
{
	const char *draining = flags & FLTFL_POST_OPERATION_DRAINING ?
			       " draining" : "";
	const struct fs_bpio_output *out;
	char count[24] = "", op_status[28] = "";

	if (s->silent)
		return;
	if (s->count)
		scnprintf(count, sizeof(count), " count=%u",
			  flt_get_bypass_io_open_count(objects->inode));
	if (data->major != IRP_MJ_FILE_SYSTEM_CONTROL) {
		log_line("%s post %s result=%zd%s%s", tf->name,
			 op_words[op].word, data->result, draining, count);
		return;
	}
	if (data->fsctl.code != FSCTL_MANAGE_BYPASS_IO) {
		log_line("%s post fsctl code=%#x status=%#x%s%s", tf->name,
			 data->fsctl.code, data->status, draining, count);
		return;
	}
	out = data->fsctl.output;
	if (data->information >= sizeof(*out) &&
	    data->fsctl.output_length >= sizeof(*out))
		scnprintf(op_status, sizeof(op_status), " op_status=%#x",
			  out->enable.op_status);
	log_line("%s post fsctl op=%u status=%#x info=%u%s%s%s", tf->name,
		 bpio_operation(data), data->status, data->information,
		 op_status, draining, count);
}

static int test_pre(struct flt_callback_data *data,
		    const struct flt_related_objects *objects,
		    void **completion_context)
{
	struct test_instance *ti;
	struct script s;
	int op, value;
	int ret;

	ti = enter(&s, &op, data, objects);
	atomic_inc(&ti->tf->pre_calls[op]);
	log_pre(&s, ti->tf, op, data, objects);
	*completion_context = ti;
	ret = ti->tf->has_post[op] ? FLT_PREOP_SUCCESS_WITH_CALLBACK :
				     FLT_PREOP_SUCCESS_NO_CALLBACK;
	if (s.sleep_ms && is_meant(&s, data))
		msleep(s.sleep_ms);
	if (s.hold && is_meant(&s, data))
		hold(ti->tf);
	if (s.detach)
		log_line("%s detach %d", ti->tf->name,
			 flt_detach_instance(objects->instance));
	if (data->major == IRP_MJ_FILE_SYSTEM_CONTROL) {
		if (s.send && data->fsctl.code == FSCTL_TEST) {
			send(&s, ti->tf->name, data, objects);
			ret = FLT_PREOP_COMPLETE;
		}
		if (s.veto && is_meant(&s, data)) {
			const u32 operation = bpio_operation(data);

			value = object(&s, ti->tf->name, data, objects);
			if (operation <= FS_BPIO_OP_ENABLE ||
			    operation == FS_BPIO_OP_QUERY) {
				data->status = value;
				data->information =
					value ? 0 : FS_BPIO_OUTPUT_ENABLE_SIZE;
				ret = FLT_PREOP_COMPLETE;
			}
		}
	}
	if (value_for(&s.complete, op, &value) && is_meant(&s, data)) {
		if (data->major == IRP_MJ_FILE_SYSTEM_CONTROL) {
			data->status = value;
			data->information = s.info;
		} else {
			data->result = value;
		}
		ret = FLT_PREOP_COMPLETE;
	}
	if (value_for(&s.pre, op, &value))
		ret = value;
	atomic_dec(&ti->running);
	return ret;
}

static int test_post(struct flt_callback_data *data,
		     const struct flt_related_objects *objects,
		     void *completion_context, u32 flags)
{
	struct test_instance *ti;
	struct script s;
	int op, value;
	int ret = FLT_POSTOP_FINISHED_PROCESSING;

	ti = enter(&s, &op, data, objects);
	atomic_inc(&ti->tf->post_calls[op]);
	WARN_ON_ONCE(completion_context != (ti->tf->has_pre[op] ? ti : NULL));
	log_post(&s, ti->tf, op, data, objects, flags);
	if (s.veto_in_post && data->major == IRP_MJ_FILE_SYSTEM_CONTROL)
		object(&s, ti->tf->name, data, objects);
	if (s.detach_in_post)
		log_line("%s detach %d", ti->tf->name,
			 flt_detach_instance(objects->instance));
	if (value_for(&s.result, op, &value) && is_meant(&s, data)) {
		if (data->major == IRP_MJ_FILE_SYSTEM_CONTROL) {
			data->status = value;
			data->information = s.info;
		} else {
			data->result = value;
		}
	}
	if (value_for(&s.post, op, &value))
		ret = value;
	atomic_dec(&ti->running);
	return ret;
}

static int test_setup(const struct flt_related_objects *objects)
{
	struct test_filter *tf = NULL, *t;
	struct test_instance *ti;
	int ret = 0;

	spin_lock(&filters_lock);
	list_for_each_entry(t, &filters, node)
		if (t->filter == objects->filter)
			tf = t;
	spin_unlock(&filters_lock);
	if (!tf)
		return -EAGAIN;
	spin_lock(&tf->lock);
	ret = tf->script.setup;
	spin_unlock(&tf->lock);
	if (ret)
		return ret;
	ti = kzalloc(sizeof(*ti), GFP_KERNEL);
	if (!ti)
		return -ENOMEM;
	ti->tf = tf;
	atomic_inc(&tf->instances);
	flt_set_instance_context(objects->instance, ti);
	return 0;
}

static void test_teardown(struct flt_instance *instance)
{
	struct test_instance *ti = flt_instance_context(instance);

	WARN_ON_ONCE(atomic_read(&ti->running));
	atomic_dec(&ti->tf->instances);
	kfree(ti);
}

/* ---- words ---------------------------------------------------------------- */

static char *next_word(char **rest)
{
	char *word;

	do {
		word = strsep(rest, "\n ");
	} while (word && !*word);
	return word;
}

static struct test_filter *find_filter(const char *name)
{
	struct test_filter *tf;

	list_for_each_entry(tf, &filters, node)
		if (name && !tf->going && !strcmp(tf->name, name))
			return tf;
	return NULL;
}

static int op_by_word(const char *word, size_t length)
{
	int op;

	for (op = 0; op < NR_OPS; op++)
		if (strlen(op_words[op].word) == length &&
		    !memcmp(op_words[op].word, word, length))
			return op;
	return -EINVAL;
}

static int parse_number(const char *text, int *value)
{
	unsigned int bits;
	int ret;

	if (*text == '-')
		return kstrtoint(text, 0, value);
	ret = kstrtouint(text, 0, &bits);
	*value = bits;
	return ret;
}

static int parse_op_value(const char *text, struct op_value *v)
{
	const char *colon = strchr(text, ':');

	if (!colon)
		return -EINVAL;
	v->set = true;
	v->op = op_by_word(text, colon - text);
	return v->op < 0 ? v->op : parse_number(colon + 1, &v->value);
}

static int parse_fs_ops(char *text, unsigned int *bits)
{
	unsigned int operation;
	char *word;
	int ret;

	while ((word = strsep(&text, ","))) {
		ret = kstrtouint(word, 0, &operation);
		if (ret || operation > 31)
			return -EINVAL;
		*bits |= BIT(operation);
	}
	return 0;
}

static int parse_send(char *text, struct script *s)
{
	static const char *const words[] = {
		[FS_BPIO_OP_ENABLE] = "enable",
		[FS_BPIO_OP_DISABLE] = "disable",
		[FS_BPIO_OP_QUERY] = "query",
		[FS_BPIO_OP_STREAM_PAUSE] = "pause",
		[FS_BPIO_OP_STREAM_RESUME] = "resume",
	};
	char *word = strsep(&text, ":");
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(words); i++)
		if (words[i] && !strcmp(word, words[i]))
			s->send = i;
	s->send_top = text && !strcmp(text, "top");
	return s->send ? 0 : -EINVAL;
}

static int parse_reason(char *text, struct script *s)
{
	if (strscpy(s->reason, text, sizeof(s->reason)) < 0)
		return -EINVAL;
	strreplace(s->reason, '_', ' ');
	return 0;
}

static int parse_null(const char *text, struct script *s)
{
	static const char *const words[] = {
		[NULL_DATA] = "data",
		[NULL_OBJECTS] = "objects",
		[NULL_REASON] = "reason",
	};
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i]))
			s->null = i;
	return s->null ? 0 : -EINVAL;
}

/*
 * veto=NTSTATUS reason=TEXT (blanks as underscores): object by
 * flt_veto_bypass_io(), complete with what it returned; null=data|objects|
 * reason passes NULL for that; veto_in_post=NTSTATUS: try it from the
 * post-operation callback.
 * fs_ops=N,...: the operations of FSCTL_MANAGE_BYPASS_IO that veto, complete,
 * result, sleep_ms and hold mean instead of ENABLE and QUERY.
 * pre=OP:N post=OP:N: what the callbacks return.
 * complete=OP:N: FLT_PREOP_COMPLETE with this status or result; result=OP:N:
 * put there by the post-operation callback; info=N: with information.
 * sleep_ms=N  hold=1: until the next script  detach=1  detach_in_post=1 the own
 * instance
 * send=enable|disable|query|pause|resume[:top]: on FSCTL_TEST, then completes it
 * count=1: log the count of enabled opens  silent=1: log nothing
 * setup=-N: instance_setup fails
 * Each line starts from none.
 */
static int parse_key(struct script *s, const char *key, char *value)
{
	if (!strcmp(key, "veto")) {
		s->veto = true;
		return parse_number(value, &s->veto_status);
	}
	if (!strcmp(key, "reason"))
		return parse_reason(value, s);
	if (!strcmp(key, "null"))
		return parse_null(value, s);
	if (!strcmp(key, "fs_ops"))
		return parse_fs_ops(value, &s->fs_ops);
	if (!strcmp(key, "veto_in_post")) {
		s->veto_in_post = true;
		return parse_number(value, &s->veto_status);
	}
	if (!strcmp(key, "pre"))
		return parse_op_value(value, &s->pre);
	if (!strcmp(key, "post"))
		return parse_op_value(value, &s->post);
	if (!strcmp(key, "complete"))
		return parse_op_value(value, &s->complete);
	if (!strcmp(key, "result"))
		return parse_op_value(value, &s->result);
	if (!strcmp(key, "info"))
		return kstrtouint(value, 0, &s->info);
	if (!strcmp(key, "sleep_ms"))
		return kstrtouint(value, 0, &s->sleep_ms);
	if (!strcmp(key, "hold"))
		return kstrtobool(value, &s->hold);
	if (!strcmp(key, "detach"))
		return kstrtobool(value, &s->detach);
	if (!strcmp(key, "detach_in_post"))
		return kstrtobool(value, &s->detach_in_post);
	if (!strcmp(key, "send"))
		return parse_send(value, s);
	if (!strcmp(key, "count"))
		return kstrtobool(value, &s->count);
	if (!strcmp(key, "silent"))
		return kstrtobool(value, &s->silent);
	if (!strcmp(key, "setup"))
		return kstrtoint(value, 0, &s->setup);
	return -EINVAL;
}

/* OP, OP:pre or OP:post */
static int parse_op(struct test_filter *tf, unsigned int nr, const char *word)
{
	struct flt_operation_registration *o = &tf->operations[nr];
	const char *colon = strchrnul(word, ':');
	const int op = op_by_word(word, colon - word);

	if (op < 0)
		return op;
	o->major = op_words[op].major;
	if (strcmp(colon, ":post")) {
		o->pre = test_pre;
		tf->has_pre[op] = true;
	}
	if (strcmp(colon, ":pre")) {
		o->post = test_post;
		tf->has_post[op] = true;
	}
	return 0;
}

/* ---- parameters ----------------------------------------------------------- */

static int add_filter(struct test_filter *tf, char *words)
{
	struct flt_registration *r = &tf->registration;
	const char *name, *altitude, *features, *word;
	struct flt_filter *filter;
	unsigned int nr;
	int ret;

	name = next_word(&words);
	altitude = next_word(&words);
	features = next_word(&words);
	if (!features ||
	    strscpy(tf->name, name, sizeof(tf->name)) < 0 ||
	    strscpy(tf->altitude, altitude, sizeof(tf->altitude)) < 0)
		return -EINVAL;
	if (find_filter(name))
		return -EEXIST;
	ret = kstrtou32(features, 0, &r->supported_features);
	for (nr = 0; !ret && (word = next_word(&words)); nr++)
		ret = nr < NR_OPS ? parse_op(tf, nr, word) : -EINVAL;
	if (ret)
		return ret;
	r->name = tf->name;
	r->altitude = tf->altitude;
	r->operations = tf->operations;
	r->instance_setup = test_setup;
	r->instance_teardown = test_teardown;
	spin_lock_init(&tf->lock);
	filter = flt_register_filter(r);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	spin_lock(&filters_lock);
	tf->filter = filter;
	list_add_tail(&tf->node, &filters);
	spin_unlock(&filters_lock);
	return 0;
}

static void remove_filter(struct test_filter *tf)
{
	tf->going = true;
	kernel_param_unlock(THIS_MODULE);
	flt_unregister_filter(tf->filter);
	kernel_param_lock(THIS_MODULE);
	WARN_ON_ONCE(atomic_read(&tf->instances));
	spin_lock(&filters_lock);
	list_del(&tf->node);
	spin_unlock(&filters_lock);
	kfree(tf);
}

static int script_filter(struct test_filter *tf, char *words)
{
	struct script *s = kzalloc(sizeof(*s), GFP_KERNEL);
	char *key, *value;
	int ret = 0;

	if (!s)
		return -ENOMEM;
	while (!ret && (key = next_word(&words))) {
		value = strchr(key, '=');
		if (value) {
			*value++ = '\0';
			ret = parse_key(s, key, value);
		} else {
			ret = -EINVAL;
		}
	}
	if (!ret) {
		spin_lock(&tf->lock);
		tf->script = *s;
		spin_unlock(&tf->lock);
	}
	kfree(s);
	return ret;
}

static int add_set(const char *words, const struct kernel_param *kp)
{
	struct test_filter *tf;
	char *copy;
	int ret = -ENOMEM;

	if (!ready)
		return -EAGAIN;
	copy = kstrdup(words, GFP_KERNEL);
	tf = kzalloc(sizeof(*tf), GFP_KERNEL);
	if (copy && tf)
		ret = add_filter(tf, copy);
	if (ret)
		kfree(tf);
	kfree(copy);
	return ret;
}

static int remove_set(const char *words, const struct kernel_param *kp)
{
	char *copy = kstrdup(words, GFP_KERNEL), *rest = copy;
	struct test_filter *tf;

	if (!copy)
		return -ENOMEM;
	tf = find_filter(next_word(&rest));
	kfree(copy);
	if (!tf)
		return -ENOENT;
	remove_filter(tf);
	return 0;
}

static int script_set(const char *words, const struct kernel_param *kp)
{
	char *copy = kstrdup(words, GFP_KERNEL), *rest = copy;
	struct test_filter *tf;
	int ret = -ENOENT;

	if (!copy)
		return -ENOMEM;
	tf = find_filter(next_word(&rest));
	if (tf)
		ret = script_filter(tf, rest);
	kfree(copy);
	return ret;
}

static int clear_set(const char *words, const struct kernel_param *kp)
{
	struct test_filter *tf;
	int op;

	list_for_each_entry(tf, &filters, node) {
		for (op = 0; op < NR_OPS; op++) {
			atomic_set(&tf->pre_calls[op], 0);
			atomic_set(&tf->post_calls[op], 0);
		}
	}
	spin_lock(&log_lock);
	log_next = 0;
	spin_unlock(&log_lock);
	return 0;
}

static int calls_get(char *buffer, const struct kernel_param *kp)
{
	struct test_filter *tf;
	int length = 0;
	int op;

	list_for_each_entry(tf, &filters, node) {
		length += scnprintf(buffer + length, PAGE_SIZE - length,
				    "%s instances=%d", tf->name,
				    atomic_read(&tf->instances));
		for (op = 0; op < NR_OPS; op++) {
			if (!tf->has_pre[op] && !tf->has_post[op])
				continue;
			length += scnprintf(buffer + length, PAGE_SIZE - length,
					    " %s=%d/%d", op_words[op].word,
					    atomic_read(&tf->pre_calls[op]),
					    atomic_read(&tf->post_calls[op]));
		}
		length += scnprintf(buffer + length, PAGE_SIZE - length, "\n");
	}
	return length;
}

static const struct kernel_param_ops add_ops = { .set = add_set };
static const struct kernel_param_ops remove_ops = { .set = remove_set };
static const struct kernel_param_ops script_ops = { .set = script_set };
static const struct kernel_param_ops clear_ops = { .set = clear_set };
static const struct kernel_param_ops log_ops = { .get = log_get };
static const struct kernel_param_ops calls_ops = { .get = calls_get };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(remove, &remove_ops, NULL, 0200);
module_param_cb(script, &script_ops, NULL, 0200);
module_param_cb(clear, &clear_ops, NULL, 0200);
module_param_cb(log, &log_ops, NULL, 0444);
module_param_cb(calls, &calls_ops, NULL, 0444);

static int __init test_init(void)
{
	ready = true;
	return 0;
}

/* Nothing is attached: that would pin the module. */
static void __exit test_exit(void)
{
	struct test_filter *tf;

	kernel_param_lock(THIS_MODULE);
	ready = false;
	while ((tf = list_first_entry_or_null(&filters, struct test_filter,
					      node))) {
		if (!tf->going) {
			remove_filter(tf);
			continue;
		}
		kernel_param_unlock(THIS_MODULE);
		msleep(20);
		kernel_param_lock(THIS_MODULE);
	}
	kernel_param_unlock(THIS_MODULE);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("scripted bpiofs minifilters for tests");
MODULE_LICENSE("GPL");
