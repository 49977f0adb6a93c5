"""Keys of connections had the scope ``mcp``, by which another module that serves MCP
would let them in as well, past all rules of their connection."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE res_users_apikeys k SET scope = 'doorman'
          FROM doorman_connection_proof p
         WHERE k.id = p.api_key_id AND k.scope = 'mcp'
        """
    )
