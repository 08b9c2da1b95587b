// Package plain makes texts that strangers wrote (names of files, keys, columns, messages about them)
// harmless where they are read: on a terminal, in the log of a workflow, in JSON. There is one writer a
// channel, so that no caller has to remember.
package plain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// steers says whether a character breaks a line, changes how it shows, or does not show at all, so that
// two names look like one: controls, separators of lines, directions of writing, what joins or varies
// other characters, the tags that nobody sees, and what is not a character at all (U+FFFE, no XML may
// hold it).
func steers(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return r&0xFFFE == 0xFFFE || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point)
}

// Line returns the text as one line: what would break it or steer a terminal is a space, what is not
// UTF-8 is U+FFFD.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if steers(r) {
			return ' '
		}
		return r
	}, text)
}

// marks begin a command of a workflow anywhere in a line: ##[error] of GitHub, ##vso[ of Azure,
// ##teamcity[.
var marks = regexp.MustCompile(`##([A-Za-z]*\[)`)

// begins finds :: at the beginning of a line, behind spaces and colours.
var begins = regexp.MustCompile(`^((?:[\s\pZ\x{85}]|\x1b\[[0-9;]*m)*:):`)

// Commandless returns a line that no runner of workflows takes for a command: those above have a space
// inside, and so has :: at the beginning.
func Commandless(line string) string {
	return marks.ReplaceAllString(begins.ReplaceAllString(line, "$1 :"), "## $1")
}

// Messages returns a writer that makes each write one line, harmless and ended.
func Messages(w io.Writer) io.Writer { return messages{w} }

type messages struct{ to io.Writer }

func (m messages) Write(p []byte) (int, error) {
	text := Commandless(Line(strings.TrimRight(string(p), "\r\n")))
	if _, err := io.WriteString(m.to, text+"\n"); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Log writes lines as [Commandless] has them, with tabs as the only control character. What is written
// without a final line break waits for it or for Flush.
type Log struct {
	to   io.Writer
	rest []byte
}

// NewLog returns a log that writes to another writer.
func NewLog(w io.Writer) *Log { return &Log{to: w} }

func (l *Log) Write(p []byte) (int, error) {
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		l.rest = append(l.rest, p...)
		return len(p), nil
	}
	var out strings.Builder
	for line := range bytes.Lines(append(l.rest, p[:end]...)) {
		out.WriteString(clean(string(line[:len(line)-1])) + "\n")
	}
	l.rest = append([]byte(nil), p[end:]...)
	if _, err := io.WriteString(l.to, out.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what no line break has ended.
func (l *Log) Flush() error {
	rest := clean(string(l.rest))
	l.rest = nil
	_, err := io.WriteString(l.to, rest)
	return err
}

// Logged returns what writes the same through a [Log].
func Logged(write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		log := NewLog(w)
		return errors.Join(write(log), log.Flush())
	}
}

func clean(line string) string {
	fields := strings.Split(line, "\t")
	for i := range fields {
		fields[i] = Line(fields[i])
	}
	return Commandless(strings.Join(fields, "\t"))
}

// JSON returns a JSON text that means the same and is harmless in a log: characters that steer and
// commands of workflows are escaped, and whole numbers beyond an int64 have a fraction (.0), so that
// readers with integers take them for what they are, floats.
func JSON(text []byte) []byte {
	text = marks.ReplaceAll(text, []byte(`#\u0023$1`))
	out := make([]byte, 0, len(text))
	inside := false // a string
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case inside && c == '\\' && i+1 < len(text):
			out, i = append(out, text[i:i+2]...), i+2
		case c == '"':
			inside = !inside
			out, i = append(out, c), i+1
		case inside && (c == 0x7f || c >= utf8.RuneSelf):
			r, size := utf8.DecodeRune(text[i:])
			if steers(r) {
				for _, unit := range utf16.Encode([]rune{r}) {
					out = fmt.Appendf(out, `\u%04x`, unit)
				}
			} else {
				out = append(out, text[i:i+size]...)
			}
			i += size
		case !inside && (c == '-' || '0' <= c && c <= '9'):
			end := i + 1
			for end < len(text) && strings.IndexByte("0123456789.eE+-", text[end]) >= 0 {
				end++
			}
			number := text[i:end]
			out, i = append(out, number...), end
			if _, err := strconv.ParseInt(string(number), 10, 64); err != nil && !bytes.ContainsAny(number, ".eE") {
				out = append(out, ".0"...)
			}
		default:
			out, i = append(out, c), i+1
		}
	}
	return out
}

// Quoted returns a word as a shell takes it.
func Quoted(word string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("_-./=,:%+@", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !harmless(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
