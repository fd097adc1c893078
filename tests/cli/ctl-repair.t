#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The JSON of check, dump and repair is what their schemas say, on images of a damaged pool.
. "$(dirname "$0")/lib.sh"
ctl=$PWD/build/agent/bin/adshardctl make=$PWD/build/tests/unit/sim-tools
needs "$ctl" "$make"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# json WANTED VERB ARGUMENT...
json() {
	local want=$1 verb=$2 status=0 answer
	shift 2
	"$ctl" "$verb" --json "$@" >"$dir/json" 2>"$dir/stderr" || status=$?
	[ $status = "$want" ]
	ok $? "$verb: exit code $want" || sed 's/^/# /' "$dir/stderr"
	answer=$(python3 - "adshardctl.$verb" "$dir/json" <<-'END'
		import importlib.machinery, importlib.util, io, sys
		real, sys.stdout = sys.stdout, io.StringIO()
		argv, sys.argv = sys.argv, ['', '', '', '']
		loader = importlib.machinery.SourceFileLoader('hook', 'tests/guest/ctl-json.hook')
		hook = importlib.util.module_from_spec(importlib.util.spec_from_loader('hook', loader))
		loader.exec_module(hook)
		sys.stdout = real
		print(hook.check(argv[1], open(argv[2]).read()))
	END
	)
	[ "$answer" = ok ]
	ok $? "$verb: JSON" || echo "# $answer"
}
mkdir "$dir/img"
"$make" make "$dir/img" || exit
images=("$dir"/img/?)
json 10 check "${images[@]}"
json 10 check "${images[@]:0:2}"
json 10 check "${images[3]}"
json 0 dump "${images[@]}"
json 0 dump --segments "${images[2]}"
json 0 dump "${images[3]}"
json 0 dump --block 256 "${images[0]}"
json 1 dump --block 99999999 "${images[0]}"
json 5 repair --dry-run "${images[@]:0:2}"
json 0 repair --dry-run "${images[@]}"
json 0 repair --yes --backup "$dir/bak" "${images[@]}"
json 0 check "${images[@]}"
json 0 repair --yes "${images[@]}"
json 0 repair --from "$dir/bak"
json 10 check "${images[@]}"
done_testing
