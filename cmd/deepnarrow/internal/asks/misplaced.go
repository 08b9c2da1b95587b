package asks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
)

// kind is what a file is, and who reads such files: commands, of the most use first, with the flag that
// names the file there.
type kind struct {
	what    string
	readers []string
	unsaid  []string // read such files too, of a special content
}

func (k kind) read(place string) bool {
	return slices.Contains(k.readers, place) || slices.Contains(k.unsaid, place)
}

var (
	configuration = kind{"a model configuration", []string{
		"count", "plan", "check", "recommend --like", "export", "diff", "train",
	}, nil}
	checkpoint = kind{"a checkpoint", configuration.readers, nil}
	table      = kind{"a table", []string{
		"fit", "isoflop", "envelope", "allocate", "transfer", "recommend --records", "track --run",
		"validate --recommend",
	}, []string{"validate --from", "calibrate --from", "plan --prices"}}
	ruleFile = kind{"a file of rules", []string{"check --rules"}, nil}
	runFile  = kind{"a run in phases", []string{"plan"}, nil}
	profile  = kind{"a hardware profile", []string{
		"plan --hardware", "recommend --hardware", "check --hardware", "diff --hardware",
		"protocol --hardware",
	}, []string{
		"plan --cluster", "recommend --cluster", "check --cluster", "diff --cluster", "allocate --cluster",
		"protocol --cluster", "calibrate --hardware", "calibrate --check", "validate --hardware", "track --hardware",
	}}
	webPage = kind{"a page", nil, nil}
)

// resultOf is the kind of a command's result; laws, plans and counts are read by more than report.
func resultOf(command string) kind {
	if command == "baseline" {
		return kind{"the baseline of deepnarrow check, which a line baseline: of the rules names", nil, nil}
	}
	k := kind{"the result of deepnarrow " + command, []string{"report"}, nil}
	switch command {
	case "fit":
		k.readers = []string{"allocate --fit", "plan --fit", "recommend --fit", "report"}
	case "plan":
		k.readers = []string{"report", "track", "diff"}
	case "count", "recommend":
		k.readers = []string{"report", "diff"}
	}
	return k
}

var (
	schema  = regexp.MustCompile(`^\s*\{\s*"schema":\s*"deepnarrow/(\w+)/v`)
	yamlKey = regexp.MustCompile(`(?m)^["']?(\w+)["']?:`)
	// of YAML, by the keys that only such files have, in this order
	byKey = []struct {
		kind kind
		keys []string
	}{
		{ruleFile, []string{"rules", "waivers", "baseline", "files"}},
		{runFile, []string{"phases"}},
		{profile, []string{"calibration", "peaks", "memory", "bandwidth", "device_unit", "intra_link", "price"}},
		{configuration, []string{"d_model", "encoder", "decoder"}},
	}
	// of a Hugging Face configuration, any of these
	modelKeys = []string{"model_type", "architectures", "d_model", "hidden_size", "n_embd"}
)

// kindOf tells what a file is from its first bytes; ok is false where they do not say.
func kindOf(name string, head []byte) (k kind, ok bool) {
	const least = 9 // of safetensors: the length of a header, and its beginning
	text := bytes.TrimSpace(head)
	found := schema.FindSubmatch(head)
	switch {
	case found != nil:
		return resultOf(string(found[1])), true
	case len(head) > least && head[least-1] == '{' && bytes.IndexByte(head[:least-1], 0) >= 0:
		return checkpoint, true
	case bytes.HasPrefix(bytes.ToLower(text), []byte("<!doctype html")):
		return webPage, true
	case bytes.HasPrefix(text, []byte("{")):
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) != nil {
			lines := bytes.SplitN(text, []byte("\n"), 3)
			return table, len(lines) > 1 && json.Valid(lines[0])
		}
		return configuration, slices.ContainsFunc(modelKeys, func(key string) bool { return object[key] != nil })
	case yamlfile.Called(name):
		var keys []string
		for _, key := range yamlKey.FindAllSubmatch(head, -1) {
			keys = append(keys, string(key[1]))
		}
		for _, by := range byKey {
			if slices.ContainsFunc(by.keys, func(key string) bool { return slices.Contains(keys, key) }) {
				return by.kind, true
			}
		}
		return kind{}, false
	case strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".tsv"):
		return table, true
	}
	return kind{}, false
}

// Misplaced says of a command that failed which of its files is one that it does not read there, and who
// does; any other error stays as it is, and what check says of the files that it judges.
func (f *Files) Misplaced(c *cobra.Command, args []string, err error) error {
	if err == nil {
		return nil
	}
	try := func(place, name string) {
		k, known := f.kind(name)
		if !known || k.read(place) {
			return
		}
		say := fmt.Errorf("%s: is %s, which %s does not read", name, k.what, place)
		err = frame.Instead(err, say, readersHint(k.readers, c.Name(), name), place == "check")
	}
	if takesFiles(c.Name()) {
		for _, name := range args {
			try(c.Name(), name)
		}
	}
	c.Flags().Visit(func(flag *pflag.Flag) {
		place := c.Name() + " --" + flag.Name
		if !takesFiles(place) {
			return
		}
		values := []string{flag.Value.String()}
		if v, ok := flag.Value.(pflag.SliceValue); ok {
			values = v.GetSlice()
		}
		for _, value := range values {
			name, _, _ := strings.Cut(value, ",") // --hardware FILE,price=2
			try(place, counted.ReplaceAllString(name, ""))
		}
	})
	return err
}

// counted is the count of a cluster's devices before its profile.
var counted = regexp.MustCompile(`^\d+x`)

// takesFiles says whether a place of a command line is one where files are read.
func takesFiles(place string) bool {
	if place == "report" || place == "track" || strings.HasSuffix(place, " --fit") {
		return true
	}
	for _, k := range []kind{configuration, table, ruleFile, profile} {
		if k.read(place) {
			return true
		}
	}
	return false
}

// readersHint says who reads a file: the command itself by another flag, or others.
func readersHint(readers []string, command, name string) string {
	if len(readers) == 0 {
		return ""
	}
	first := 0
	for i, r := range readers {
		if strings.HasPrefix(r, command+" ") {
			first = i
		}
	}
	const most = 3
	hint := "deepnarrow " + readers[first] + " " + name + " reads it"
	others := slices.Delete(slices.Clone(readers), first, first+1)
	if others = others[:min(most, len(others))]; len(others) > 0 {
		hint += ", as " + quantity.Listed(others) + " would"
	}
	return hint
}

// kind tells what a file of a command line is. Pipes have been read already.
func (f *Files) kind(name string) (k kind, ok bool) {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return k, false
	}
	file, err := f.Opens(name)
	if err != nil {
		return k, false
	}
	defer file.Close()
	const most = 1 << 20 // more than configurations have
	head, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return k, false
	}
	return kindOf(name, head)
}
