/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that somebody else wrote: names and labels on disks, sentences of the
 * kernel's that hold them.
 */
#ifndef ADS_TEXT_H
#define ADS_TEXT_H

/* Replaces control characters: they must not reach a terminal or a log. */
void ads_text_clean(char *text);

#endif
