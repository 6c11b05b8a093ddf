#!/bin/sh
# Builds the web pages into the package, and does nothing when they are what web/ says already. Needs Node >= 20 with npm.
#
# `tools/web.sh --if-possible` is content without Node: the server then says on its pages what is missing.
set -eu
cd "$(dirname "$0")/../web"

target=../src/omnifolio/faces/pages/static
stamp=$(cat package.json package-lock.json .npmrc tsconfig.json *.mjs $(find src -type f | LC_ALL=C sort) | cksum)
if [ "$(cat "$target/.built" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi

if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null || ! command -v npm >/dev/null; then
    echo "The web pages are not built: that needs Node 20 or newer with npm; node here is: $(node --version 2>/dev/null || echo none)." >&2
    echo "Debian, Ubuntu: sudo apt install nodejs npm    macOS: brew install node" >&2
    [ "${1:-}" = "--if-possible" ] && exit 0
    exit 1
fi

lock=$(cat package-lock.json .npmrc | cksum)
if [ "$(cat node_modules/.lock 2>/dev/null)" != "$lock" ]; then
    echo "Installing what builds the web pages." >&2
    npm ci --ignore-scripts --silent >/dev/null
    printf '%s\n' "$lock" >node_modules/.lock
fi
node build.mjs
printf '%s\n' "$stamp" >"$target/.built"
