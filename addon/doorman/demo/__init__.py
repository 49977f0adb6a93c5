"""Odoo's demo data, as far as XML cannot write it: connections, requests, invites."""

from . import connections
from . import approvals
from . import invites
