from . import gateway
from . import pickup
from . import invite
from . import oauth
