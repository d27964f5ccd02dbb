#!/usr/bin/env bash
# Installs what checks and clients need beside Rust: scripts/tools.sh [curl] [buf] [go] [python] [redis] [postgres] [pgbouncer]; all of them without an argument.
#
# Everything goes into ./.tools, with its version pinned, once: a second run finds the stamps and ends at once. Debian's curl, npm, golang,
# python3-venv, redis-server, postgresql and pgbouncer are installed only where nothing of the kind is there. Deliberately absent: Rust, which the reader has.
set -euo pipefail
cd "$(dirname "$0")/.."

BUF=1.75.0
GO=1.26.0 # fetched where the system's Go is too old to fetch a newer one by itself

# once NAME CONTENT COMMAND: runs the command unless it has succeeded with this content before.
once() {
  local stamp=.tools/$1.stamp
  [[ -f $stamp && $(<"$stamp") == "$2" ]] && return
  echo "installing $1 into .tools" >&2
  "$3"
  printf '%s\n' "$2" >"$stamp"
}

# debian PACKAGE: installs one of Debian's packages.
debian() {
  local root=()
  ((EUID == 0)) || root=(sudo)
  if ! command -v apt-get >/dev/null; then
    echo "please install $1, and start again" >&2
    exit 1
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

install_buf() {
  command -v npm >/dev/null || debian npm
  npm install --loglevel=error --no-save --no-package-lock --no-audit --no-fund --prefix .tools/npm "@bufbuild/buf@$BUF" >/dev/null
  ln -sf ../npm/node_modules/.bin/buf .tools/bin/buf
}

# From 1.21 on, Go fetches the version that a module asks for. An older one can fetch it as a module, but must be shown how to use it.
install_go() {
  command -v go >/dev/null || debian golang-go
  local installed
  installed=$(go env GOVERSION)
  if [[ $(printf '%s\n' go1.21 "$installed" | sort -V | head -n 1) != go1.21 ]]; then
    local fetched
    fetched=$(go mod download -json "golang.org/toolchain@v0.0.1-go$GO.$(go env GOOS)-$(go env GOARCH)" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    rm -rf .tools/go
    cp -r "$fetched" .tools/go
    chmod -R u+w .tools/go
    chmod -R u+x .tools/go/bin .tools/go/pkg/tool
    (cd .tools/go && find . -name _go.mod -execdir mv {} go.mod \;)
    ln -sf ../go/bin/go .tools/bin/go
  fi
  (cd scripts/go-tools && PATH=$TOOLS/bin:$PATH GOTOOLCHAIN=auto GOBIN=$TOOLS/bin go install tool)
}

install_python() {
  python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3-venv
  rm -rf .tools/venv
  python3 -m venv .tools/venv
  .tools/venv/bin/pip install --quiet --disable-pip-version-check --requirement clients/python/requirements.txt
}

mkdir -p .tools/bin
TOOLS=$PWD/.tools
exec 9>.tools/lock
flock 9

(($#)) || set -- curl buf go python redis postgres pgbouncer
for tool in "$@"; do
  case $tool in
    curl) command -v curl >/dev/null || debian curl ;;
    buf) once buf "$BUF" install_buf ;;
    go) once go "$(cat scripts/go-tools/go.mod scripts/go-tools/go.sum)" install_go ;;
    # Tests and `make run` start servers of their own; they touch no other.
    redis) command -v redis-server >/dev/null || debian redis-server ;;
    # Debian has the server's programs in a folder of their own, each version in its own.
    postgres) command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || debian postgresql ;;
    pgbouncer) command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]] || debian pgbouncer ;;
    python) once python "$(<clients/python/requirements.txt)" install_python ;;
    *)
      echo "no such tool: $tool" >&2
      exit 2
      ;;
  esac
done
