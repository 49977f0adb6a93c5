from . import doorman_connection
from . import keys
from . import doorman_key_show
from . import approval_policy
from . import doorman_pickup
from . import from_oauth
