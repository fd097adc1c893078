#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each field in four ways, and ten thousand times random damage: see bitflips.t.
# kernels: um 6.12
# timeout: 7200
# long: yes
# not-on: debug,kcsan hours; bitflips.t is a share of it
# files: tests/guest/bitflips.t
export FLIPS=10000 FLIP_VALUES=4 FLIP_SEED=2 FLIP_SECONDS=6000
exec bash /t/bitflips.t
