from . import main
from . import pickup
from . import invite
from . import oauth
