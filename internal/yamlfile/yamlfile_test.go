package yamlfile

import (
	"errors"
	"strings"
	"testing"
)

// Nesting and length beyond the limits are refused before the parser sees them; the limits
// themselves are not.
func TestParseIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"many brackets": strings.Repeat("[", 60_000),
		"deep brackets": "name: " + strings.Repeat("[", MaxDepth+1),
		"deep braces":   strings.Repeat("{a: ", MaxDepth+1),
		"dashes":        strings.Repeat("- ", MaxDepth+1),
		"long":          strings.Repeat("- 1\n", MaxTokens),
	} {
		var limit *LimitError
		if _, err := Parse([]byte(text)); !errors.As(err, &limit) {
			t.Errorf("%s: got error %v, want a limit", name, err)
		}
	}
	deep := "name: " + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	if _, err := Parse([]byte(deep)); err != nil {
		t.Errorf("%d levels: %v", MaxDepth, err)
	}
}
