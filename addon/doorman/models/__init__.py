"""What is stored: a folder for each subject, in the order in which they build on each
other."""

from . import extensions
from . import mixins
from . import catalog
from . import custom_tool
from . import connection
from . import settings
from . import approval
from . import audit
from . import invite
from . import oauth
from . import notices
