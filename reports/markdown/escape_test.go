package markdown

import "testing"

func TestEscapeByHand(t *testing.T) {
	for text, want := range map[string]string{
		"d_model 512":                      "d_model 512",
		"a|b\n<b>":                         `a\|b &lt;b&gt;`,
		"![x](https://example.org) @me #1": `![x\](https&#58;//example.org) &#64;&#8203;me &#35;&#8203;1`,
		"\x1b[31m\u2028`$~*":               " [31m \\`\\$\\~\\*",
		"_a_ b_c d__e _":                   `\_a\_ b_c d\_\_e \_`,
		"- [a]: http://x [a][b] [s]":       `- [a\]: http&#58;//x [a\][b] [s]`,
		"www.example.org":                  "www&#46;example.org",
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
