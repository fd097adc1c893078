/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's codec of the on-disk format (kernel/format.h), in user space:
 * whoever judges or writes metadata does it with the very functions that the
 * kernel will read it with.
 */
#ifndef ADS_CODEC_H
#define ADS_CODEC_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* super.h has a struct of this name, too. */
#define ads_super ads_fmt_super
#include "../../kernel/format.h"
#undef ads_super

/*
 * Records that a commit may write after it has looked at the ring
 * (ADS_META_SPARE in the kernel): what a power cut can leave a member behind.
 */
#define ADS_FMT_LAG_MAX		(ADSHARD_META_MEMBERS + 2)

#endif
