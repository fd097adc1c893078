// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What kernel/format*.c need of the kernel, and they.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "codec.h"
#include "super.h"

#define cpu_to_le16(x)	((__le16)htole16(x))
#define cpu_to_le32(x)	((__le32)htole32(x))
#define cpu_to_le64(x)	((__le64)htole64(x))
#define le16_to_cpu(x)	((u16)le16toh(x))
#define le32_to_cpu(x)	((u32)le32toh(x))
#define le64_to_cpu(x)	((u64)le64toh(x))

/* In C11 it wants a text. */
#undef static_assert
#define static_assert(x)		_Static_assert(x, #x)
#define sizeof_field(type, field)	sizeof(((type *)0)->field)

static u32 crc32c(u32 crc, const void *buf, size_t len)
{
	return ads_crc32c(crc, buf, len);
}

static u64 div_u64_rem(u64 n, u32 by, u32 *rest)
{
	*rest = n % by;
	return n / by;
}

#define ads_super ads_fmt_super
#include "../../kernel/format.c"
#undef AT
#include "../../kernel/format-state.c"
#undef AT
#define no_uuid no_uuid_super
#include "../../kernel/format-super.c"
#include "../../kernel/format-seg.c"
