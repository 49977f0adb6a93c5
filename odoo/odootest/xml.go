package odootest

import (
	"encoding/xml"
	"strconv"
)

// xmlCall is a methodCall of XML-RPC, as far as Odoo's clients use it.
type xmlCall struct {
	Method string     `xml:"methodName"`
	Params []xmlValue `xml:"params>param>value"`
}

type xmlValue struct {
	Int    *string `xml:"int"`
	I4     *string `xml:"i4"`
	String *string `xml:"string"`
	Struct *struct {
		Members []struct {
			Name  string   `xml:"name"`
			Value xmlValue `xml:"value"`
		} `xml:"member"`
	} `xml:"struct"`
	Array *struct {
		Data []xmlValue `xml:"data>value"`
	} `xml:"array"`
	Text string `xml:",chardata"`
}

func (v xmlValue) value() any {
	switch {
	case v.Int != nil || v.I4 != nil:
		s := v.I4
		if v.Int != nil {
			s = v.Int
		}
		n, _ := strconv.ParseFloat(*s, 64)
		return n
	case v.String != nil:
		return *v.String
	case v.Struct != nil:
		m := map[string]any{}
		for _, member := range v.Struct.Members {
			m[member.Name] = member.Value.value()
		}
		return m
	case v.Array != nil:
		list := []any{}
		for _, item := range v.Array.Data {
			list = append(list, item.value())
		}
		return list
	}
	return v.Text
}

func (s *Server) parseXMLRPC(q *query, service string, body []byte) bool {
	var call xmlCall
	if xml.Unmarshal(body, &call) != nil {
		return false
	}
	args := make([]any, len(call.Params))
	for i, p := range call.Params {
		args[i] = p.value()
	}
	return s.service(q, service, call.Method, args)
}
