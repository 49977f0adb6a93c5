package toolcall

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"doorman/server/access"
)

// A request state is what a client carries from a call that waits for a person to its retry (MRTR, protocol 2026-07-28):
//
//	base64url( request id, 8 bytes | end, 8 bytes, Unix seconds | HMAC-SHA256 of both, connection, arguments and tool )
//
// It is signed with a key that comes of the client's own proof: all replicas know it while they serve that client, nobody
// else does, and nothing has to be stored. It opens nothing by itself: Odoo checks whose request it is.
const (
	stateHead  = 16
	stateLabel = "doorman request state 1"
)

// sealState binds a request for approval to this caller and this call.
func (c *Call) sealState(p access.Pending) string {
	state := binary.BigEndian.AppendUint64(nil, uint64(p.RequestID))
	state = binary.BigEndian.AppendUint64(state, uint64(p.ExpiresAt.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(state, c.stateMAC(state)...))
}

// openState returns the request that a state stands for. Forged, of another caller and of another call are one refusal:
// who tries learns nothing from it.
func (c *Call) openState(text string) (requestID int64, refusal *access.Error) {
	state, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(state) != stateHead+sha256.Size || !hmac.Equal(state[stateHead:], c.stateMAC(state[:stateHead])) {
		return 0, access.NewError(access.InvalidInput, "The requestState does not belong to this call.",
			"Send it with the key, the tool and the arguments that it was given for, or call approval_status.")
	}
	requestID = int64(binary.BigEndian.Uint64(state))
	if ends := time.Unix(int64(binary.BigEndian.Uint64(state[8:])), 0); !c.runner.Now().Before(ends) {
		return 0, access.NewError(access.Expired, "The requestState has expired.",
			fmt.Sprintf("Call approval_status with the request_id %d to see what became of it.", requestID))
	}
	return requestID, nil
}

// stateMAC signs the head of a state. Every part but the last has a fixed length, so that no two calls sign the same.
func (c *Call) stateMAC(head []byte) []byte {
	derive := hmac.New(sha256.New, c.who.Proof[:])
	derive.Write([]byte(stateLabel))
	mac := hmac.New(sha256.New, derive.Sum(nil))
	mac.Write(head)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(c.who.Snapshot().Connection.ID)))
	arguments := sha256.Sum256(canonical(c.args))
	mac.Write(arguments[:])
	mac.Write([]byte(c.tool.Name))
	return mac.Sum(nil)
}

// canonical writes JSON in one way: a client may order the keys of its retry differently. Numbers stay as they are
// written, since one that Go cannot hold must not become equal to another.
func canonical(raw json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		if out, err := json.Marshal(v); err == nil {
			return out
		}
	}
	return raw
}
