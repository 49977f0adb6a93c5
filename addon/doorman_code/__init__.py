from . import python_run
from . import sql_query
from . import gateway_python
from . import gateway_sql


def uninstall_hook(env):
    """Drop what the ORM does not know, and so would leave behind."""
    env.cr.execute(
        """
        DROP FUNCTION IF EXISTS doorman_sql_one(text);
        DROP FUNCTION IF EXISTS doorman_sql_view(text);
        DROP FUNCTION IF EXISTS doorman_sql_rows(text, integer, integer);
        DROP FUNCTION IF EXISTS doorman_sql_clean(text)
        """
    )
