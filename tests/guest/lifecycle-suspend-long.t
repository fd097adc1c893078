#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ten thousand suspends: see lifecycle-suspend.t.
# kernels: um 6.12
# timeout: 7200
# long: yes
# not-on: debug,kcsan hours; lifecycle-suspend.t is a share of it
# files: tests/guest/lifecycle-suspend.t
export SUSPENDS=10000 SEED=2
exec bash /t/lifecycle-suspend.t
