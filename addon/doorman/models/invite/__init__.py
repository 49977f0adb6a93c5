"""Invite links: made, accepted, revoked; and accounts that are made by them."""

from . import doorman_invite
from . import revoke
from . import doorman_invite_acceptance
from . import accept
from . import connections
from . import page
from . import guesses
from . import sign_up
from . import rest_api
