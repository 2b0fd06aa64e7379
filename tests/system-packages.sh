#!/usr/bin/env bash
# Makes sure that the programs which the tests drive are there. Installs them when root on Debian; otherwise
# says what to install.
set -euo pipefail
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
command -v soffice >/dev/null || missing+=(libreoffice-calc)
command -v pdftoppm >/dev/null || missing+=(poppler-utils)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
command -v logrotate >/dev/null || [ -x /usr/sbin/logrotate ] || missing+=(logrotate)
command -v openssl >/dev/null || missing+=(openssl)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing ${missing[*]} …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # nginx is started by the tests, with their own configuration, and by nothing else.
  [[ " ${missing[*]} " != *" nginx-light "* ]] || ln -sf /dev/null /etc/systemd/system/nginx.service
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "The tests need these programs; install them and run again: ${missing[*]}" >&2
  echo "On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
