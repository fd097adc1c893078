// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No target, but the proof that faults are found: what it does wrong must be
 * reported. Each seed is a fault of its own kind; "find me" is none of them, and
 * has to be found.
 *
 * Options: -max_len=16 -timeout=2
 */
#include <stdlib.h>

#include "fuzz.h"

static char *volatile leaked;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile int shift = 32;
	volatile uint8_t got;
	double large = 1e300;
	char *text;

	if (!size)
		return 0;
	switch (data[0]) {
	case 'a':			/* beyond the end of the input */
		text = fuzz_text(data, size);
		got = text[size + 1];
		free(text);
		break;
	case 'u':			/* undefined */
		got = 1 << shift;
		break;
	case 'd':			/* out of range */
		got = (int)(large * shift);
		break;
	case 'l':			/* a leak */
		/* The compiler may not see that nobody wants it. */
		leaked = fuzz_text(data, size);
		leaked = NULL;
		break;
	case 'm':			/* what must hold, doesn't */
		must(size == 0);
		break;
	case 'h':			/* a hang */
		while (shift)
			;
		break;
	case '!':
		if (size > 3 && data[1] == 'o' && data[2] == 'n' &&
		    data[3] == 'e')
			must(!"found");
		break;
	}
	(void)got;
	return 0;
}

void fuzz_seeds(void)
{
	static const char *const faults[] = {
		"a", "u", "d", "l", "m", "h",
	};

	if (!getenv("FUZZ_FAULTS")) {
		fuzz_seed("none", "good", 4);
		return;
	}
	for (int i = 0; i < 6; i++)
		fuzz_seed(faults[i], faults[i], 1);
}
