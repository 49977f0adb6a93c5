"""The tools and scopes, as the service lists them."""

from . import doorman_scope
from . import doorman_tool
