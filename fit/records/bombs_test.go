package records

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestSmallFilesStaySmall: files of a megabyte that would ask for gigabytes, or hours.
func TestSmallFilesStaySmall(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 64 million cells, which takes minutes under the race detector")
	}
	const many = 8000
	var tags, restarts [][]byte
	start := tagged(7, 2, tagged(1, 0, []byte{1})) // a SessionLog that says START
	for i := range int64(many) {
		tags = append(tags, scalarEvent(i, fmt.Sprint("tag", i), 1, false))
		restarts = append(restarts, bytes.Join([][]byte{tagged(1, 1, make([]byte, 8)), {2 << 3, 1}, start}, nil))
	}
	metrics := `DROP TABLE metrics; CREATE TABLE metrics (key VARCHAR AS (printf('%*d', 900000000, 1)), value FLOAT, timestamp BIGINT, run_uuid VARCHAR, step BIGINT, is_nan BOOLEAN)`
	for name, file := range map[string]struct{ text, problem string }{
		"events.out.tfevents.1": {string(eventBytes(append(tags, restarts...)...)), "restarts; allowed"},
		"mlflow.db": {mlflowStore(t, metrics, `INSERT INTO runs VALUES ('a', 'a', '', 1, 'active', 0)`,
			`INSERT INTO metrics (value, timestamp, run_uuid, step, is_nan) VALUES (1, 1, 'a', 1, 0)`), "column key of metrics is generated"},
	} {
		_, err := ReadAll(inputs(map[string]string{name: file.text}), Options{})
		if err == nil || !strings.Contains(err.Error(), file.problem) {
			t.Errorf("%s: error %v, want %q", name, err, file.problem)
		}
	}
	table := readAll(t, "", map[string]string{"events.out.tfevents.1": string(eventBytes(tags...))})
	if table.Len() != many {
		t.Errorf("%d rows, want %d", table.Len(), many)
	}
}

// TestParquetExpandsOnlySoFar: a value that repeats takes next to nothing in a file.
func TestParquetExpandsOnlySoFar(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 17 million rows")
	}
	type row struct {
		Run  string  `parquet:"run,dict"`
		Loss float64 `parquet:"loss,dict"`
	}
	for name, c := range map[string]struct {
		text    string
		rows    int
		problem string
	}{
		"rows":  {"a", 17 << 20, "too large a Parquet file: 17825792 rows; allowed: at most 16777216"},
		"texts": {strings.Repeat("a", 60_000), 20_000, "too large a Parquet file: column run: values that expand to more than 512 MiB"},
	} {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[row](&b, parquet.Compression(&parquet.Zstd))
		some := slices.Repeat([]row{{c.text, 2.5}}, min(c.rows, 1<<16))
		for left := c.rows; left > 0; left -= len(some) {
			if _, err := w.Write(some[:min(left, len(some))]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := readFile("r.parquet", &b); err == nil || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s in %d bytes: error %v, want %q", name, b.Len(), err, c.problem)
		}
	}
}

// TestGzipExpandsOnlySoFar: rows and cells count as they lie in a table.
func TestGzipExpandsOnlySoFar(t *testing.T) {
	if testing.Short() {
		t.Skip("reads six million rows")
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	line := []byte("a,1e8,1e9,2.5\n") // 14 bytes, three cells and a row: 42 of a table
	fmt.Fprintln(z, "run,params,tokens,loss")
	for range 256<<20/42/1000 + 1 {
		if _, err := z.Write(bytes.Repeat(line, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "it expands to a table of more than 256 MiB; allowed: at most that, or the file without its compression"
	if _, err := readFile("r.csv.gz", &b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
