"""What the tools do as the connection's user: a file for each family of them."""
