#!/bin/sh
# The second container of docker-compose.yml: makes the database, installs the addon or brings it up to date, then leaves the
# rest to bootstrap.py. Harmless to run again, also while Odoo runs. Runs as Odoo's user in its image.
set -eu

here=$(dirname "$0")
ODOO_RC=${CONFIG_DIR:-/run/doorman/config}/odoo.conf
export ODOO_RC
database=${ODOO_DB:-odoo}
once="--no-http --workers=0 --max-cron-threads=0"

# A database that is missing is made; an addon that is installed already is left alone.
# shellcheck disable=SC2086 # these are several words
odoo server --database "$database" --init doorman --stop-after-init $once

# The addon's code is newer than the database after an update of this folder: the service waits until that has been made good.
# shellcheck disable=SC2086
if odoo shell --database "$database" --no-http < "$here/outdated.py" | grep -qx 'doorman: outdated'; then
    odoo server --database "$database" --update doorman --stop-after-init $once
fi

odoo shell --database "$database" --no-http < "$here/bootstrap.py" | grep -x 'doorman: ready'
