// SPDX-License-Identifier: GPL-2.0
/* File contents that tell where they belong. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pattern.h"

#define WORDS  (PATTERN_SECTOR / 8)
#define MAGIC  0x524f544345534f42ull /* "BOSECTOR" */
#define POISON 0x4e4f53494f504442ull /* "BDPOISON" */

enum { AT_MAGIC, AT_ID, AT_SECTOR, AT_GENERATION, AT_REST };

static uint64_t mix(uint64_t id, uint64_t sector, unsigned int word)
{
	uint64_t x = id * 0x9e3779b97f4a7c15ull ^
		     sector * 0xbf58476d1ce4e5b9ull ^
		     (word + 1) * 0x94d049bb133111ebull;

	return x ^ x >> 29;
}

static void expected(uint64_t *words, uint64_t id, uint64_t sector,
		     uint64_t generation)
{
	unsigned int i;

	words[AT_MAGIC] = MAGIC;
	words[AT_ID] = id;
	words[AT_SECTOR] = sector;
	words[AT_GENERATION] = generation;
	for (i = AT_REST; i < WORDS; i++)
		words[i] = mix(id, sector, i);
}

void pattern_fill(void *buffer, size_t length, uint64_t id, uint64_t offset,
		  uint64_t generation)
{
	uint64_t words[WORDS];
	char *at = buffer;

	while (length) {
		size_t part = length < PATTERN_SECTOR ? length : PATTERN_SECTOR;

		expected(words, id, offset / PATTERN_SECTOR, generation);
		memcpy(at, words, part);
		at += part;
		offset += part;
		length -= part;
	}
}

void pattern_poison(void *buffer, size_t length, uint64_t offset)
{
	uint64_t *words = buffer;
	size_t i;

	for (i = 0; i < length / 8; i++)
		words[i] = i % 2 ? offset + i * 8 : POISON;
}

enum pattern_verdict pattern_check(const void *sector, size_t length,
				   uint64_t id, uint64_t offset)
{
	static const char zeros[PATTERN_SECTOR];
	const size_t generation_at = AT_GENERATION * sizeof(uint64_t);
	const size_t after = generation_at + sizeof(uint64_t);
	uint64_t words[WORDS];

	expected(words, id, offset / PATTERN_SECTOR, 0);
	if (!memcmp(sector, words,
		    length < generation_at ? length : generation_at) &&
	    (length <= after ||
	     !memcmp((const char *)sector + after, (const char *)words + after,
		     length - after)))
		return PATTERN_OK;
	if (!memcmp(sector, zeros, length))
		return PATTERN_ZERO;
	return PATTERN_BAD;
}

uint64_t pattern_generation(const void *sector)
{
	uint64_t generation;

	memcpy(&generation, (const char *)sector + AT_GENERATION * 8,
	       sizeof(generation));
	return generation;
}

const char *pattern_describe(const void *sector, size_t length)
{
	static char text[160];
	uint64_t words[4] = { 0 };
	const uint8_t *bytes = sector;
	size_t i;

	memcpy(words, sector, length < sizeof(words) ? length : sizeof(words));
	if (words[AT_MAGIC] == MAGIC) {
		snprintf(text, sizeof(text),
			 "data of file %" PRIu64 ", sector %" PRIu64
			 ", generation %" PRIu64,
			 words[AT_ID], words[AT_SECTOR], words[AT_GENERATION]);
		return text;
	}
	if (words[0] == POISON) {
		snprintf(text, sizeof(text),
			 "a freed block: the poison of byte %" PRIu64,
			 words[1]);
		return text;
	}
	if (!words[0] && !words[1])
		return "zeros, in part or wholly";
	for (i = 0; i < 16; i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", bytes[i]);
	return text;
}
