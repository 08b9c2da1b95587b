package config

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// TestTableParses parses every entry of the built-in table.
func TestTableParses(t *testing.T) {
	for _, n := range builtin().order {
		if _, err := builtin().find(n); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
}

// TestRealConfigurations reads the configurations of a private set and compares with its counts:
// every one is exact or refused, or warns of what it leaves out.
func TestRealConfigurations(t *testing.T) {
	folder := os.Getenv("DEEPNARROW_REFERENCE_DATA")
	if folder == "" {
		t.Skip("DEEPNARROW_REFERENCE_DATA is not set")
	}
	folder = filepath.Join(folder, "configs")
	f, err := os.Open(filepath.Join(folder, "expected.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, n := range rows[0] {
		column[n] = i
	}
	counted, exact := 0, 0
	for _, row := range rows[1:] {
		id, file := row[column["id"]], row[column["file"]]
		want, err := strconv.ParseInt(row[column["expected_params"]], 10, 64)
		known := err == nil
		if file == "" || file[0] == '(' {
			continue
		}
		if known {
			counted++
		}
		path := filepath.Join(folder, "files", file)
		o := Options{}
		if filepath.Ext(file) == ".gin" {
			o.Vocab = 32128
			if strings.Contains(id, "byt5") {
				o.Vocab = 384 // the bytes, padded; the file names no vocabulary
			}
		}
		content, err := os.Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := Read(file, content, o)
		content.Close()
		if err != nil {
			t.Logf("%s refused (want %d): %.300v", id, want, err)
			continue
		}
		if r.Shape.DModel == 0 {
			continue
		}
		p := flops.CountParameters(&r.Shape)
		active, err := strconv.ParseInt(row[column["expected_active"]], 10, 64)
		switch {
		case !known:
			t.Logf("%s: %d, not known; %v %v", id, p.Total, r.Warnings, r.Unknown)
		case p.Total != want && len(r.Warnings) == 0:
			t.Errorf("%s: %d, want %d (%d)", id, p.Total, want, p.Total-want)
		case p.Total != want:
			t.Logf("CLOSE %s: %d, want %d (%d): %v", id, p.Total, want, p.Total-want, r.Warnings)
		case err == nil && p.Active != active:
			t.Errorf("%s: %d active, want %d (%d)", id, p.Active, active, p.Active-active)
		default:
			exact++
			if len(r.Warnings) > 0 || len(r.Unknown) > 0 {
				t.Logf("warn %s: %v %v", id, r.Warnings, r.Unknown)
			}
		}
	}
	t.Logf("%d of %d exact", exact, counted)
}

// TestHarmlessFieldsCountNothing: a field that any architecture counts with is on no list of
// harmless ones that could hide it from another.
func TestHarmlessFieldsCountNothing(t *testing.T) {
	for _, n := range builtin().order {
		a, err := builtin().find(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range a.fields {
			for _, name := range d.names {
				// max_length is of generation in every class but one, which says so
				own := n == "audio-spectrogram-transformer" && name == "max_length"
				if d.always == nil && harmless().ignore[name] && !own {
					t.Errorf("%s counts with %s, which is harmless for all", n, name)
				}
			}
		}
	}
}

// TestFieldsAddedToConfigurations adds a harmless field to every configuration of the zoo, which
// changes nothing and is not mentioned, and a field that nobody knows, which is; and changes every
// size it states, which changes the count or is refused.
func TestFieldsAddedToConfigurations(t *testing.T) {
	for _, text := range append(zooTexts(), families25...) {
		base, err := Read("-", strings.NewReader(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		read := func(extra string) *Result {
			r, err := Read("-", strings.NewReader("{"+extra+", "+text[1:]), Options{})
			if err != nil {
				t.Fatalf("%.60s with %s: %v", text, extra, err)
			}
			return r
		}
		r := read(`"use_cache": true, "torch_dtype": "bfloat16", "dropout_rate": 0.25`)
		if !r.Shape.SameArchitecture(base.Shape) || len(r.Unknown) != len(base.Unknown) {
			t.Errorf("%.60s: harmless fields change %+v", text, r.Unknown)
		}
		if r = read(`"num_wings": 2`); len(r.Unknown) != len(base.Unknown)+1 {
			t.Errorf("%.60s: an unknown field is not listed", text)
		}
		for _, m := range sizeField.FindAllStringSubmatchIndex(text, -1) {
			name, value := text[m[2]:m[3]], text[m[4]:m[5]]
			changed := text[:m[4]] + "3" + value + text[m[5]:]
			r, err := Read("-", strings.NewReader(changed), Options{})
			turning := name == "max_position_embeddings" && !base.Shape.Encoder.Position.Table()
			if err == nil && r.Shape.SameArchitecture(base.Shape) && !turning {
				t.Errorf("%.60s: %s counts nothing", text, name)
			}
		}
	}
}

var sizeField = regexp.MustCompile(`"(\w+)": ?(\d+)[,}]`)
