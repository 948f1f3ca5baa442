# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What conf/quickstart and t/run share: Debian packages, and a build out of tree.
# Sourced by both; sets top (the checkout) and expects set -eu and bash.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
program=${0##*/}

say() { printf '%s: %s\n' "$program" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# shellcheck disable=SC2034 # used by both
# What it takes to build the module and to serve with it. apache2-bin and not apache2: the
# latter is the machine's own web service, and would start.
build_packages=(
  apache2-bin apache2-dev apache2-ssl-dev autoconf autoconf-archive automake build-essential
  libcli11-dev libcurl4-openssl-dev libexpected-dev libfmt-dev libssl-dev libtool nlohmann-json3-dev
  openssl pkg-config
)

# quietly LOG WHAT COMMAND...: its output goes to LOG, and to the user only when it fails.
quietly() {
  local log=$1 what=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  say "$what"
  local rc=0
  set +e # and not "if ! …", under which a failing line inside the command would not end it
  (
    set -e
    "$@"
  ) >"$log" 2>&1
  rc=$?
  set -e
  ((rc == 0)) || {
    tail -n 40 "$log" >&2
    # With several jobs of make, the first error need not be near the end.
    grep -aE ': (fatal )?error: |^E: |^configure: error' "$log" | head -n 5 >&2
    die "$what: failed; all of it is in $log"
  }
}

# missing_packages NAME...: those not installed, one a line.
missing_packages() {
  local name installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    grep -qxF "installed $name" <<<"$installed" || echo "$name"
  done
}

# need_packages LOG NAME...: installs what is missing. Needs root and the network only then.
need_packages() {
  local log=$1 missing
  shift
  command -v dpkg-query >/dev/null || {
    say "this is not Debian: taking the tools that are here"
    return 0
  }
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  ((EUID == 0)) ||
    die "not root, and these are missing: apt-get install --no-install-recommends ${missing[*]}"
  (
    hold_apache
    trap release_apache EXIT
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    quietly "$log" "updating the package lists" apt-get -q update </dev/null
    quietly "$log" "installing ${#missing[@]} packages: ${missing[*]}" \
      apt-get -q -y --no-install-recommends -o Dpkg::Lock::Timeout=600 install "${missing[@]}" \
      </dev/null
  )
}

# While packages are installed, the machine's own httpd is neither started nor restarted (an
# upgrade of apache2-bin that comes along would). A policy-rc.d that is there is left alone.
policy_rcd=/usr/sbin/policy-rc.d
hold_mark="# mod_tlsguard: for the time of one apt-get"
held=
hold_apache() {
  if [[ -e $policy_rcd ]] && ! grep -qsxF "$hold_mark" "$policy_rcd"; then return 0; fi
  cat >"$policy_rcd" <<EOF
#!/bin/sh
$hold_mark
case \$1 in apache2* | apache-htcacheclean*) exit 101 ;; esac
exit 0
EOF
  chmod 755 "$policy_rcd"
  held=yes
}
release_apache() { [[ -z $held ]] || rm -f "$policy_rcd"; }

# build_tree DIR TARGETS [configure options]: configures DIR, afresh when its options have changed,
# and makes the targets; logs are beside it. When there is nothing to do it costs a second.
build_tree() {
  local dir=$1 targets source=$top
  read -ra targets <<<"$2"
  shift 2
  if [[ -e $top/config.status ]]; then
    source=$dir.source
    copy_source "$source"
  fi
  [[ -x $source/configure ]] || quietly "$dir.bootstrap.log" "bootstrap" "$source/bootstrap"
  if [[ $(cat "$dir/configured" 2>/dev/null) != "$source $*" ]]; then
    rm -rf "$dir"
    mkdir -p "$dir"
    quietly "$dir.configure.log" "configure $*" configure_in "$dir" "$source" "$@"
    echo "$source $*" >"$dir/configured"
  fi
  quietly "$dir.make.log" "make in $dir" make -C "$dir" -j"$(nproc)" "${targets[@]}"
}

configure_in() {
  cd "$1"
  "$2/configure" "${@:3}"
}

# A tree that was configured in place cannot be built out of tree: build a copy of its sources,
# with their times, so that the next run makes only what changed.
copy_source() {
  mkdir -p "$1"
  tar -C "$top" -cf - --exclude=./build --exclude=./.quickstart --exclude=./.git --exclude=./.cache \
    --exclude='*.o' --exclude='*.lo' --exclude='*.la' --exclude=.libs --exclude=.deps \
    --exclude=.dirstamp --exclude=./config.status --exclude=./config.log --exclude=./Makefile \
    --exclude=./libtool --exclude=./tlsguardctl --exclude=./t/unit/unit --exclude=__pycache__ . |
    tar -C "$1" -xf -
}
