package records

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// readFile reads one file.
func readFile(name string, r io.Reader) (*Table, error) {
	return ReadAll([]Input{{
		Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(r), nil },
	}}, Options{})
}

func readFolder(name string, folder fs.FS) (*Table, error) {
	return ReadAll([]Input{{Name: name, Folder: folder}}, Options{})
}

func mustRead(t *testing.T, name, text string) *Table {
	t.Helper()
	table, err := readFile(name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// readAll reads files, or folders whose names end in a slash, in the order of their names.
func readAll(t *testing.T, key string, files map[string]string) *Table {
	t.Helper()
	table, err := ReadAll(inputs(files), Options{RunKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func inputs(files map[string]string) (out []Input) {
	folders := map[string]fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		if folder, at, ok := strings.Cut(name, "//"); ok { // a folder that is named whole
			if folders[folder] == nil {
				folders[folder] = fstest.MapFS{}
				out = append(out, Input{Name: folder, Folder: folders[folder]})
			}
			folders[folder][at] = &fstest.MapFile{Data: []byte(text)}
			continue
		}
		out = append(out, Input{Name: name, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}})
	}
	return out
}

// dump writes a table as lines of cells.
func dump(t *testing.T, table *Table) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(strings.Join(table.Names(), "|") + "\n")
	for row := range table.Len() {
		var cells []string
		if len(table.Names()) > len(table.columns) {
			cells = append(cells, table.Runs()[row])
		}
		for _, c := range table.columns {
			cells = append(cells, c.cells.at(row))
		}
		b.WriteString(strings.Join(cells, "|") + "\n")
	}
	return b.String()
}

func utf16Text(text string, bom bool) string {
	units := utf16.Encode([]rune(text))
	if bom {
		units = append([]uint16{0xFEFF}, units...)
	}
	var b strings.Builder
	for _, u := range units {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// Every way to write one table gives that table.
func TestFormats(t *testing.T) {
	const want = "params|loss\n60M|3.1\n220M|2.9\n"
	csv := "params,loss\n60M,3.1\n220M,2.9\n"
	for _, c := range []struct{ about, name, text string }{
		{"csv", "r.csv", csv},
		{
			"csv with carriage returns and no last line end", "r.csv",
			"params,loss\r\n60M,3.1\r\n220M,2.9",
		},
		{"quoted cells and blanks", "r.csv", "params, loss\n\"60M\", 3.1 \n 220M,2.9\n"},
		{"byte order mark", "r.csv", "\uFEFF" + csv},
		{"utf-16 with mark", "r.csv", utf16Text(csv, true)},
		{"utf-16 without mark", "r.csv", utf16Text(csv, false)},
		{"semicolons", "r.csv", strings.ReplaceAll(csv, ",", ";")},
		{"tsv", "r.tsv", strings.ReplaceAll(csv, ",", "\t")},
		{"tabs in a file of no name", "-", strings.ReplaceAll(csv, ",", "\t")},
	} {
		if diff := cmp.Diff(want, dump(t, mustRead(t, c.name, c.text))); diff != "" {
			t.Errorf("%s: %s", c.about, diff)
		}
	}
	const sorted = "loss|params\n3.1|60M\n2.9|220M\n" // the keys of an object have no order
	for _, c := range []struct{ name, text string }{
		{"r.jsonl", "{\"params\":\"60M\",\"loss\":3.1}\n\n{\"loss\":2.9,\"params\":\"220M\"}\n"},
		{"r.json", "[{\"params\":\"60M\",\"loss\":3.1},{\"loss\":2.9,\"params\":\"220M\"}]"},
		{
			"-",
			"{\"params\":\"60M\",\"loss\":3.1,\"x\":null,\"l\":[1]}\n{\"loss\":2.9,\"params\":\"220M\"}",
		},
	} {
		if diff := cmp.Diff(sorted, dump(t, mustRead(t, c.name, c.text))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestNestedJSON(t *testing.T) {
	got := dump(t, mustRead(t, "r.jsonl", `{"model":{"d_model":512,"tied":true},"loss":1.25e0}`))
	if want := "loss|model.d_model|model.tied\n1.25e0|512|true\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEverNewFieldsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxColumns + 10 {
		fmt.Fprintf(&b, ",\"f%d\":1", i)
	}
	table := mustRead(t, "r.jsonl", "{"+b.String()[1:]+"}\n")
	if len(table.columns) != maxColumns || len(table.Warnings) != 1 {
		t.Errorf("%d columns, warnings %v", len(table.columns), table.Warnings)
	}
}

func TestBadLinesAreListed(t *testing.T) {
	table := mustRead(t, "r.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")
	if table.Len() != 2 || len(table.Lost) != 2 {
		t.Fatalf("%d rows, drops %v; want 2 and 2", table.Len(), table.Lost)
	}
	if d := table.Lost[0]; d.String() != "r.csv:3" || d.Reason != "1 cells where the heading has 2" {
		t.Errorf("got %v %q", d, d.Reason)
	}
	table = mustRead(t, "r.jsonl", "{\"a\":1}\n{\"a\":\n")
	if table.Len() != 1 || len(table.Lost) != 1 || table.Lost[0].Line != 2 {
		t.Errorf("rows %d, drops %v", table.Len(), table.Lost)
	}
}

func TestUnreadable(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"r.csv", "", "r.csv: the file is empty"},
		{"runs.parquet", "PAR1", "a damaged Parquet file"},
		{"runs.db", "SQLite format 3\x00", "runs.db: "},
		{"r.jsonl", "{\n", "r.jsonl:1: not a JSON object"},
		{"r.json", "[{},\n{]", "r.json:2: "},
		{"trainer_state.json", `{"log_history": []}`, "no entries with a step"},
		{"events.out.tfevents.1", "no events at all", "checksum of a record's length"},
	} {
		_, err := readFile(c.name, strings.NewReader(c.text))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTrainerState(t *testing.T) {
	table := mustRead(t, "out/run-7/trainer_state.json", `{"epoch": 1.0, "log_history": [
		{"epoch": 0.5, "loss": 2.5, "step": 500},
		{"epoch": 1.0, "loss": 2.25, "step": 1000},
		{"epoch": 1.0, "eval_loss": 2.125, "step": 1000},
		{"train_runtime": 9}]}`)
	want := "run|epoch|loss|step|eval_loss\nrun-7|0.5|2.5|500|\nrun-7|1.0|2.25|1000|2.125\n"
	if diff := cmp.Diff(want, dump(t, table)); diff != "" {
		t.Error(diff)
	}
	if len(table.Lost) != 1 || table.Lost[0].Line != 4 {
		t.Errorf("drops %v, want entry 4", table.Lost)
	}
}

func TestEvents(t *testing.T) {
	file := eventBytes(
		scalarEvent(10, "loss", 2.5, false), scalarEvent(10, "eval/loss", 2.75, true),
		scalarEvent(20, "loss", 2, false), scalarEvent(20, "loss", 1.5, false),
	)
	name := "logs/run-a/events.out.tfevents.1"
	want := "run|step|eval/loss|loss\nrun-a|10|2.75|2.5\nrun-a|20||1.5\n"
	table := mustRead(t, name, string(file))
	if diff := cmp.Diff(want, dump(t, table)); diff != "" {
		t.Error(diff)
	}
	table = mustRead(t, name, string(file[:len(file)-3]))
	if len(table.Warnings) != 1 || !strings.Contains(table.Warnings[0], "ends inside record 5") {
		t.Errorf("warnings of a truncated file: %v", table.Warnings)
	}
	if diff := cmp.Diff(strings.Replace(want, "1.5", "2", 1), dump(t, table)); diff != "" {
		t.Errorf("truncated: %s", diff)
	}
	damaged := slices.Clone(file)
	damaged[len(damaged)-6] ^= 1 // the value of the last event
	table = mustRead(t, name, string(damaged))
	if len(table.Lost) != 1 || !strings.Contains(table.Lost[0].Reason, "checksum") {
		t.Errorf("drops of a damaged file: %v", table.Lost)
	}
}

// Every event file starts with a version record of 24 bytes: its length and the checksum of that
// are the bytes by which such files are known.
func TestEventsKnownBytes(t *testing.T) {
	file := eventBytes()
	if got, want := string(file[:12]), "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\""; got != want {
		t.Errorf("the file starts %q, want %q", got, want)
	}
}

func TestMLflow(t *testing.T) {
	run := "0/abc123/"
	folder := fstest.MapFS{
		"0/meta.yaml":          {Data: []byte("name: Default\n")},
		run + "meta.yaml":      {Data: []byte("run_id: abc123\nrun_name: small-run\n")},
		run + "params/d_model": {Data: []byte("512")},
		run + "metrics/loss": {Data: []byte(
			"1700000000000 2.5 100\n1700000000001 2.25 200\n1700 oops\n1 2 x\n")},
		run + "metrics/eval/f1": {Data: []byte("1700000000001 0.5 200\n")},
		".trash/x/metrics/loss": {Data: []byte("1 1 1\n")},
	}
	table, err := readFolder("mlruns", folder)
	if err != nil {
		t.Fatal(err)
	}
	want := "run|run_id|experiment|d_model|step|loss|eval/f1\nsmall-run|abc123|Default|512|0|oops|\nsmall-run|abc123|Default|512|100|2.5|\nsmall-run|abc123|Default|512|200|2.25|0.5\n"
	if diff := cmp.Diff(want, dump(t, table)); diff != "" {
		t.Error(diff)
	}
	if len(table.Lost) != 1 || table.Lost[0].String() != "mlruns/0/abc123/metrics/loss:4" {
		t.Errorf("drops %v", table.Lost)
	}
	if _, err := readFolder("empty", fstest.MapFS{}); err == nil {
		t.Error("an empty folder was accepted")
	}
}

func TestEventFolder(t *testing.T) {
	folder := fstest.MapFS{
		"run-a/events.out.tfevents.1": {Data: eventBytes(scalarEvent(1, "loss", 2.5, false))},
		"run-b/events.out.tfevents.2": {Data: eventBytes(scalarEvent(1, "loss", 2.25, true))},
		"notes.txt":                   {Data: []byte("nothing")},
	}
	table, err := readFolder("logs", folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("run|step|loss\nrun-a|1|2.5\nrun-b|1|2.25\n", dump(t, table)); diff != "" {
		t.Error(diff)
	}
}

func TestWandb(t *testing.T) {
	table := mustRead(t, "wandb.csv", `"Step","fast-1 - loss","fast-1 - loss__MIN","fast-1 - loss__MAX","slow - 2 - loss","slow - 2 - loss__MIN","slow - 2 - loss__MAX"
"1","3.5","3.5","3.5","","",""
"2","3.25","3.25","3.25","3.75","3.75","3.75"
`)
	want := "run|step|loss\nfast-1|1|3.5\nfast-1|2|3.25\nslow - 2|2|3.75\n"
	if diff := cmp.Diff(want, dump(t, table)); diff != "" {
		t.Error(diff)
	}
}

func TestJoin(t *testing.T) {
	all := readAll(t, "", map[string]string{"a.csv": "x,loss\n1,2\n", "b.csv": "loss,tokens\n3,4\n"})
	if diff := cmp.Diff("x|loss|tokens\n1|2|\n|3|4\n", dump(t, all)); diff != "" {
		t.Error(diff)
	}
	if all.Origin(1).String() != "b.csv:2" {
		t.Errorf("origin %v", all.Origin(1))
	}
}

func TestEpochFile(t *testing.T) {
	dir := os.Getenv("DEEPNARROW_REFERENCE_DATA")
	if dir == "" {
		t.Skip("DEEPNARROW_REFERENCE_DATA is unset: no reference data")
	}
	f, err := os.Open(dir + "/fitting/epoch_chinchilla_svg_extracted_data.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := readFile("epoch.csv", f)
	if err != nil {
		t.Fatal(err)
	}
	for ours, theirs := range map[string]string{"params": "Model Size", "flops": "Training FLOP"} {
		if err := table.Map(ours, theirs); err != nil {
			t.Fatal(err)
		}
	}
	tokens, err := table.Numbers("tokens")
	if err != nil {
		t.Fatal(err)
	}
	// First row of the file: flops/(6·params).
	if want := 9.993852799709755e+18 / (6 * 6795600349.289497); tokens.Values[0] != want {
		t.Errorf("tokens %v, want %v", tokens.Values[0], want)
	}
	s := table.All()
	// data notes: 240 rows stay
	if err := s.DropHighest(table, "loss", 5); err != nil || len(s.Rows) != 240 {
		t.Errorf("%d rows, %v", len(s.Rows), err)
	}
	w, err := ParseWhere("flops<1e21")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Where(table, w); err != nil || len(s.Rows) != 217 { // data notes: 217 of them
		t.Errorf("%d rows, %v", len(s.Rows), err)
	}
	if math.IsNaN(tokens.Values[244]) {
		t.Error("the last row has no tokens")
	}
}
