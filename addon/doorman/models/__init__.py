# The rooms in the order in which their models build on each other.
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
