package mcp

// NeedModule makes a tool one that works with a module of Odoo's.
func NeedModule(s *Server, tool, module string) { s.tools.Tool(tool).NeedsModule = module }

// Received are the methods that the SDK takes.
func Received() map[string]method { return received }
