#!/bin/bash
# Runs a command that may take long, and says every 10 s that it is still at work.
#
#   .ci/progress.sh "WHAT IT DOES" COMMAND...
#
# The exit code is the command's.

what=$1
shift
start=$SECONDS
parent=$BASHPID
while sleep 10 && kill -0 "$parent" 2>/dev/null; do
    echo "  $what: $((SECONDS - start)) s" >&2
done &
ticker=$!
"$@"
code=$?
kill "$ticker" 2>/dev/null
exit $code
