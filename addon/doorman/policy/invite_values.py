"""What an invite may say, and how its refusals are told."""

from .api_values import ApiRefused

LINK_HOURS = 72
KEY_HOURS = 90 * 24
# How long one acceptance waits for those before it: one that hangs must not hold all of
# Odoo's workers.
QUEUE_MS = 20_000


class InviteRefused(ApiRefused):
    """An invite that would grant more than its creator has."""
