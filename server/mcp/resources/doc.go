// Package resources has what a person can pick in their AI tool by an address: a record, or the fields of a model.
//
//	resources/read             -> Read      a call of the tool that reads the same: admitted, decided, counted, recorded as such
//	resources/list             -> List      fields of the models that matter, as far as the connection may use them
//	resources/templates/list   -> Templates the forms of addresses, cut by MayUse
//	completion/complete        -> Complete  names of models, also for the arguments of prompts
//
// Lists and proposals need the models of a connection. They are asked for as list_models would, and kept (model_names.go).
package resources
