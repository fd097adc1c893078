#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The models of the data path hold within their bounds, and each mutation of them is noticed.
# long: yes
. "$(dirname "$0")/lib.sh"

finding='^FAILED'
silent "models" tests/model/run
done_testing
