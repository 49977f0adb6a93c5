// Package tokens estimates what a reply costs a language model.
package tokens

// Limit is how many tokens a reply may have. Claude Code cuts at 25,000 (MAX_MCP_OUTPUT_TOKENS), and other clients soon after.
const Limit = 25_000

// Sixteenths of a token. Models split text differently, so these are on the high side of what the tokenizers of 2026 make
// of JSON: an English word is a token for every four letters, digits go by two or three, and a Chinese letter is one or two.
const (
	letter      = 5
	blank       = 3
	digit       = 9
	punctuation = 9
	ofTwoBytes  = 10
	ofThree     = 20
	ofFour      = 40
)

var weights = newWeights()

func newWeights() (w [256]int) {
	for c := range w {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			w[c] = letter
		case c >= '0' && c <= '9':
			w[c] = digit
		case c <= ' ':
			w[c] = blank
		case c < 0x80:
			w[c] = punctuation
		case c < 0xC0: // the rest of a letter that has begun
		case c < 0xE0:
			w[c] = ofTwoBytes
		case c < 0xF0:
			w[c] = ofThree
		default:
			w[c] = ofFour
		}
	}
	return w
}

// Estimate is how many tokens a text in UTF-8 has, or a few more.
func Estimate[T ~string | ~[]byte](text T) int {
	sum := 0
	for i := range len(text) {
		sum += weights[text[i]]
	}
	return (sum + 15) / 16
}
