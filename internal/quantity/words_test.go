package quantity

import (
	"strings"
	"testing"
)

func TestWordsByHand(t *testing.T) {
	for words, want := range map[string]string{"": "", "a": "a", "a b": "a and b", "a b c": "a, b and c"} {
		if got := Listed(strings.Fields(words)); got != want {
			t.Errorf("%q: %q", words, got)
		}
	}
	for _, c := range []struct {
		n          int
		noun, want string
	}{{0, "row", "0 rows"}, {1, "row", "1 row"}, {2, "row", "2 rows"}, {1, "entry", "1 entry"}, {2, "entry", "2 entries"}, {2, "day", "2 days"}} {
		if got := Of(c.n, c.noun); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
