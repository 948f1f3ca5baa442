# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# conf/quickstart --check: asks the running server what an administrator would ask, and prints
# what it found. Sourced by conf/quickstart, which sets what is used here; sets rc.
# shellcheck disable=SC2154,SC2034

failures=0

# row WHAT EXPECTED FOUND: fine when FOUND begins with EXPECTED.
row() {
  local mark=ok
  if [[ $3 != "$2"* ]]; then
    mark=WRONG
    failures=$((failures + 1))
  fi
  printf '%-5s  %-47s  %s\n' "$mark" "$1" "$3"
  [[ $mark == ok ]] || printf '       %-47s  expected: %s\n' "" "$2"
}

# handshake SERVER_NAME [s_client options]: "version cipher group", or "alert N".
handshake() {
  local out
  out=$(openssl s_client -connect "127.0.0.1:$https_port" -servername "$1" -brief \
    -CAfile "$root" -verify_hostname "$1" -verify_return_error "${@:2}" \
    </dev/null 2>&1) || true
  if [[ $out =~ SSL\ alert\ number\ ([0-9]+) ]]; then
    echo "alert ${BASH_REMATCH[1]}"
  elif [[ $out == *"CONNECTION ESTABLISHED"* ]]; then
    awk -F': ' '/^Protocol version/ { v = $2 } /^Ciphersuite/ { c = $2 }
      /^Server Temp Key/ { sub(/,[^,]*bits$/, "", $2); sub(/^ECDH, /, "", $2); g = $2 }
      END { print v, c, g }' <<<"$out"
  else
    echo "no answer: $(tail -n 1 <<<"$out")"
  fi
}

# fetch URL [curl options].
fetch() { curl "${curl_options[@]}" "${@:2}" "$1" 2>&1 || true; }
# ask URL [curl options]: the response's headers, without carriage returns.
ask() { fetch "$@" -o /dev/null -D - | tr -d '\r'; }
status_of() { awk 'NR == 1 { print $2 }' <<<"$1"; }
field() { # headers, name: every value, one a line
  awk -v name="$2" 'BEGIN { FS = ": " } tolower($1) == name { print $2 }' <<<"$1"
}
hsts_of() { # headers: "N field(s): values"
  local values
  values=$(field "$1" strict-transport-security)
  if [[ -z $values ]]; then echo "none"; else echo "$(wc -l <<<"$values") field: $values"; fi
}
shown() { # page, id: what the page shows there
  sed -n "s|.*id=\"$2\">\([^<]*\)<.*|\1|p" <<<"$1" | head -n 1
}

check_handshakes() {
  row "localhost" "TLSv1.3 TLS_AES_256_GCM_SHA384 " "$(handshake localhost)"
  row "localhost, TLS 1.2 client" "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 " \
    "$(handshake localhost -tls1_2)"
  row "localhost, TLS 1.1 client" "alert 70" \
    "$(handshake localhost -tls1_1 -cipher DEFAULT@SECLEVEL=0)"
  row "localhost, client with CBC ciphers only" "alert 40" \
    "$(handshake localhost -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256)"
  row "localhost, client with group P-521 only" "alert 40" \
    "$(handshake localhost -groups secp521r1)"
  row "modern.localhost" "TLSv1.3 " "$(handshake modern.localhost)"
  row "modern.localhost, TLS 1.2 client" "alert 70" "$(handshake modern.localhost -tls1_2)"
}

check_http() {
  local https=https://localhost:$https_port http=http://localhost:$http_port answer
  answer=$(ask "$https/")
  row "$https/" 200 "$(status_of "$answer")"
  row "  Strict-Transport-Security" "1 field: max-age=300" "$(hsts_of "$answer")"
  answer=$(ask "$https/no-such-page")
  row "$https/no-such-page" 404 "$(status_of "$answer")"
  row "  Strict-Transport-Security" "1 field: max-age=300" "$(hsts_of "$answer")"
  answer=$(ask "https://modern.localhost:$https_port/")
  row "https://modern.localhost:$https_port/" 200 "$(status_of "$answer")"
  row "  Strict-Transport-Security" "1 field: max-age=63072000" "$(hsts_of "$answer")"
  answer=$(ask "$https/" --tls-max 1.2 -H "Host: modern.localhost:$https_port")
  row "TLS 1.2 to localhost, Host: modern.localhost" 421 "$(status_of "$answer")"
  answer=$(ask "$http/some/path?q=1")
  row "$http/some/path?q=1" "302 $https/some/path?q=1" \
    "$(status_of "$answer") $(field "$answer" location)"
  row "  Strict-Transport-Security" none "$(hsts_of "$answer")"
  answer=$(ask "$http/form" -d a=b)
  row "POST $http/form" "307 $https/form" "$(status_of "$answer") $(field "$answer" location)"
}

check_page() {
  local text
  text=$(fetch "https://localhost:$https_port/" --tlsv1.3)
  row "the page shows: version" "TLSv1.3" "$(shown "$text" version)"
  row "  cipher" "TLS_AES_256_GCM_SHA384" "$(shown "$text" cipher)"
  row "  group" "X25519" "$(shown "$text" group)"
  row "  policy" "baseline" "$(shown "$text" policy)"
  text=$(fetch "https://modern.localhost:$https_port/")
  row "the neighbour's page shows: policy" "mozilla-modern" "$(shown "$text" policy)"
}

check_status() {
  local url=https://localhost:$https_port/tlsguard-status answer
  answer=$(ask "$url" -H "Accept: application/json")
  row "$url" "200 application/json" "$(status_of "$answer") $(field "$answer" content-type)"
}

# The serial number that a new connection gets.
serial() {
  openssl s_client -connect "127.0.0.1:$https_port" -servername localhost </dev/null 2>/dev/null |
    openssl x509 -noout -serial | cut -d= -f2
}
all_new() { # old serial: whether ten new connections get another one
  local _ now
  for _ in {1..10}; do
    now=$(serial) || return 1
    if [[ -z $now || $now == "$1" ]]; then return 1; fi
  done
}
# load FILE [curl options]: requests one after another until it is killed; of each its status and
# how many connections it has opened. HTTP/1.1: mod_http2 ends a connection after some 1,000 pages
# that went through mod_include.
load() {
  exec curl "${curl_options[@]}" --http1.1 "https://localhost:$https_port/?[1-1000000]" -o /dev/null \
    -w '%{stderr}%{http_code} %{num_connects}\n' "${@:2}" 2>"$1"
}

# For as long as the agent is still at work on its first certificate, too.
renew() {
  local _
  for _ in {1..20}; do
    if "$ctl" renew localhost --store "$work/store" >"$work/renew.log" 2>&1; then return 0; fi
    grep -q "try again in a moment" "$work/renew.log" || return 1
    sleep 0.5
  done
  return 1
}

check_renewal() {
  local before asked live found kept fresh
  before=$(serial)
  load "$work/kept" &
  kept=$!
  load "$work/fresh" --no-sessionid -H "Connection: close" &
  fresh=$!
  sleep 0.5
  asked=$(now_ms)
  found="not live"
  if renew; then
    # A worker that is about to load it serves the old one for another moment.
    while (($(now_ms) - asked < 30000)); do
      if all_new "$before"; then
        live=$(now_ms)
        found="live after $(seconds $((live - asked)))"
        break
      fi
    done
  else
    found=$(<"$work/renew.log")
  fi
  sleep 0.5
  kill "$kept" "$fresh"
  wait "$kept" "$fresh" 2>/dev/null || true
  row "the certificate of localhost" "serial " "serial $before"
  row "tlsguardctl renew localhost" "live after " "$found, serial $(serial)"
  # curl writes character by character: what it was ended in the middle of has one word.
  row "  requests meanwhile" "0 failed" "$(
    awk 'NF < 2 { next } $1 == 200 { n++; next } { bad++ }
      END { print bad + 0 " failed, " n + 0 " answered" }' "$work/kept" "$work/fresh"
  )"
  row "  connections of the client that keeps its own" 1 \
    "$(awk '{ n += $2 } END { print n + 0 }' "$work/kept")"
}

row "trusted by its root, after the start" "" "$ready_after"
check_handshakes
check_http
check_page
check_status
check_renewal
if ((failures)); then
  echo "$failures of the above are not as they should be; httpd said:"
  tail -n 20 "$work/error.log"
  rc=1
else
  echo "all as it should be"
  rc=0
fi
