package kit

import "slices"

// AllTools are the tools of a connection that may do everything but run code, in the order in which they are listed.
var AllTools = []string{
	"get_context", "list_models", "describe_model", "search_records", "read_records", "aggregate_records",
	"search_everywhere", "read_messages", "get_actions", "get_attachment", "get_report", "export_records",
	"create_records", "copy_records", "update_records", "delete_records", "undo_change", "call_method", "post_message", "send_document", "schedule_activity", "request_upload",
	"approval_status",
}

// LookerTools and SearcherTools are those of a connection that may only look around, and of one that may also search.
var (
	LookerTools   = []string{"get_context", "list_models", "describe_model", "approval_status"}
	SearcherTools = append(slices.Clone(AllTools[:12]), "approval_status")
)
