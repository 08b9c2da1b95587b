package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// screen is what a command shows on a screen that many columns wide, 0 in a pipe.
func screen(args []string, width int, colors bool) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(context.Background(), args, frame.Streams{
		In: strings.NewReader(""), Out: &out, Err: &err, Width: width, Colors: colors,
		Env: func(string) string { return "" },
	})
	return code, out.String(), err.String()
}

// tooWide returns the first line that does not fit.
func tooWide(text string, width int) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); twwidth.Width(line) > width {
			return line
		}
	}
	return ""
}

// refused are the screens of commands that print nothing but the reason why they did nothing.
var refused = map[string]bool{"explore": true, "report": true}

// changing are the parts of screens that another run or machine has otherwise: what train measures, and
// so the widths of its columns.
var changing = map[string]*regexp.Regexp{
	"train":   regexp.MustCompile(`/nl=[^ :]*|\b\d[\d.]*\b( ?%)?|─+|  +|\[(µs|ms|s)\]`),
	"version": regexp.MustCompile(`\S+/\S+|go\d\S*`),
}

// TestScreens: what people see, as files to read. Each has a command line as its comment and what that
// shows at 80, 100 and 200 columns, in a pipe, and with colours (␛ is the escape). Nothing is wider than
// the screen; a plan fills at most 25 lines of 100 columns, a recommendation 40, a headline five. The
// quick tests look at 100 columns alone.
//
// `go test ./cmd/deepnarrow -run Screens -update` rewrites them.
func TestScreens(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "screens", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no screens: %v", err)
	}
	for i := range files {
		if files[i], err = filepath.Abs(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	steps, err := os.ReadFile(filepath.Join(root, "docs", "data", "steps.csv"))
	if err != nil {
		t.Fatal(err)
	}
	folder := exampleFolder(t, "screens")
	t.Chdir(folder)
	if code, _, stderr := screen(words("plan t5-base --hardware a100 --devices 8 --tokens 34B -o plan.json"), 0, false); code != 0 {
		t.Fatal(stderr)
	}
	for name, content := range map[string][]byte{
		"calibration.csv": steps,
		"book.txt":        bytes.Repeat([]byte("The miller rose before the sun. "), 60),
	} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	most := map[string]int{"plan": 25, "plan-unfit": 25, "plan-lora": 25, "plan-serve": 25, "recommend": 40}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := strings.Cut(string(archive.Comment), "\n")
			fresh := txtar.Archive{Comment: archive.Comment}
			findings := strings.HasPrefix(name, "check")                   // as many lines as there are
			isFile := name == "export" || strings.HasPrefix(name, "sweep") // to be kept as it is
			for _, on := range []struct {
				name   string
				width  int
				colors bool
			}{{"80", 80, false}, {"100", 100, false}, {"200", 200, false}, {"pipe", 0, false}, {"color", 100, true}} {
				if testing.Short() && on.name != "100" && !*update {
					archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == on.name })
					continue
				}
				code, stdout, stderr := screen(words(line), on.width, on.colors)
				switch {
				case code == 2 && refused[name]:
					stdout = stderr
				case code > 1 && !findings: // 1 is a finding; the example of check has no baseline yet
					t.Fatalf("%s: exit %d: %s", line, code, stderr)
				}
				if wide := tooWide(stdout, on.width); on.width > 0 && wide != "" && !isFile {
					t.Errorf("at %s columns: wider: %s", on.name, wide)
				}
				if n := strings.Count(stdout, "\n"); on.width == 100 && most[name] > 0 && n > most[name] {
					t.Errorf("%d lines, want at most %d", n, most[name])
				}
				const headline = 5
				if head, _, _ := strings.Cut(stdout, "\n\n"); on.width == 100 && !isFile && !findings && !strings.Contains(head, "──") &&
					strings.Count(head, "\n")+1 > headline {
					t.Errorf("a headline of more than %d lines:\n%s", headline, head)
				}
				if changing[name] != nil {
					stdout = changing[name].ReplaceAllString(stdout, "·")
				}
				fresh.Files = append(fresh.Files, txtar.File{Name: on.name, Data: []byte(strings.ReplaceAll(stdout, "\x1b", "␛"))})
			}
			got, want := txtar.Format(&fresh), txtar.Format(archive)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s shows another screen (-update rewrites it):\n%s", line, diff)
			}
		})
	}
}

// TestEveryCommandHasScreens: but completion, which prints a program of a shell.
func TestEveryCommandHasScreens(t *testing.T) {
	for _, c := range cli.Command().Commands() {
		files, err := filepath.Glob(filepath.Join("testdata", "screens", c.Name()+"*.txtar"))
		if err != nil || len(files) == 0 && c.Name() != "completion" {
			t.Errorf("no screens of %s (%v)", c.Name(), err)
		}
	}
}

// TestHelpFits: help is no wider than the screen, on every command.
func TestHelpFits(t *testing.T) {
	for _, c := range cli.Command().Commands() {
		for _, width := range []int{80, 100} {
			_, stdout, _ := screen([]string{c.Name(), "--help"}, width, false)
			for line := range strings.Lines(stdout) {
				example := strings.HasPrefix(line, "  deepnarrow ") // to be copied whole
				if wide := tooWide(line, width); wide != "" && !example {
					t.Errorf("%s at %d columns: %s", c.Name(), width, wide)
				}
			}
			if strings.Contains(stdout, "*flops") || strings.Contains(stdout, "=[true|false]") {
				t.Errorf("%s shows types of Go:\n%s", c.Name(), stdout)
			}
		}
	}
}
