"""What Odoo answers over HTTP: the service's own endpoint, and the pages of pick-up
links, invites and browser logins."""

from . import gateway
from . import pickup
from . import invite
from . import oauth
