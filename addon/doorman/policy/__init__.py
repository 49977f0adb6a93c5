"""What a connection may do, decided without knowing who is asking: no other room of
the addon is imported here."""
