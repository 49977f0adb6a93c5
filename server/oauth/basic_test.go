package oauth_test

import "encoding/base64"

// basic is an Authorization header; id and secret are joined as they are.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}
