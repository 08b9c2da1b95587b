// Package markdown makes text safe inside markdown, tables included.
package markdown

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// escapes are the characters that mean something in markdown or HTML anywhere, and @ and #, which
// would notify people and link issues.
var escapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "`", "\\`", "~", `\~`, "$", `\$`,
	"\x00", "&#8203;", "@", "&#64;", "#", "&#35;", "://", "&#58;//", "www.", "www&#46;",
	// a bracket closes the text of a link, or its name, only before these
	"](", `\](`, "][", `\][`, "]:", `\]:`,
)

// refers finds what code hosts make a link of in the text that is shown, entities resolved: mentions,
// issues and merge requests. A space without width behind the mark keeps them from it.
var refers = regexp.MustCompile(`(?i)([@#!]|\bgh-)(\w)`)

// Escape returns text that markdown shows as it is, on one line: no link, image, mention or emphasis.
func Escape(text string) string {
	var b strings.Builder
	parts := strings.Split(refers.ReplaceAllString(plain.Line(text), "$1\x00$2"), "_")
	for i, part := range parts {
		if i > 0 { // inside a word, as in d_model, an underscore means nothing
			before, _ := utf8.DecodeLastRuneInString(parts[i-1])
			after, _ := utf8.DecodeRuneInString(part)
			if !inWord(before) || !inWord(after) {
				b.WriteByte('\\')
			}
			b.WriteByte('_')
		}
		b.WriteString(escapes.Replace(part))
	}
	return b.String()
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
