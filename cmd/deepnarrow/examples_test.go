package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// measuring commands take minutes of this machine: their examples are not run.
const measuring = " train sweep calibrate "

// prepared are the commands that make the files which an example reads and no example before it
// writes.
var prepared = map[string][]string{
	"allocate": {"deepnarrow fit runs.csv --law chinchilla -o fit.json"},
	"check":    {"deepnarrow check config.json configs/**/*.json --update-baseline"},
	"diff": {
		"deepnarrow plan t5-base --hardware tpu-v3 -o plan-before.json",
		"deepnarrow plan t5-base --hardware tpu-v3 -o plan-after.json",
	},
	"report": {
		"deepnarrow plan t5-base --hardware a100 -o a100.json",
		"deepnarrow plan t5-base --hardware h100 -o h100.json",
	},
}

// TestExamples runs the examples of every page in docs/commands, which are those of --help, one
// after the other in a copy of testdata/examples, over which the page's own folder there is laid.
// The copy is a repository with two commits.
func TestExamples(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "commands", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range pages {
		page := strings.TrimSuffix(filepath.Base(file), ".md")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(text)
		if block == nil || strings.Contains(measuring, " "+page+" ") {
			continue
		}
		if testing.Short() && slices.Contains([]string{"validate", "fit", "transfer", "tables"}, page) {
			continue // each takes seconds
		}
		t.Run(page, func(t *testing.T) {
			folder := exampleFolder(t, page)
			commands := append(prepared[page], strings.Split(strings.TrimSpace(string(block[1])),
				"\n")...)
			for _, command := range commands {
				args, ours := commandLine(command)
				if !ours {
					t.Errorf("%s: not a deepnarrow command", command)
					continue
				}
				ran++
				if strings.Contains(command, "--init") { // where a rules file is not there yet
					t.Chdir(t.TempDir())
				} else {
					t.Chdir(folder)
				}
				code, stdout, stderr := screen(args, 80, false)
				if code != 0 {
					t.Errorf("%s: exit %d\n%s%s", command, code, stdout, stderr)
				}
				if page == "export" || strings.Contains(command, "--format") {
					continue // to be kept as it is
				}
				if wide := tooWide(stdout, 80); wide != "" {
					t.Errorf("%s at 80 columns: %s", command, wide)
				}
				if stdout == "" || testing.Short() {
					continue
				}
				_, stdout, _ = screen(args, 100, false)
				if wide := tooWide(stdout, 100); wide != "" {
					t.Errorf("%s at 100 columns: %s", command, wide)
				}
			}
		})
	}
	if ran < len(pages) && !testing.Short() {
		t.Errorf("%d examples on %d pages", ran, len(pages))
	}
}

func exampleFolder(t *testing.T, page string) string {
	t.Helper()
	folder := t.TempDir()
	from := filepath.Join("testdata", "examples")
	if err := os.CopyFS(folder, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	own := os.DirFS(filepath.Join(from, page))
	files, err := fs.ReadDir(own, ".")
	if err != nil {
		files = nil // the page has none of its own
	}
	for _, f := range files {
		text, err := fs.ReadFile(own, f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, f.Name()), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if page != "diff" && page != "check" {
		return folder
	}
	for _, line := range []string{
		"init -q -b main", "add .", "commit -q -m one",
		"checkout -q -b change", "commit -q -m two --allow-empty",
	} {
		c := exec.Command("git", append([]string{
			"-c", "user.name=x", "-c",
			"user.email=x@example.org",
		}, strings.Fields(line)...)...)
		c.Dir = folder
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", line, err, out)
		}
	}
	return folder
}

// TestDocumentedRules: t5-small keeps the rules of every rules file that docs/check.md shows.
func TestDocumentedRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "check.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
		if !bytes.Contains(block[1], []byte("\nrules:\n")) &&
			!bytes.HasPrefix(block[1], []byte("rules:\n")) {
			continue // of another program
		}
		shown++
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, "rules"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{
			".deepnarrow.yaml":        block[1],
			"rules/organisation.yaml": []byte("rules: [{id: head-size}]\n"),
		} {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"check", "t5-small"}
		if bytes.Contains(block[1], []byte("\nbaseline:")) {
			args = append(args, "--update-baseline")
		}
		if code, stdout, stderr := inFolder(t, folder, args...); code != 0 {
			t.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
	}
	if shown != 2 {
		t.Errorf("%d rules files in docs/check.md, want the smallest and the complete one", shown)
	}
}
