package frame

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Warnings that differ in their file and in numbers are told three times and counted; with -v all are.
func TestAlikeWarnings(t *testing.T) {
	var warnings []string
	for i := range 40 {
		warnings = append(warnings, fmt.Sprintf("m%d.json:1:%d: unknown field is not counted", i, i))
	}
	warnings = append(warnings, "the last is another")
	for verbose, want := range map[bool]int{false: 5, true: 41} {
		var err bytes.Buffer
		a := &App{Streams: Streams{Err: &err}, Common: commonFlags{Verbose: verbose}}
		a.Warn(warnings)
		if n := strings.Count(err.String(), "\n"); n != want || !verbose && !strings.Contains(err.String(), "and 37 more such: m39.json") {
			t.Errorf("%d lines, want %d:\n%s", n, want, err.String())
		}
	}
}
