// Package deploy tests what people install from deploy/ and docker-compose.yml, as far as that goes without a container
// engine: the commands of the compose file on the real Odoo, and nginx and Caddy before two replicas. It has no code of its
// own. What only looks at the files is in e2e/repo.
package deploy
