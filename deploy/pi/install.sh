#!/usr/bin/env bash
# Makes a gateway of a Raspberry Pi (or of any Debian machine with Python 3.11). Run it again after each update: what is
# as it should be stays, and your settings always do.
#
#   sudo deploy/pi/install.sh [--url https://cold.example.com] [--claim-code XXXX-XXXX] [--dry-run] [--root FOLDER]
#
#   --url, --claim-code   written into /etc/coldfleet/gateway.toml when that does not exist yet
#   --dry-run             says what it would do, and does nothing
#   --root FOLDER         only lays the files out under FOLDER (an image, a mounted card): no packages, user or services
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

url="" claim_code="" dry_run=false root=""
usage() { sed -n '2,10s/^# \{0,1\}//p' deploy/pi/install.sh >&2; exit 2; }
fail() { printf 'Cannot install: %s\n' "$*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case "$1" in
    --url) url="${2-}"; shift ;;
    --claim-code) claim_code="${2-}"; shift ;;
    --root) root="${2-}"; [ -d "$root" ] || fail "--root wants a folder that exists"; shift ;;
    --dry-run) dry_run=true ;;
    *) usage ;;
  esac
  shift || usage
done
# They go into a file of settings, between quotes.
[[ "$url" =~ ^(https?://[A-Za-z0-9.:_-]+/?)?$ ]] || fail "--url is no address like https://cold.example.com"
[[ "$claim_code" =~ ^[A-Za-z0-9-]*$ ]] || fail "--claim-code has letters, digits and dashes"

home=/opt/coldfleet settings="$root/etc/coldfleet/gateway.toml" unit=coldfleet-gateway.service
changed=false
step() { printf '\n%s\n' "$*"; }
run() { if $dry_run; then printf '  would run: %s\n' "$*"; else "$@"; fi; }
system() { if [ -z "$root" ]; then run "$@"; fi; }

# Put standard input into a file, unless that is what it holds already.
put() { # path, mode
  local content
  content="$(cat; printf x)"
  if [ -f "$root$1" ] && [ "$(cat "$root$1"; printf x)" = "$content" ]; then
    echo "  $1 is as it should be"
  elif $dry_run; then
    echo "  would write: $1"
  else
    mkdir -p "$(dirname "$root$1")"
    printf '%s' "${content%x}" >"$root$1.new"
    chmod "$2" "$root$1.new"
    mv "$root$1.new" "$root$1"
    changed=true
    echo "  $1 written"
  fi
}

python="$(command -v python3 || true)"
if [ -z "$root" ]; then
  $dry_run || [ "$(id -u)" = 0 ] || fail "this takes root: sudo $0"
  [ -n "$python" ] || fail "there is no python3"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed: install Raspberry Pi OS 12 or later"
  command -v systemctl >/dev/null || fail "there is no systemd here; --root FOLDER lays the files out for a machine that has it"
fi

step "User coldfleet"
groups=""
for group in dialout gpio; do
  if getent group "$group" >/dev/null; then groups="${groups:+$groups }$group"; fi
done
if [ -z "$root" ]; then
  getent passwd coldfleet >/dev/null || run useradd --system --user-group --home-dir /var/lib/coldfleet --no-create-home --shell /usr/sbin/nologin coldfleet
fi

step "The program, in $home/venv"
if [ -z "$root" ]; then
  # Debian's gpiozero and lgpio, where the system has them, are used from within.
  if ! "$home/venv/bin/python" -c '' 2>/dev/null; then
    "$python" -c 'import ensurepip' 2>/dev/null || run apt-get install --yes --no-install-recommends python3-venv
    run "$python" -m venv --system-site-packages "$home/venv"
  fi
  constraints="$(mktemp)"
  trap 'rm -f "$constraints"' EXIT
  # The versions that were tested; the file holds those of the cloud too, which are not installed here.
  sed -nE 's/^([A-Za-z0-9._-]+==[^ \\]+( ;[^\\]*)?).*/\1/p' requirements/app.lock >"$constraints"
  run "$home/venv/bin/python" -m pip install --quiet --upgrade --constraint "$constraints" ".[gateway]"
  changed=true
else
  echo "  left to the machine itself"
fi

step "Settings"
if [ -e "$settings" ]; then
  echo "  ${settings#"$root"} stays as it is"
elif $dry_run; then
  echo "  would write: ${settings#"$root"}, from deploy/gateway.example.toml, with a password for the sensors drawn now"
else
  mkdir -p "$(dirname "$settings")"
  password="$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
  (umask 077 && sed \
    -e "s|^zigbee2mqtt = \"change me\"|sensors = \"$password\"|" \
    -e "s|^url = .*|url = \"${url:-https://cold.example.com}\"|" \
    -e "s|^claim_code = .*|claim_code = \"${claim_code:-XXXX-XXXX}\"|" \
    deploy/gateway.example.toml >"$settings")
  grep -q "^sensors = \"$password\"" "$settings" || fail "deploy/gateway.example.toml has no password to replace"
  if [ -z "$root" ]; then chown root:coldfleet "$settings"; chmod 640 "$settings"; fi
  echo "  ${settings#"$root"} written; sensors connect as user sensors, with the password that stands there"
fi

step "Service, devices, log, watchdog"
if [ -n "$root" ]; then groups="dialout gpio"; fi
put /etc/systemd/system/$unit 644 < <(sed "s/^SupplementaryGroups=.*/SupplementaryGroups=$groups/" deploy/systemd/$unit)
systemd_version="$(systemctl --version 2>/dev/null | sed -nE '1s/^systemd ([0-9]+).*/\1/p')"
if [ "${systemd_version:-0}" -ge 254 ]; then
  put /etc/systemd/system/$unit.d/restart-steps.conf 644 <deploy/systemd/restart-steps.conf
fi
put /etc/udev/rules.d/99-coldfleet.rules 644 <deploy/pi/99-coldfleet.rules
# The log in memory: it is what wears a memory card out. `upload_logs` brings it to the cloud.
put /etc/systemd/journald.conf.d/coldfleet.conf 644 <<<$'[Journal]\nStorage=volatile\nRuntimeMaxUse=16M'
# The board's own watchdog: a machine that hangs is started anew.
put /etc/systemd/system.conf.d/coldfleet.conf 644 <<<$'[Manager]\nRuntimeWatchdogSec=15'

if $changed; then
  system systemctl daemon-reload
  system systemctl restart systemd-journald
  system udevadm control --reload
  system udevadm trigger --subsystem-match=tty --subsystem-match=gpio
fi
system systemctl enable --quiet $unit

step "What is left to do"
if [ -z "$root" ]; then
  findmnt --noheadings --output OPTIONS --target /var/lib 2>/dev/null | grep -q noatime ||
    echo "  The disk is mounted without noatime, so that each reading of a file writes: add noatime in /etc/fstab."
  if ! $dry_run && grep -q 'XXXX-XXXX\|//cold.example.com' "$settings"; then
    echo "  Write the cloud's address and the claim code into $settings, then: systemctl restart $unit"
  else
    system systemctl restart $unit
    echo "  Nothing. systemctl status $unit shows how the gateway is."
  fi
else
  echo "  On the machine itself: deploy/pi/install.sh"
fi
