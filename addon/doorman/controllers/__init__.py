from . import main
from . import pickup
