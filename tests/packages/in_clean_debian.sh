#!/bin/sh
# Run inside the clean Debian, alone in its namespaces: the packages as a user meets them.
set -eu
step() { echo "== $*"; }

step the service is what the unit says
command=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/raceway.service /lib/systemd/system/raceway.service 2>/dev/null | head -n 1)
test -x "${command%% *}"
grep -q '^DynamicUser=yes' /lib/systemd/system/raceway.service
test -L /etc/systemd/system/multi-user.target.wants/raceway.service
setpriv --reuid=nobody --regid=nogroup --clear-groups $command >/tmp/serve.log 2>&1 &
server=$!
for _ in $(seq 100); do raceway status >/tmp/status 2>/dev/null && break; sleep 0.1; done
grep '^backend *memory' /tmp/status
raceway --config /etc/raceway/raceway.toml doctor
kill -TERM $server
wait $server

step the extension as the owner of a database
set -- $(pg_lsclusters -h)
major=$1
pg_ctlcluster "$major" main start
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
as_postgres psql -qc "CREATE ROLE raceway LOGIN PASSWORD 'secret'" -c "CREATE DATABASE raceway OWNER raceway ENCODING 'UTF8' TEMPLATE template0"
export RACEWAY_STORAGE_BACKEND=postgres
export RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING='host=127.0.0.1 dbname=raceway user=raceway password=secret'
PGPASSWORD=secret psql -qh 127.0.0.1 -U raceway -c 'CREATE EXTENSION raceway' raceway
raceway migrate
setpriv --reuid=nobody --regid=nogroup --clear-groups $command >/tmp/serve.log 2>&1 &
server=$!
for _ in $(seq 100); do raceway status >/tmp/status 2>/dev/null && break; sleep 0.1; done
echo '{"events":[{"event_id":"e","trace_id":"t","kind":"K","timestamp":"2024-01-01T00:00:00Z","vector_clock":{"a":1},"metadata":{}}]}' > /tmp/events.json
raceway import /tmp/events.json --to http://127.0.0.1:8080
kill -TERM $server
wait $server
test "$(as_postgres psql -Atc "SELECT event_id, raceway.vclock_compare(vector_clock, '{\"a\": 2}') FROM raceway.events" raceway)" = 'e|before'
raceway doctor --memory 512MB || test $? = 1
pg_ctlcluster "$major" main stop

step purge leaves nothing behind
dpkg --purge raceway "postgresql-$major-raceway" >/dev/null
left=$(find / -xdev \( -path /proc -o -path /tmp -o -path /var/cache -o -path /var/lib/postgresql -o -path /var/log -o -path /dev \) -prune -o -iname '*raceway*' -print)
test -z "$left" || { echo "left behind: $left"; exit 1; }
echo all is well
