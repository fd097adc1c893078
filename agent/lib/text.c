// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

void ads_text_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}
