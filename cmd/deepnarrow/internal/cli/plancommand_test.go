package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// shellWords splits a command line as a shell does, single quotes only.
func shellWords(line string) []string {
	var out []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		out = append(out, word.String())
	}
	return out
}

// TestCommandsDoWhatTheySay: the command that a plan prints for its layout, and the one for each
// change, when typed, give the step time, the memory and the answer that were promised.
func TestCommandsDoWhatTheySay(t *testing.T) {
	type promise struct {
		Command     string  `json:"command"`
		What        string  `json:"what"`
		StepSeconds float64 `json:"step_seconds"`
		PeakBytes   float64 `json:"peak_bytes"`
		Fits        *bool   `json:"fits"`
	}
	type result struct {
		Command string `json:"command"`
		Time    struct {
			Step struct{ Value float64 } `json:"step_seconds"`
		} `json:"time"`
		Memory struct {
			Peak float64 `json:"peak_bytes"`
			Fits *bool   `json:"fits"`
		} `json:"memory"`
		Changes []promise `json:"changes"`
	}
	ask := func(args []string) result {
		t.Helper()
		code, stdout, stderr := run(t, "", append(args, "--format", "json")...)
		var document struct{ Results []result }
		if err := json.Unmarshal([]byte(stdout), &document); code != frame.ExitOK || err != nil {
			t.Fatalf("%v: exit %d, %v\n%s", args, code, err, stderr)
		}
		return document.Results[0]
	}
	tried := 0
	for _, line := range []string{
		"plan t5-11b --hardware v100 --devices 8 --optimizer adamw",
		"plan t5-11b --cluster 8xa100 --batch 2048 --dropout",
		"plan llama-2-7b --hardware rtx4090 --optimizer adamw --batch 16",
		"plan llama-3-8b --hardware a100,mem=40GiB --devices 16 --attention unfused --optimizer adam --price 2",
		"plan t5-3b --cluster 16xtpu-v3,region=us-central1 --batch 1024 --tokens 34B",
		"plan t5-base --hardware h100 --devices 8 --zero 1 --micro-batch 4 --precision fp32",
		"plan gpt2 --cluster 2xb200 --max-cost $500 --price 1.5 --compiled yes",
		"plan llama-2-70b --hardware h100 --devices 64 --tp 8 --pp 4 --micro-batch 1 --batch 128 --decoder-length 4096",
	} {
		answer := ask(strings.Fields(line))
		promises := answer.Changes
		if answer.Command != "" {
			promises = append(promises, promise{
				answer.Command, "the same layout", answer.Time.Step.Value, answer.Memory.Peak,
				answer.Memory.Fits,
			})
		}
		if len(answer.Changes) == 0 {
			t.Errorf("%s: nothing is proposed", line)
		}
		for _, p := range promises {
			if p.Command == "" {
				continue
			}
			tried++
			got := ask(shellWords(strings.TrimPrefix(p.Command, "deepnarrow ")))
			if got.Time.Step.Value != p.StepSeconds || got.Memory.Peak != p.PeakBytes ||
				(got.Memory.Fits == nil) != (p.Fits == nil) || p.Fits != nil && *got.Memory.Fits != *p.Fits {
				t.Errorf("%s\n%s: %s\ngives %g s in %g bytes, promised %g in %g", line, p.What, p.Command,
					got.Time.Step.Value, got.Memory.Peak, p.StepSeconds, p.PeakBytes)
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d commands were tried", tried)
	}
}
