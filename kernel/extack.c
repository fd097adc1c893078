// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sentences with numbers in the answer to a refused request, for kernels whose
 * struct netlink_ext_ack has no room for them (compat.h says which).
 *
 * The text must stay until the core has copied it into the answer, which it
 * does at once when the handler has returned; but nothing says when that has
 * happened. So a text has a slot of its own, and the slot rests for a while
 * before it is used again. With all of them taken, the sentence is a general
 * one: the error number is there in any case.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>

#include "compat.h"

#ifdef ADS_EXTACK_SLOTS

#define TEXT_MAX	80
#define REST		(2 * HZ)

static struct {
	bool used;
	unsigned long since;
	char text[TEXT_MAX];
} slots[ADS_EXTACK_SLOTS];
static DEFINE_SPINLOCK(slots_lock);

static char *slot_take(void)
{
	char *text = NULL;
	int i;

	spin_lock(&slots_lock);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		if (slots[i].used && time_before(jiffies, slots[i].since + REST))
			continue;
		slots[i].used = true;
		slots[i].since = jiffies;
		text = slots[i].text;
		break;
	}
	spin_unlock(&slots_lock);
	return text;
}

void ads_extack_fmt(struct netlink_ext_ack *extack, const char *fmt, ...)
{
	va_list args;
	char *text;

	if (!extack)
		return;
	text = slot_take();
	if (!text) {
		NL_SET_ERR_MSG(extack, "too many errors at once to explain each");
		return;
	}
	va_start(args, fmt);
	vscnprintf(text, TEXT_MAX, fmt, args);
	va_end(args);
	extack->_msg = text;
}

#endif /* ADS_EXTACK_SLOTS */
