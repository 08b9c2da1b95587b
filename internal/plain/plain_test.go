package plain

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"d_model 512, a — b ×":    "d_model 512, a — b ×",
		"a\r\n::error::x":         "a  ::error::x",
		"\x1b]0;x\a\x9b":          " ]0;x \ufffd",
		"\u009b31m\u2028\u202e":   " 31m  ",
		"a\U000e0041b":            "a b",
		"a\u200bb\u00ad\u180e":    "a b  ", // what does not show makes two names look like one
		"\ufeffa\u2060\u206a":     " a  ",
		"a\ufe0f\U000e0100\u3164": "a   ",
		"👩\u200d🔬":                "👩 🔬",
	} {
		if got := Line(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCommandless(t *testing.T) {
	for line, want := range map[string]string{
		"::error::x":                ": :error::x",
		"\u00a0 ::add-mask::x":      "\u00a0 : :add-mask::x",
		"\x1b[1m \x1b[0m::error::x": "\x1b[1m \x1b[0m: :error::x",
		"a ##[error]x":              "a ## [error]x",
		"###[group]##vso[x]":        "### [group]## vso[x]",
		"a::b, std::vector, # [x":   "a::b, std::vector, # [x",
	} {
		if got := Commandless(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestMessagesAreLines(t *testing.T) {
	var b bytes.Buffer
	w := Messages(&b)
	for _, text := range []string{"warning: a\n", "b\n::error::c", "##[d]\x1b[0m\n"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := b.String(), "warning: a\nb ::error::c\n## [d] [0m\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// However a text is cut into writes, the log is the same and holds no command.
func TestLogDoesNotDependOnCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{
			":", "::", "error", "#", "##", "[", "\n", "\r", " ", "\t", "\x1b", "é", "\xc3", "\u2028", "\u009b",
		})).Draw(t, "parts")
		var whole, cut bytes.Buffer
		one, many := NewLog(&whole), NewLog(&cut)
		_, _ = io.WriteString(one, strings.Join(parts, ""))
		for _, p := range parts {
			_, _ = io.WriteString(many, p)
		}
		if one.Flush() != nil || many.Flush() != nil || whole.String() != cut.String() {
			t.Fatalf("%q and %q", whole.String(), cut.String())
		}
		for line := range strings.SplitSeq(whole.String(), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || marks.MatchString(line) ||
				strings.ContainsAny(line, "\x1b\r\u2028\u009b") {
				t.Fatalf("%q", line)
			}
		}
	})
}

// JSON means the same before and after, but for the type of numbers that no int64 holds.
func TestJSONMeansTheSame(t *testing.T) {
	const text = `{"a": 9223372036854775807, "b": 9223372036854775808, "c": -100000000000000000000,
 "d": 1e+30, "##[error]x": "\\\"##vso[y\u0000` + "\u009b\u202e\x7f\U000e0041" + ` 99999999999999999999"}`
	got := string(JSON([]byte(text)))
	const want = `{"a": 9223372036854775807, "b": 9223372036854775808.0, "c": -100000000000000000000.0,
 "d": 1e+30, "#\u0023[error]x": "\\\"#\u0023vso[y\u0000\u009b\u202e\u007f\udb40\udc41 99999999999999999999"}`
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	var before, after map[string]any
	if err := json.Unmarshal([]byte(text), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &after); err != nil {
		t.Fatal(err)
	}
	for key, value := range before {
		if after[key] != value {
			t.Errorf("%q: %v, want %v", key, after[key], value)
		}
	}
}

// A shell reads the word as it was.
func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"t5-base/nl=4,dm=64": "t5-base/nl=4,dm=64", "": "''", "a b": "'a b'", "it's": `'it'\''s'`,
		"$5": "'$5'", "aAzZ09_-./=,:%+@": "aAzZ09_-./=,:%+@", "`": "'`'", "{": "'{'", "[": "'['", ";": "';'",
	} {
		if got := Quoted(word); got != want {
			t.Errorf("%q is quoted as %s, want %s", word, got, want)
		}
	}
}
