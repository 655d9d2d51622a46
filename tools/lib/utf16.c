// SPDX-License-Identifier: GPL-2.0
/*
 * Decodes the UTF-16LE names and reasons of the protocol: counted, not
 * terminated, and not to be trusted.
 */
#include <endian.h>
#include <string.h>

#include "bpio.h"

#define REPLACEMENT 0xFFFD

static uint32_t unit_at(const uint8_t *bytes, size_t index)
{
	uint16_t unit;

	memcpy(&unit, bytes + 2 * index, sizeof(unit));
	return le16toh(unit);
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

size_t bpio_utf16_to_utf8(const void *units, size_t length, char *out,
			  size_t out_size)
{
	size_t at = 0;
	size_t i;

	if (!out_size)
		return 0;
	for (i = 0; i < length; i++) {
		uint32_t c = unit_at(units, i);
		char utf8[4];
		size_t n;

		if (c >= 0xD800 && c <= 0xDBFF && i + 1 < length &&
		    unit_at(units, i + 1) >= 0xDC00 &&
		    unit_at(units, i + 1) <= 0xDFFF) {
			c = 0x10000 + ((c - 0xD800) << 10) +
			    (unit_at(units, ++i) - 0xDC00);
		} else if (c == 0 || (c >= 0xD800 && c <= 0xDFFF)) {
			c = REPLACEMENT;
		}
		n = put_utf8(c, utf8);
		if (n >= out_size - at)
			break;
		memcpy(out + at, utf8, n);
		at += n;
	}
	out[at] = '\0';
	return at;
}
