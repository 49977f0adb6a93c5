"""Notices to people, to Discuss and to a webhook; links that are sent by email."""

from . import doorman_notice
from . import words
from . import people
from . import shared
from . import webhook
from . import settings
from . import approvals
from . import use
from . import changes
from . import links
