# Sources of Debian's packages, fetched, verified and patched; sourced by what compiles them: agent/deps/build, deploy/images/shell. The caller has
# `say` and `die`, and a folder for everything in $work.
# shellcheck shell=bash

# A private apt configuration whose sources are the machine's own, asked for source packages instead of binary ones.
# Only the entries of the distribution itself: others rarely publish sources, and one that does not would fail the update.
apt_sources() {
  local out=$1 suite f
  suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$f" ] || continue
    sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]/deb-src /p' "$f" | grep -E "[[:space:]]$suite([-/ ]|$)" >>"$out/machine.list" || true
  done
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -f "$f" ] || continue
    awk -v suite="$suite" 'BEGIN { RS = ""; ORS = "\n\n" }
      match($0, "(^|\n)Suites:[^\n]*[ \t]" suite) && !/(^|\n)Enabled:[ \t]*no/ { gsub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); print }' \
      "$f" >>"$out/$(basename "$f")"
  done
}

apt_start() {
  apt=$work/apt
  mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
  apt_sources "$apt/parts"
  cat >"$apt/apt.conf" <<EOF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/parts";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "3";
EOF
  export APT_CONFIG=$apt/apt.conf
  say "reading the index of Debian's source packages"
  apt-get update -qq >"$work/apt.log" 2>&1 || say "apt-get update complained; going on with what it got ($(tail -n 1 "$work/apt.log"))"
}

# source_version PACKAGE UPSTREAM: the newest Debian version of that upstream version in the index.
source_version() {
  apt-cache showsrc --only-source "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -Vr | {
    if [ "${AMPULE_DEPS_UNPINNED:-0}" = 1 ]; then sed 1q; else grep -E "^([0-9]+:)?${2//./\\.}-" | sed 1q; fi
  }
}

die_version() {
  local have
  have=$(apt-cache showsrc --only-source "$1" 2>/dev/null | sed -n 's/^Version: //p' | sort -Vr | sed 1q) || true
  [ -n "$have" ] || die "$1: apt offers no source package (are Debian's archives in /etc/apt reachable? log: $(tail -n 1 "$work/apt.log"))"
  die "$1: $2 is pinned in agent/deps/pins, Debian now has $have: update the pin, or set AMPULE_DEPS_UNPINNED=1"
}

# fetch PACKAGE UPSTREAM SHA256 PATCHES SKIP: unpacked and patched sources in $work/PACKAGE, a line in SOURCES.
fetch() {
  local package=$1 upstream=$2 sum=$3 patches=$4 skip=$5 version dir=$work/$1 orig note
  version=$(source_version "$package" "$upstream") || true
  [ -n "$version" ] || die_version "$package" "$upstream"
  mkdir -p "$work/fetch" "$dir"
  say "fetching the source of $package $version"
  note="Debian patches"
  if ! (cd "$work/fetch" && apt-get source -qq --download-only "$package=$version") >"$work/apt.log" 2>&1; then
    [ "$patches" = optional ] || die "$package: cannot fetch the source package: $(grep -m 1 '^E:' "$work/apt.log")"
    say "$package: Debian's part cannot be had, taking the verified upstream archive alone"
    (cd "$work/fetch" && apt-get source -qq --download-only --tar-only "$package=$version") >"$work/apt.log" 2>&1 ||
      die "$package: cannot fetch the upstream archive: $(grep -m 1 '^E:' "$work/apt.log")"
    note="no Debian patches"
  fi
  orig=$(find "$work/fetch" -name "${package}_*.orig.tar.*" ! -name '*.asc')
  if [ "${AMPULE_DEPS_UNPINNED:-0}" != 1 ]; then
    echo "$sum  $orig" | sha256sum -c --status || die "$package: $(basename "$orig") is not the archive pinned in agent/deps/pins"
  fi
  tar -xf "$orig" -C "$dir" --strip-components=1
  [ "$note" != "Debian patches" ] || apply "$package" "$skip"
  echo "$package $version sha256:$(sha256sum <"$orig" | cut -d' ' -f1) $note" >>"$work/SOURCES"
}

apply() {
  local package=$1 skip=,$2, dir=$work/$1 name
  tar -xf "$(find "$work/fetch" -name "${package}_*.debian.tar.*")" -C "$dir"
  while read -r name _; do
    case $name in '' | '#'*) continue ;; esac
    case $skip in *",$name,"*) continue ;; esac
    patch -d "$dir" -p1 -s -N --no-backup-if-mismatch <"$dir/debian/patches/$name" >"$work/patch.log" ||
      die "$package: Debian's patch $name does not apply: $(head -n 1 "$work/patch.log")"
    echo "  $package: $name" >>"$work/PATCHES"
  done <"$dir/debian/patches/series"
}

# logged NAME COMMAND...: output into a file; its end is shown if the command fails.
logged() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 || { tail -n 25 "$work/$name.log" >&2; die "$name failed (above: the end of its output)"; }
}
