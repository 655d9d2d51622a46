// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options: reading them, from fsconfig(2) and from the one string of
 * mount(2), and showing them.  What they do is not known here.
 *
 * In the string of mount(2), a value may be put in double quotes, wholly or in
 * part, so that it can hold commas; a backslash takes the meaning from a
 * comma, a quote or a backslash that follows it:
 *
 *	lower=ext4,lowerdata="data=journal,commit=30",bypassio=auto
 *
 * fsconfig(2) hands over each value as it is.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "bpiofs.h"
#include "mount.h"

enum {
	OPT_LOWER,
	OPT_LOWERDATA,
	OPT_BYPASSIO,
	OPT_CONTROL,
};

static const struct constant_table bypassio_words[] = {
	{ "manual",	false },
	{ "auto",	true },
	{}
};

static const struct constant_table control_words[] = {
	{ "admin",	false },
	{ "any",	true },
	{}
};

const struct fs_parameter_spec bpiofs_parameters[] = {
	fsparam_string("lower",		OPT_LOWER),
	fsparam_string("lowerdata",	OPT_LOWERDATA),
	fsparam_enum("bypassio",	OPT_BYPASSIO, bypassio_words),
	fsparam_enum("control",		OPT_CONTROL, control_words),
	{}
};

/**
 * bpiofs_parse_param - take one mount option
 * @fc: context; a struct bpiofs_mount_options in fs_private
 * @param: the option
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOPARAM for "source", which the VFS takes; -EINVAL otherwise.
 */
int bpiofs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct bpiofs_mount_options *options = fc->fs_private;
	struct bpiofs_params *params = &options->params;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, bpiofs_parameters, param, &result);
	if (opt == -ENOPARAM && strcmp(param->key, "source"))
		return invalfc(fc, "Unknown option '%s'; is it one for lowerdata?",
			       param->key);
	if (opt < 0)
		return opt;

	switch (opt) {
	case OPT_LOWER:
		swap(params->lower, param->string);
		break;
	case OPT_LOWERDATA:
		swap(params->lowerdata, param->string);
		break;
	case OPT_BYPASSIO:
		params->bypassio_auto = result.uint_32;
		break;
	case OPT_CONTROL:
		params->control_any = result.uint_32;
		break;
	}
	options->given |= BIT(opt);
	return 0;
}

/*
 * Cut the first option off *rest, in place, and take the quoting out of it.
 * Return: the option, NULL at the end, an error for an open quote.
 */
static char *next_option(char **rest)
{
	char *option = *rest, *from = option, *to = option;
	bool quoted = false;

	if (!option)
		return NULL;
	for (; *from && (quoted || *from != ','); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (*from == '\\' && from[1] && strchr(",\"\\", from[1]))
			from++;
		*to++ = *from;
	}
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return quoted ? ERR_PTR(-EINVAL) : option;
}

/**
 * bpiofs_parse_monolithic - take the options of mount(2)
 * @fc: context
 * @data: the string, or NULL; is written to
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for an unbalanced quote, or what parsing an option says.
 */
int bpiofs_parse_monolithic(struct fs_context *fc, void *data)
{
	char *rest = data, *option, *value;
	int ret;

	if (!rest)
		return 0;
	ret = security_sb_eat_lsm_opts(rest, &fc->security);
	while (!ret && (option = next_option(&rest))) {
		if (IS_ERR(option))
			return invalfc(fc, "Unbalanced quote in the options");
		value = strchr(option, '=');
		if (!*option || value == option)
			continue;
		if (value)
			*value++ = '\0';
		ret = bpio_parse_fs_string(fc, option, value);
	}
	return ret;
}

static bool same_string(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

/**
 * bpiofs_same_params - do options agree with those of a mount?
 * @options: given now
 * @params: in use
 * @remount: what is not given stays as it is; else it means the default, but
 *	for the lower file system's type, which is then told by the signature
 *
 * Return: true when they do.
 */
bool bpiofs_same_params(const struct bpiofs_mount_options *options,
			const struct bpiofs_params *params, bool remount)
{
	const unsigned long check = remount ? options->given :
		~BIT(OPT_LOWER) | options->given;
	const struct bpiofs_params *now = &options->params;

	return !(check & BIT(OPT_LOWER) &&
		 !same_string(now->lower, params->lower)) &&
	       !(check & BIT(OPT_LOWERDATA) &&
		 !same_string(now->lowerdata, params->lowerdata)) &&
	       !(check & BIT(OPT_BYPASSIO) &&
		 now->bypassio_auto != params->bypassio_auto) &&
	       !(check & BIT(OPT_CONTROL) &&
		 now->control_any != params->control_any);
}

/**
 * bpiofs_free_params - free what the options hold
 * @params: options; not freed themselves
 */
void bpiofs_free_params(struct bpiofs_params *params)
{
	kfree(params->source);
	kfree(params->lower);
	kfree(params->lowerdata);
}

/**
 * bpiofs_show_options - write the options as mount(2) takes them
 * @m: file to write to
 * @root: of the mount
 *
 * Return: 0.
 */
int bpiofs_show_options(struct seq_file *m, struct dentry *root)
{
	const struct bpiofs_params *params = &bpiofs_vol(root->d_sb)->params;
	const char *c;

	seq_show_option(m, "lower", params->lower);
	if (params->lowerdata) {
		seq_puts(m, ",lowerdata=\"");
		for (c = params->lowerdata; *c; c++) {
			/* \134 is a backslash to who reads mountinfo */
			if (*c == '"' || *c == '\\')
				seq_puts(m, "\\134");
			if (strchr(" \t\n\\#", *c))
				seq_printf(m, "\\%03o", *c);
			else
				seq_putc(m, *c);
		}
		seq_putc(m, '"');
	}
	if (params->bypassio_auto)
		seq_puts(m, ",bypassio=auto");
	if (params->control_any)
		seq_puts(m, ",control=any");
	return 0;
}
