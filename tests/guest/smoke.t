#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module loads, offers its target and unloads.
. /t/lib.sh

run "loads" load_module
like "$(dmsetup targets)" '(^|
)adshard +v[0-9]' "device mapper knows the target"
run "unloads" unload_module
is "$(dmsetup targets | grep -c adshard)" 0 "and the target is gone"
done_testing
