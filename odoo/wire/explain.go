package wire

import (
	"encoding/json"

	"doorman/server/access"
)

// DecodeExplained reads what the addon says of whether a connection may do something.
func DecodeExplained(raw json.RawMessage) (*access.Explained, error) {
	var w struct {
		Steps []struct {
			Step    string `json:"step"`
			Outcome string `json:"outcome"`
			Message string `json:"message"`
			Hint    string `json:"hint"`
			Code    string `json:"code"`
		} `json:"steps"`
		Snapshot *snapshotWire `json:"snapshot"`
	}
	if isNull(raw) {
		return nil, Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	if len(w.Steps) == 0 {
		return nil, Unusable("no step")
	}
	found := &access.Explained{}
	for _, s := range w.Steps {
		outcome := access.ExplainOutcome(s.Outcome)
		if !outcome.Known() {
			return nil, Unusable("an outcome that this service does not know")
		}
		found.Steps = append(found.Steps, access.ExplainedStep{
			Step: CleanText(s.Step), Outcome: outcome, Message: CleanText(s.Message), Hint: CleanText(s.Hint), Code: CleanText(s.Code),
		})
	}
	if w.Snapshot != nil {
		s, err := w.Snapshot.snapshot()
		if err != nil {
			return nil, err
		}
		found.Snapshot = s
	}
	return found, nil
}
