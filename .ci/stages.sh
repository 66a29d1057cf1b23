#!/bin/bash
# Runs make targets one after the other, also after one has failed, and prints a table.
#
#   .ci/stages.sh "TARGET [VARIABLE=VALUE...]"...
#
# Exit code 0 when every target passed. What a target printed is in build/stages/TARGET.log.

set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/stages
trap 'exit 130' INT TERM

table=()
failed=0
begun=$SECONDS
for stage in "$@"; do
    echo "=== $stage"
    start=$SECONDS
    read -ra words <<<"$stage"
    make "${words[@]}" 2>&1 </dev/null | tee "build/stages/${words[0]}.log"
    if [ "${PIPESTATUS[0]}" = 0 ]; then
        result=passed
    else
        result=FAILED
        failed=$((failed + 1))
    fi
    row=$(printf '%-28s %-7s %5d s' "$stage" "$result" $((SECONDS - start)))
    echo "=== $row"
    table+=("$row")
done

printf '\n%s\n' "${table[@]}"
printf '%-28s %-7s %5d s\n' "all ${#table[@]}" "$([ $failed = 0 ] && echo passed || echo "$failed FAILED")" $((SECONDS - begun))
[ $failed = 0 ]
