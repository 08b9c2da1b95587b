package quantity_test

import (
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// The grammar of lists: DESIGN, contract of the command line.
func TestSplitList(t *testing.T) {
	for text, want := range map[string][]string{
		"h100":                            {"h100"},
		"8xh100, 64xa100":                 {"8xh100", "64xa100"},
		"a100,mem=40GiB,price=1.10,h100":  {"a100,mem=40GiB,price=1.10", "h100"},
		"cpu (24 cores, AVX-512),price=1": {"cpu (24 cores, AVX-512),price=1"},
		"price=1":                         {"price=1"}, // nothing before it: an item of its own
		"a,,b":                            {"a", "", "b"},
		"":                                {""},
	} {
		if got := quantity.SplitList(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
