"""How large a file may be that goes through, in bytes."""

# What the service and Odoo carry in one piece: in base64, some 27 MB of JSON.
MAX_BYTES = 20 * 1024 * 1024
