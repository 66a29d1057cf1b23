#!/bin/bash
# Asks the databases of known vulnerabilities about everything that is shipped or builds it.
# 0: nothing known. 1: something was found, and is said above. 2: a database did not answer,
# so that nobody knows: that is no success.
set -u
cd "$(dirname "$0")/.."

found=0 unknown=0

echo "=== Go modules: govulncheck"
tool=$(mktemp -d)
control=$(mktemp -d)
trap 'rm -rf "$tool" "$control"' EXIT
if GOBIN=$tool go install golang.org/x/vuln/cmd/govulncheck@v1.1.4; then
  "$tool/govulncheck" ./cmd/... ./kiosk-ui
  case $? in
  0) ;;
  3) found=1 ;;
  *) unknown=1 ;;
  esac
else
  unknown=1
fi
[ $unknown -eq 1 ] && echo "govulncheck: the database of Go's vulnerabilities (GOVULNDB, by default vuln.go.dev) did not answer. NOTHING IS KNOWN." >&2

echo "=== npm packages: npm audit"
# A registry without the database can look like one that knows of nothing: so it is first
# asked about a package that everybody knows to be bad.
cat >"$control/package.json" <<<'{"name":"control","version":"1.0.0","private":true,"dependencies":{"lodash":"4.17.4"}}'
cat >"$control/package-lock.json" <<<'{"name":"control","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"control","version":"1.0.0","dependencies":{"lodash":"4.17.4"}},"node_modules/lodash":{"version":"4.17.4"}}}'
if (cd "$control" && npm audit --package-lock-only --json 2>/dev/null) | grep -q '"severity"'; then
  (cd kiosk-ui && npm audit) || found=1
else
  echo "npm audit: the registry (npm config get registry) does not know even of lodash 4.17.4: it has no database. NOTHING IS KNOWN." >&2
  unknown=1
fi

[ $found -eq 1 ] && exit 1
[ $unknown -eq 1 ] && exit 2
echo "Nothing is known against what is used here."
