/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of bpio-verify share. */
#ifndef VERIFY_H
#define VERIFY_H

#include <stdbool.h>
#include <stdint.h>
#include "engine.h"
#include "pattern.h"

void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...);
uint64_t number(const char *text);
/* Return: the operation status; dies when the request itself fails. */
int32_t enable_bypass(int fd, const char *path);
int data_noise(int argc, char **argv);
int data_put(int argc, char **argv);
int data_part(int argc, char **argv);
int data_same(int argc, char **argv);
int race(int argc, char **argv);
int move(int argc, char **argv);
int fsx(int argc, char **argv);
int held(int argc, char **argv);
int unmap(int argc, char **argv);
int remap(int argc, char **argv);

#endif /* VERIFY_H */
