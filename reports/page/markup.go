package page

import (
	"bytes"
	"html"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// markup collects HTML. Text of a [static] goes in as it is; every other string passes say or attr,
// which escape it. The types leave no third way in.
type markup struct{ text bytes.Buffer }

// static is HTML that stands in the source of this package. A constant becomes one by itself; a
// string does not without a conversion, and there is none.
type static string

// raw writes HTML of our own.
func (m *markup) raw(s static) *markup {
	m.text.WriteString(string(s))
	return m
}

// say writes text between two tags.
func (m *markup) say(s string) *markup {
	m.text.WriteString(escape(s))
	return m
}

// name writes text that may be broken where the parts of a name or a path meet.
func (m *markup) name(s string) *markup {
	for i := strings.IndexAny(s, ",/"); i >= 0; i = strings.IndexAny(s, ",/") {
		m.say(s[:i+1]).raw("<wbr>")
		s = s[i+1:]
	}
	return m.say(s)
}

// attr writes an attribute after the name of a tag, with the space before it.
func (m *markup) attr(name static, value string) *markup {
	m.text.WriteString(" " + string(name) + `="` + escape(value) + `"`)
	return m
}

// number writes an attribute that holds a number with some decimals.
func (m *markup) number(name static, v float64, decimals int) *markup {
	return m.attr(name, strconv.FormatFloat(v, 'f', decimals, 64))
}

// escape makes text safe between tags and between double quotes, and in a log that shows the page.
func escape(s string) string { return html.EscapeString(plain.Commandless(plain.Line(s))) }
