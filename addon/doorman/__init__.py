from . import models
from . import gateway
from . import demo
from . import wizards
from . import controllers
from .patches import post_load
