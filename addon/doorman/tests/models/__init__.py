from . import test_key_age
