#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hundred thousand table lines and messages: see fuzz-dm.t.
# kernels: um 6.12
# timeout: 3600
# long: yes
# not-on: debug,kcsan hours; fuzz-dm.t is a share of it
# files: tests/guest/fuzz-dm.t
export LINES=50000 MESSAGES=50000 SEED=2
exec bash /t/fuzz-dm.t
