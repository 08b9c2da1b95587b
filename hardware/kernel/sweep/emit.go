package sweep

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// Target is a scheduler that job arrays are written for.
type Target string

// The schedulers.
const (
	Slurm      Target = "slurm"
	Kubernetes Target = "kubernetes"
)

// Array describes a job array. Each of its tasks trains one entry of a grid and writes one record.
type Array struct {
	Name    string
	Command []string // what a task runs, without the choice of entry
	// EntryFlag chooses the entry: it is added to the command with the task's number, from 0,
	// behind it.
	EntryFlag string
	Entries   int
	Threads   int
	MemoryMiB int
	Limit     time.Duration // of one task; 0 for the scheduler's own
	// For Kubernetes:
	Image  string   // container image
	Volume string   // claim of the persistent volume that Paths are in
	Paths  []string // files and folders that the command names
}

// TargetError reports a target that cannot be written.
type TargetError struct{ Field, Value, Allowed string }

func (e *TargetError) Error() string {
	return fmt.Sprintf("%s is %s; allowed: %s", e.Field, e.Value, e.Allowed)
}

// Emit returns the text of a job array: a batch script for sbatch, or an indexed Job for kubectl
// apply. The error is a [*TargetError].
func Emit(target Target, a Array) (string, error) {
	switch {
	case a.Entries < 1:
		return "", &TargetError{"entries", fmt.Sprint(a.Entries), "at least 1"}
	case len(a.Command) == 0:
		return "", &TargetError{"command", "empty", "a program with its arguments"}
	case target == Slurm:
		return slurm(&a), nil
	case target == Kubernetes && a.Image == "":
		return "", &TargetError{"image", "empty", "a container image that holds the program"}
	case target == Kubernetes && a.Volume == "":
		return "", &TargetError{
			"volume", "empty", "the claim of a persistent volume for text and records",
		}
	case target == Kubernetes:
		folder, err := volumeFolder(a.Paths)
		if err != nil {
			return "", err
		}
		return kubernetes(&a, folder), nil
	default:
		return "", &TargetError{
			"target", fmt.Sprintf("%q", target), string(Slurm + ", " + Kubernetes),
		}
	}
}

func slurm(a *Array) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	fmt.Fprintf(&b, "#SBATCH --job-name=%s\n#SBATCH --array=0-%d\n", label(a.Name), a.Entries-1)
	fmt.Fprintf(&b, "#SBATCH --cpus-per-task=%d\n#SBATCH --mem=%dM\n", max(1, a.Threads),
		max(1, a.MemoryMiB))
	if a.Limit > 0 {
		minutes := int((a.Limit + time.Minute - 1) / time.Minute)
		fmt.Fprintf(&b, "#SBATCH --time=%d\n", minutes)
	}
	words := make([]string, len(a.Command))
	for i, word := range a.Command {
		words[i] = shellQuote(word)
	}
	fmt.Fprintf(&b, "exec %s %s \"$SLURM_ARRAY_TASK_ID\"\n", strings.Join(words, " "),
		shellQuote(a.EntryFlag))
	return b.String()
}

// kubernetes is an indexed Job (batch/v1). The task's number reaches the command through the
// variable that such Jobs set; $(NAME) is Kubernetes' own notation, so no shell is needed in the
// image. The volume stands at a folder of the container, in which the command runs.
func kubernetes(a *Array, folder string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: %s\nspec:\n",
		label(a.Name))
	fmt.Fprintf(&b, "  completionMode: Indexed\n  completions: %d\n  parallelism: %d\n", a.Entries,
		a.Entries)
	b.WriteString("  template:\n    spec:\n      restartPolicy: Never\n")
	if a.Limit > 0 {
		fmt.Fprintf(&b, "      activeDeadlineSeconds: %d\n", int(a.Limit.Seconds()))
	}
	fmt.Fprintf(&b,
		"      containers:\n        - name: run\n          image: %s\n          command:\n",
		yamlQuote(a.Image))
	for _, word := range a.Command {
		fmt.Fprintf(&b, "            - %s\n", yamlQuote(strings.ReplaceAll(word, "$(", "$$(")))
	}
	fmt.Fprintf(&b, "            - %s\n            - \"$(JOB_COMPLETION_INDEX)\"\n",
		yamlQuote(a.EntryFlag))
	fmt.Fprintf(&b, "          workingDir: %s\n", yamlQuote(folder))
	fmt.Fprintf(&b, "          volumeMounts:\n            - {name: study, mountPath: %s}\n",
		yamlQuote(folder))
	fmt.Fprintf(&b, "          resources:\n            requests: {cpu: %d, memory: %dMi}\n",
		max(1, a.Threads), max(1, a.MemoryMiB))
	fmt.Fprintf(&b, "      volumes:\n        - name: study\n"+
		"          persistentVolumeClaim: {claimName: %s}\n", yamlQuote(a.Volume))
	return b.String()
}

// volumeFolder returns the folder at which a volume holds all paths: /study for relative ones, else
// the one that all share.
func volumeFolder(paths []string) (string, error) {
	const usual = "/study"
	absolute, shared := 0, ""
	for i, p := range paths {
		p = path.Clean(p)
		if !path.IsAbs(p) {
			if p == ".." || strings.HasPrefix(p, "../") {
				return "", &TargetError{"path", strconv.Quote(p), "one inside the volume"}
			}
			continue
		}
		if absolute++; i == 0 {
			shared = path.Dir(p)
		}
		for shared != "/" && !strings.HasPrefix(p, shared+"/") {
			shared = path.Dir(shared)
		}
	}
	switch {
	case absolute == 0:
		return usual, nil
	case absolute < len(paths) || shared == "/":
		return "", &TargetError{
			"paths", strings.Join(paths, " and "),
			"all relative, or all in one folder, where the volume is mounted",
		}
	}
	return shared, nil
}

// maxLabel is the longest name that Kubernetes gives to an object whose pods append theirs.
const maxLabel = 52

// label keeps of a name what both schedulers accept: small letters, digits and inner hyphens.
func label(name string) string {
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	kept = strings.Trim(kept[:min(len(kept), maxLabel)], "-")
	if kept == "" {
		return "sweep"
	}
	return kept
}

func shellQuote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// yamlQuote writes a double-quoted scalar.
func yamlQuote(word string) string { return fmt.Sprintf("%q", word) }
