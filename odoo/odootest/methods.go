package odootest

// facts are what the fake knows of a method.
type facts struct {
	tool    string // that the method is of, as the addon knows it (gateway/change.py, TOOLS and READS)
	reads   bool   // it changes nothing
	changes bool   // it changes records of the fake
	file    bool   // it is about a file, and needs the lock for it though it may only read
}

// methods are all that the fake can do. What is not among them Options.Handle answers, and counts as a change.
var methods = map[string]facts{
	"search_read":          {tool: "search_records", reads: true},
	"search_count":         {tool: "search_records", reads: true},
	"read":                 {tool: "read_records", reads: true},
	"formatted_read_group": {tool: "aggregate_records", reads: true},
	"fields_get":           {tool: "describe_model", reads: true},
	"read_messages":        {tool: "read_messages", reads: true},
	"get_actions":          {tool: "get_actions", reads: true},
	"get_attachment":       {tool: "get_attachment", reads: true, file: true},
	"get_report":           {tool: "get_report", reads: true, file: true},
	"export_records":       {tool: "export_records", reads: true, file: true},
	"models":               {tool: "list_models", reads: true},
	"context":              {tool: "get_context", reads: true},
	"search_everywhere":    {tool: "search_everywhere", reads: true},
	"search":               {tool: "search", reads: true},
	"fetch":                {tool: "fetch", reads: true},
	"name_search":          {reads: true},
	"create":               {tool: "create_records", changes: true},
	"copy":                 {tool: "copy_records", changes: true},
	"write":                {tool: "update_records", changes: true},
	"unlink":               {tool: "delete_records", changes: true},
	"call_method":          {tool: "call_method", changes: true},
	"message_post":         {tool: "post_message", changes: true},
	"activity_schedule":    {tool: "schedule_activity", changes: true},
	"send_document":        {tool: "send_document", changes: true},
	"undo_change":          {tool: "undo_change", changes: true},
	"request_upload":       {tool: "request_upload", file: true},
}

// Tool names the tool that a call is of, by what it does; of a method that the fake does not know, the service says it.
func (c Call) Tool() string {
	if known := methods[c.Method].tool; known != "" {
		return known
	}
	name, _ := c.Audit["tool"].(string)
	return name
}
