//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kills is how often each command is killed: go test ./cmd/deepnarrow -run TestKilled -kills 60.
var kills = flag.Int("kills", 4, "how often TestKilled kills train, sweep and calibrate")

// TestKilled kills train, sweep and calibrate at random moments with a signal that cannot be heard
// and starts them again. After each kill every record is a whole line, none is lost and none there
// twice, the checkpoint is whole and nothing hidden is left; at the end the losses are those of a
// run that nothing disturbed.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a minute")
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "dn")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	text := filepath.Join(folder, "text")
	var story strings.Builder
	for n := range 200 {
		fmt.Fprintf(&story, "The miller of line %d rose before the sun.\n", n)
	}
	if err := os.WriteFile(text, []byte(story.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	const shape = "t5-tiny/nl=1,dm=64,ff=64,kv=16,nh=2,vocab=384"
	small := []string{
		"--text", text, "--batch", "2", "--encoder-length", "32", "--decoder-length", "16",
		"--threads", "1",
	}
	for name, args := range map[string][]string{
		"train": append([]string{
			"train", shape, "--steps", "400", "--every", "10", "--checkpoint", "c.safetensors", "--resume",
			"--record", "r.jsonl",
		}, small...),
		"sweep": append([]string{
			"sweep", "--shapes", shape, "--tokens", "10k,11k,12k,13k,14k,15k,16k,17k", "--out", "runs",
		}, small...),
		"calibrate": {
			"calibrate", "--max-time", "20s", "--records", "r.jsonl", "-o", "p.yaml", "--threads", "1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(folder string, patience time.Duration) (ended bool) {
				command := exec.Command(program, args...)
				command.Dir = folder
				var out bytes.Buffer
				command.Stdout, command.Stderr = &out, &out
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				killed := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
				err := command.Wait()
				if ended = killed.Stop(); ended && err != nil {
					t.Fatalf("%v\n%s", err, out.String())
				}
				return ended
			}
			const long = time.Hour
			calm, stormy := t.TempDir(), t.TempDir()
			longest := 2 * time.Second // a point of calibrate and what precedes it
			if name != "calibrate" {
				start := time.Now()
				run(calm, long)
				longest = time.Since(start)
			}
			var before []string
			for range *kills {
				// the next try begins where a finished one left: at nothing
				if run(stormy, time.Duration(rand.Int64N(int64(longest)))) {
					whole(t, stormy, before, true)
					before, stormy = nil, t.TempDir()
					continue
				}
				before = whole(t, stormy, before, false)
			}
			if name == "calibrate" {
				return
			}
			run(stormy, long)
			got, want := whole(t, stormy, before, true), whole(t, calm, nil, true)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("killed runs came to\n%v, an undisturbed one to\n%v", got, want)
			}
		})
	}
}

// whole checks what a kill left in a folder and returns its records without times; before are those
// that must be there still.
func whole(t *testing.T, folder string, before []string, ended bool) []string {
	t.Helper()
	var records []string
	seen := map[string]bool{}
	err := filepath.Walk(folder, func(name string, info os.FileInfo, err error) error {
		switch {
		case err != nil || info.IsDir():
			return err
		case strings.HasPrefix(info.Name(), "."):
			t.Errorf("%s is left", info.Name())
		case strings.HasSuffix(name, ".safetensors"):
			const header, least = 8, 100_000
			if info.Size() < least+header {
				t.Errorf("a checkpoint of %d bytes", info.Size())
			}
		case strings.HasSuffix(name, ".jsonl"):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for line := range bytes.Lines(text) {
				var record map[string]any
				if err := json.Unmarshal(line, &record); err != nil || line[len(line)-1] != '\n' {
					t.Errorf("%s: a torn line %q: %v", name, line, err)
					continue
				}
				for _, differs := range []string{"date", "step_seconds"} {
					delete(record, differs)
				}
				text := fmt.Sprint(record)
				if seen[text] {
					t.Errorf("twice: %s", text)
				}
				seen[text] = true
				records = append(records, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range before {
		if !seen[record] {
			t.Errorf("lost: %s", record)
		}
	}
	if ended && len(records) == 0 {
		t.Error("no record of a run that ended")
	}
	return records
}
