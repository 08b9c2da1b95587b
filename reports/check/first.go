package check

import (
	"fmt"
	"strings"
)

// FirstGlobs are what a first rules file lists where it matches model configurations alone.
func FirstGlobs() []string {
	return []string{"**/config.json", "**/*.gin", "**/model_config.yaml", "**/*.safetensors"}
}

// FirstRules returns a commented rules file to start from, which lists globs.
func FirstRules(globs []string) string {
	var files strings.Builder
	files.WriteString("files:\n")
	for _, g := range globs {
		fmt.Fprintf(&files, "- %q\n", g)
	}
	if len(globs) == 0 {
		files.Reset()
		files.WriteString("files: [] # none was found here; such as [\"configs/**/*.json\"]\n")
	}
	return strings.Replace(firstRules, "FILES\n", files.String(), 1)
}

// firstRules is the rules file of --init.
const firstRules = `# What deepnarrow check demands of the model configurations of this repository.
# docs/check.md of deepnarrow describes every line.

# The built-in rules stay; without this line the rules below replace them.
extends: builtin

# What is checked when no files are named: ** stands for any folders.
FILES

# On what the models would run: the flags of deepnarrow plan. Times, money and
# "fits in memory" need a machine.
# plan:
#   hardware: a100          # deepnarrow list hardware
#   devices: 8
#   tokens: 34.4B

# Limits: params, non-embedding-params, step-flops, flops, memory, step-time,
# total-time, device-hours, cost, energy, co2, decode-latency.
# rules:
# - id: small-enough
#   metric: params
#   max: 300M
# - id: affordable
#   metric: cost
#   max: $500
#   severity: warning        # told, and the exit code stays 0
# - id: no-silent-growth
#   metric: params
#   max_increase: 10%        # against the baseline below

# deepnarrow check --update-baseline writes it; commit it.
# baseline: .deepnarrow-baseline.json

# waivers:
# - rule: small-enough
#   files: configs/xl.json
#   reason: the last model of the old fleet
#   expires: 2030-12-31      # the last day it holds
`
