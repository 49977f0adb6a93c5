from . import doorman_audit
