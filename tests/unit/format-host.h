/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernel/format*.c need of the kernel, for the host: include this, then
 * them. The checksum comes from a library that has nothing to do with ours.
 */
#ifndef FORMAT_HOST_H
#define FORMAT_HOST_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <isa-l/crc.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define cpu_to_le16(x)	((__le16)htole16(x))
#define cpu_to_le32(x)	((__le32)htole32(x))
#define cpu_to_le64(x)	((__le64)htole64(x))
#define le16_to_cpu(x)	((u16)le16toh(x))
#define le32_to_cpu(x)	((u32)le32toh(x))
#define le64_to_cpu(x)	((u64)le64toh(x))

#define sizeof_field(type, field)	sizeof(((type *)0)->field)

static inline u32 crc32c(u32 crc, const void *buf, unsigned int len)
{
	return crc32_iscsi((unsigned char *)(uintptr_t)buf, (int)len, crc);
}

static inline u64 div_u64_rem(u64 n, u32 by, u32 *rest)
{
	*rest = n % by;
	return n / by;
}

#endif
