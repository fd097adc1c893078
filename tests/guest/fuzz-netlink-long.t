#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A million messages: see fuzz-netlink.t.
# kernels: um 6.12
# timeout: 3600
# long: yes
# not-on: debug,kcsan hours; fuzz-netlink.t is a share of it
# files: tests/guest/fuzz-netlink.t
export FUZZ_MESSAGES=1000000 FUZZ_SEED=2
exec bash /t/fuzz-netlink.t
