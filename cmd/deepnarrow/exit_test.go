package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodesOfTheBinary runs the program as a user does. The codes are those of the contract: 0
// ok, 1 a finding, 2 usage, 3 bad input or a rule that cannot be evaluated (3 beats 1), 4 no valid
// answer.
func TestExitCodesOfTheBinary(t *testing.T) {
	binary, err := exec.LookPath("deepnarrow") // the one that TestMain lays first in the path
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		code int
	}{
		{"check good/** --rules rules.yaml --today 2026-06-30", 0},
		{"check bad/misaligned.json --rules rules.yaml", 0}, // warnings only
		{"check bad/too-big.yaml --rules rules.yaml", 1},
		{"check bad/** good/** --rules rules.yaml", 1},
		{"check bad/too-big.yaml broken/circle.yaml --rules rules.yaml", 3}, // 3 beats 1
		{"check broken/** --rules rules.yaml", 3},
		{"check good/missing.json --rules rules.yaml", 3},
		{"check good --rules rules.yaml", 3}, // a folder
		{"check none/** --rules rules.yaml", 3},
		{"check t5-base --rules missing.yaml", 3},
		{"check t5-base --rules broken/bomb.yaml", 3},
		{"check no-such-shape --rules rules.yaml", 3},
		{"check --rules rules.yaml", 2}, // nothing to check
		{"check t5-base --format html", 2},
		{"check t5-base --emit sarif", 2},
		{"check t5-base --emit nope=x", 2},
		{"check t5-base --today tomorrow", 2},
		{"check t5-base --rules rules.yaml --update-baseline", 2},
		{"check t5-base --hardware a100 --hardware h100", 2},
		{"check t5-base --hardware nope", 3},
		{"check t5-base -o no/such/folder/x.txt", 3},
		{"diff t5-base t5-base", 0},
		{"diff t5-base t5-base --exit-code", 0},
		{"diff t5-base t5-large", 0},
		{"diff t5-base t5-large --exit-code", 1},
		{"diff t5-base t5-large --exit-code --format json", 1},
		{"diff t5-base", 2},
		{"diff t5-base t5-large --format junit", 2},
		{"diff t5-base nope", 3},
		{"diff t5-base HEAD:no/such/file.json", 3},
		{"diff t5-base t5-efficient-small-sh", 4},
		{"report ../../../../reports/page/testdata/1-plan.json", 0},
		{"count t5-base --format html", 0},
		{"report", 2},
		{"report missing.json", 3},
		{"report good/t5-small.json", 3}, // a configuration is not a result
		{"report ../../../../reports/page/testdata/1-plan.json -o no/such/folder/x.html", 3},
	} {
		command := exec.Command(binary, strings.Fields(c.line)...)
		command.Dir = filepath.Join("testdata", "review")
		out, err := command.CombinedOutput()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != c.code {
			t.Errorf("deepnarrow %s: exit %d, want %d\n%s", c.line, code, c.code, out)
		}
	}
}
