#!/bin/sh
# The first container of docker-compose.yml: a secret that is missing is made here, so that none has a default. Nothing that
# exists is changed. Runs as root in the Odoo image, without a network.
set -eu

config=${CONFIG_DIR:-/run/doorman/config}
keys=${KEY_DIR:-/run/doorman/key}
odoo=${ODOO_USER:-odoo}
# The groups of the images: postgres in postgres:16, nonroot in the Doorman image.
db_group=${DB_GROUP:-999}
service_group=${SERVICE_GROUP:-65532}
database=${ODOO_DB:-odoo}

case $database in
'' | *[!A-Za-z0-9_-]*)
    echo "ODOO_DB is '$database': letters, digits, - and _ only" >&2
    exit 1
    ;;
esac

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# put FILE GROUP MODE: standard input into a file that appears only once it is complete, as whose it is to be.
put() {
    cat > "$1.new"
    chmod "$3" "$1.new"
    chown "$odoo:$2" "$1.new"
    mv "$1.new" "$1"
}

umask 077
mkdir -p "$config" "$keys"
chmod 0711 "$config"

if [ ! -s "$config/db_password" ]; then
    random | put "$config/db_password" "$db_group" 0440
fi
if [ ! -s "$config/admin_password" ]; then
    random | put "$config/admin_password" root 0400
fi
if [ ! -s "$config/odoo.conf" ]; then
    put "$config/odoo.conf" root 0400 <<CONF
[options]
db_host = ${DB_HOST:-db}
db_port = ${DB_PORT:-5432}
db_user = ${DB_USER:-odoo}
db_password = $(cat "$config/db_password")
db_name = $database
dbfilter = ^$database\$
; Nobody makes, copies or drops databases over the web: the password that would allow it is not kept anywhere else.
list_db = False
admin_passwd = $(random)
data_dir = ${DATA_DIR:-/var/lib/odoo}
addons_path = ${ADDONS_PATH:-/mnt/extra-addons}
http_interface = ${HTTP_INTERFACE:-0.0.0.0}
http_port = ${HTTP_PORT:-8069}
; Of websockets, which the proxy sends there.
gevent_port = ${GEVENT_PORT:-8072}
proxy_mode = True
workers = ${ODOO_WORKERS:-2}
max_cron_threads = 1
CONF
fi

# What Odoo's user puts there gets the folder's group, which is the service's: it alone reads the key besides.
chown "$odoo:$service_group" "$keys"
chmod 2750 "$keys"
