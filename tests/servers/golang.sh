# Building published Go modules with whatever Go there is; sourced by the scripts of this folder.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# older A B: version A comes before version B.
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# module_hash FILE...: what a build depends on, short.
module_hash() { cat "$@" | sha256sum | cut -c1-16; }

# find_go MODULE ADVICE: the Go command to build that folder with. One that cannot fetch newer toolchains itself (before 1.21, as Debian 12
# has it) can still download the toolchain as a module, checked like every module. ADVICE ends the message when there is no Go.
find_go() {
  local need have answer dir
  command -v go >/dev/null || "${BASH_SOURCE[0]%/*}/../../deploy/install" golang-go ca-certificates || true
  command -v go >/dev/null || die "no Go to build with: install Go (Debian: apt-get install golang-go)$2"
  need=$(sed -n 's/^go //p' "$1/go.mod")
  have=$(GOTOOLCHAIN=local go version | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
  [ -n "$have" ] || die "cannot tell the version of $(command -v go): $(go version 2>&1 | head -n 1)"
  if older "$have" 1.21; then
    say "Go $have is too old ($need is needed); fetching the toolchain go$need as a module"
    answer=$(cd / && GO111MODULE=on go mod download -json "golang.org/toolchain@v0.0.1-go$need.$(go env GOOS)-$(go env GOARCH)") || true
    dir=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p' <<<"$answer")
    [ -n "$dir" ] || sed -n 's/^[[:space:]]*"Error": "\(.*\)",*$/\1/p' <<<"$answer" >&2
    [ -n "$dir" ] || die "cannot fetch Go $need; install Go $need or newer$2"
    chmod -R u+w "$dir" && chmod -R a+x "$dir"/bin "$dir"/pkg/tool
    echo "$dir/bin/go"
  else
    older "$have" "$need" && say "Go $have is older than $need; Go will fetch the newer toolchain itself"
    command -v go
  fi
}

# progress WHAT: a line every half minute until it is killed; builds say nothing for minutes.
progress() {
  local start=$SECONDS
  trap 'kill "$!"; exit 0' TERM
  while sleep 30 & wait "$!"; do say "building $1: $((SECONDS - start)) s so far"; done
}

# once FOLDER TEST BUILD...: runs BUILD unless TEST is an executable file; of several processes that want it one builds and the others wait.
once() {
  local folder=$1 wanted=$2
  shift 2
  [ ! -x "$wanted" ] || return 0
  mkdir -p "$folder"
  exec 9>"$folder/.lock"
  flock -n 9 || { say "another build is at work, waiting for it"; flock 9; }
  [ -x "$wanted" ] || ("$@")
  exec 9>&-
}

# build_into FOLDER NAME WHAT ADVICE COMMAND...: runs COMMAND with an empty folder as one more argument, which then appears whole as FOLDER/NAME.
# ADVICE ends the message when that fails.
build_into() {
  local cache=$1 out=$1/$2 what=$3 advice=$4 work
  shift 4
  work=$(mktemp -d "$cache/.building.XXXXXX")
  say "building $what for the tests into $out (once)"
  progress "$what" 9>&- &
  # shellcheck disable=SC2064  # both values are wanted as they are now
  trap "kill $! 2>/dev/null; rm -rf '$work'" EXIT
  "$@" "$work" >"$cache/build.log" 2>&1 || {
    tail -n 15 "$cache/build.log" >&2
    die "building $what failed (above: the end of $cache/build.log). It needs the Go module proxy, $advice"
  }
  chmod 755 "$work"
  mv -T "$work" "$out"
  say "built in $SECONDS s"
}

# tool NAME VARIABLE PACKAGE COST MODULE [ARG]: the whole of a script that prints the path of a published program: the one that VARIABLE names, or
# NAME built with Go out of PACKAGE, which the folder MODULE requires, into the cache of that name.
tool() {
  local name=$1 variable=$2 package=$3 cost=$4 module=$5 found=${!2:-} cache hash
  cache=${AMPULE_CACHE:-$HOME/.cache/ampule}/${module##*/}
  case ${6:-} in
    '' | --find) ;;
    --help | -h) tool_usage; exit 0 ;;
    *) tool_usage >&2; exit 2 ;;
  esac
  if [ -z "$found" ]; then
    hash=$(module_hash "$module"/go.mod "$module"/go.sum)
    found=$cache/$hash/$name
    [ "${6:-}" != --find ] || [ -x "$found" ] || exit 1
    once "$cache" "$found" tool_build
  fi
  [ -x "$found" ] || die "$variable=$found is not an executable file"
  echo "$found"
}

# These see the names of tool().
tool_usage() {
  cat <<EOF
usage: tests/servers/${0##*/} [--find | --help]
  (none)   print the path of $name, building it if needed ($cost, once)
  --find   print it only if it is there already; exit 1 otherwise
The first of: \$$variable, or what is built from tests/servers/${module##*/} with Go into the cache (\${AMPULE_CACHE:-~/.cache/ampule}/${module##*/}).
EOF
}

tool_build() {
  go=$(find_go "$module" ", or name a program in $variable")
  build_into "$cache" "$hash" "$name" "2 GB of memory and of disk" tool_compile
}

tool_compile() {
  cd "$module" && GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0 "$go" build -trimpath -buildvcs=false -ldflags '-s -w' -o "$1/$name" "$package"
}
