// Package markdown makes text safe inside markdown, tables included.
package markdown

import (
	"strings"
	"unicode"
)

// Every character that means something in markdown or HTML, and @ and # which would notify people
// and link issues.
var escapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "~", `\~`, "$", `\$`,
	"@", "&#64;", "#", "&#35;", "://", "&#58;//",
)

// Escape returns text that markdown shows as it is, on one line.
func Escape(text string) string {
	return escapes.Replace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}
