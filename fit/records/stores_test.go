package records

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// plainRow and packedRow are the same columns in the encodings that Parquet has for them.
type plainRow struct {
	Run    string   `parquet:"run"`
	Step   int64    `parquet:"step"`
	Params uint64   `parquet:"params"`
	Loss   *float64 `parquet:"loss,optional"`
	Small  float32  `parquet:"small"`
	Layers int32    `parquet:"layers"`
	Tied   bool     `parquet:"tied"`
	Model  struct {
		Width int32 `parquet:"d_model"`
	} `parquet:"model"`
	Tags []string `parquet:"tags,list"`
}

type packedRow struct {
	Run    string   `parquet:"run,delta"`
	Step   int64    `parquet:"step,delta"`
	Params uint64   `parquet:"params,dict"`
	Loss   *float64 `parquet:"loss,optional,split"`
	Small  float32  `parquet:"small,split"`
	Layers int32    `parquet:"layers,delta"`
	Tied   bool     `parquet:"tied"`
	Model  struct {
		Width int32 `parquet:"d_model,dict"`
	} `parquet:"model"`
	Tags []string `parquet:"tags,list"`
}

const parquetRows = 3000

func parquetRow(i int) (r plainRow, csv string) {
	r = plainRow{
		Run: fmt.Sprintf("run-%d", i%7), Step: int64(i) * 1_000_003, Params: uint64(i%5) * 1e7,
		Small: float32(i) / 3, Layers: int32(i%40 - 3), Tied: i%3 == 0, Tags: []string{"a", "b"},
	}
	r.Model.Width = int32(64 * (i % 9))
	loss := ""
	if i%11 != 0 {
		v := 2 + 1/math.Sqrt(float64(i))
		if i == 5 {
			v = math.NaN()
		}
		r.Loss = &v
		loss = fmt.Sprint(v)
	}
	return r, fmt.Sprintf("%s|%s|%d|%d|%d|%d|%t|%v", loss, r.Run, r.Step, r.Params, r.Layers, r.Model.Width, r.Tied, r.Small)
}

func writeParquet[T plainRow | packedRow](t testing.TB, rows int, options ...parquet.WriterOption) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	for i := range rows {
		row, _ := parquetRow(i)
		if _, err := w.Write([]T{T(row)}); err != nil {
			t.Fatal(err)
		}
		if i == rows/2 {
			if err := w.Flush(); err != nil { // a second row group
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What another implementation writes reads as the same cells, in every encoding and compression.
func TestParquet(t *testing.T) {
	files := map[string]string{
		"plain":  writeParquet[plainRow](t, parquetRows),
		"packed": writeParquet[packedRow](t, parquetRows),
		"v1":     writeParquet[packedRow](t, parquetRows, parquet.DataPageVersion(1), parquet.PageBufferSize(2000)),
		"v2":     writeParquet[plainRow](t, parquetRows, parquet.DataPageVersion(2), parquet.PageBufferSize(500)),
	}
	for name, codec := range map[string]compress.Codec{
		"snappy": &parquet.Snappy, "gzip": &parquet.Gzip, "zstd": &parquet.Zstd,
		"brotli": &parquet.Brotli, "lz4": &parquet.Lz4Raw,
	} {
		files[name] = writeParquet[packedRow](t, parquetRows, parquet.Compression(codec))
	}
	for name, text := range files {
		table := mustRead(t, name+".parquet", text)
		if table.Len() != parquetRows || !told(table, "tags") {
			t.Fatalf("%s: %d rows, warnings %v", name, table.Len(), table.Warnings)
		}
		for i := range parquetRows {
			_, want := parquetRow(i)
			var cells []string
			for _, c := range []string{"loss", "run", "step", "params", "layers", "model.d_model", "tied", "small"} {
				column, err := table.find(c)
				if err != nil {
					t.Fatal(err)
				}
				cells = append(cells, column.cells.at(i))
			}
			if diff := cmp.Diff(want, strings.Join(cells, "|")); diff != "" {
				t.Fatalf("%s, row %d: %s", name, i, diff)
			}
		}
	}
}

// A compressed file reads as what it holds.
func TestGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("params,loss\n60M,3.1\n"))
	_ = z.Close()
	if table := mustRead(t, "r.csv.gz", b.String()); numbers(t, table, "params")[0] != 60e6 {
		t.Error("a compressed table is not read")
	}
	if _, err := readFile("r.csv.gz", strings.NewReader(b.String()[:b.Len()-12])); err == nil {
		t.Error("a torn compressed file is read")
	}
}

// mlflowStore writes a store with the tables of mlflow/store/tracking/dbmodels/models.py that are
// read.
func mlflowStore(t testing.TB, statements ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mlflow.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{
		`PRAGMA synchronous = OFF`,
		`CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32))`,
		`CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER)`,
		`CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT DEFAULT 0, is_nan BOOLEAN DEFAULT 0)`,
		`CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))`,
		`CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))`,
	}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMLflowStore(t *testing.T) {
	store := mlflowStore(t,
		`INSERT INTO experiments VALUES (0, 'sweep', '', 'active'), (1, 'old', '', 'deleted')`,
		`INSERT INTO runs VALUES ('aaa', 't5', 'FINISHED', 1, 'active', 0), ('bbb', 't5', 'FINISHED', 2, 'active', 0),
			('ccc', 'bad', 'FAILED', 3, 'deleted', 0), ('ddd', 'bad', 'FINISHED', 4, 'active', 1)`,
		`INSERT INTO metrics VALUES ('loss', 3, 1, 'aaa', 100, 0), ('loss', 2.5, 2, 'aaa', 200, 0), ('loss', 0, 3, 'aaa', 300, 1),
			('loss', 4, 1, 'bbb', 100, 0), ('lr', 1.7976931348623157e308, 1, 'bbb', 100, 0), ('loss', 9, 1, 'ccc', 100, 0), ('loss', 9, 1, 'ddd', 100, 0)`,
		`INSERT INTO params VALUES ('params', '60000000', 'aaa'), ('step', 'big', 'bbb')`)
	for name, files := range map[string]map[string]string{
		"by name": {"mlflow.db": store}, "in a folder": {"w//mlflow.db": store, "w//mlruns/0/aaa/artifacts/x": "y"},
	} {
		table := readAll(t, "", files)
		want := "run|run_id|experiment|params|step|loss|params.step|lr\n" +
			"t5 (aaa)|aaa|sweep|60000000|100|3||\nt5 (aaa)|aaa|sweep|60000000|200|2.5||\nt5 (aaa)|aaa|sweep|60000000|300|NaN||\n" +
			"t5 (bbb)|bbb|sweep||100|4|big|Infinity\n"
		if diff := cmp.Diff(want, dump(t, table)); diff != "" || len(table.Lost) != 2 {
			t.Errorf("%s: %s lost %v", name, diff, table.Lost)
		}
	}
	// A view instead of a table could run without an end.
	_, err := readFile("other.db", strings.NewReader(mlflowStore(t, `DROP TABLE metrics`,
		`CREATE VIEW metrics AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS key FROM n`)))
	if err == nil || !strings.Contains(err.Error(), "no table metrics") {
		t.Errorf("a view: %v", err)
	}
}
