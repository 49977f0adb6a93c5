"""Requests that wait for a person: made, described, decided, carried out."""

from . import doorman_approval_rule
from . import doorman_approval
from . import ask
from . import describe
from . import execute
from . import one_click
from . import two_approvers
