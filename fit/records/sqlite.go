//go:build !js

package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
	"modernc.org/sqlite/vfs"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// sqliteFile reads the runs of an MLflow store in SQLite, its default since version 3: a row a step,
// with the run's parameters on each row. Runs and experiments that are marked as deleted are not
// read. The file is never written, and only tables are asked, never views.
//
// Source: mlflow/store/tracking/dbmodels/models.py.
func (b *builder) sqliteFile(name string, at io.ReaderAt, size int64) (err error) {
	defer func() {
		// The engine is translated C: a defect of its own on a damaged file must not take the
		// program down.
		if p := recover(); p != nil {
			err = fmt.Errorf("a damaged SQLite file: %v", p)
		}
		err = inFile(name, err)
	}()
	system, release, err := vfs.New(oneFile{at, size})
	if err != nil {
		return err
	}
	defer release.Close()
	db, err := sql.Open("sqlite", "file:store?vfs="+system+
		"&mode=ro&immutable=1&_pragma=trusted_schema(0)&_pragma=query_only(1)&_pragma=cell_size_check(1)&_pragma=temp_store(2)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := boundedStore(db); err != nil {
		return err
	}
	b.in(name)
	return b.mlflowStore(name, db)
}

// boundedStore refuses what makes a small file large: values that are worked out when they are read,
// and pages that stand in several places. A cell is at most [maxExpanded] / 64 long.
func boundedStore(db *sql.DB) error {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	_, err = sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, maxExpanded/64)
	if err = errors.Join(err, conn.Close()); err != nil {
		return err
	}
	generated, err := strings2(db, `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND c.hidden > 1`)
	if err != nil {
		return err
	}
	if len(generated) > 0 {
		return fmt.Errorf("the column %s of %s is generated; allowed: what is in the file", generated[0][1], generated[0][0])
	}
	var found string
	if err := db.QueryRow(`PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("a damaged SQLite file: %s", found)
	}
	return nil
}

func (b *builder) mlflowStore(name string, db *sql.DB) error {
	tables, err := strings2(db, `SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range tables {
		if !strings.Contains(strings.ToUpper(t[1]), "VIRTUAL") {
			names = append(names, t[0])
		}
	}
	for _, needed := range []string{"runs", "metrics", "params", "experiments"} {
		if !slices.Contains(names, needed) {
			return fmt.Errorf("not a store of MLflow: no table %s; there are: %s; export the runs as CSV",
				needed, strings.Join(names, ", "))
		}
	}
	experiments, err := strings2(db, `SELECT experiment_id, coalesce(name, '') || char(0) || coalesce(lifecycle_stage, '') FROM experiments`)
	if err != nil {
		return err
	}
	of := map[string][2]string{}
	for _, e := range experiments {
		label, stage, _ := strings.Cut(e[1], "\x00")
		of[e[0]] = [2]string{label, stage}
	}
	runs, err := strings2(db, `SELECT run_uuid, coalesce(name, '') || char(0) || coalesce(lifecycle_stage, '') || char(0) || coalesce(experiment_id, '') FROM runs ORDER BY start_time, run_uuid`)
	if err != nil {
		return err
	}
	named, err := strings2(db, `SELECT run_uuid, value FROM tags WHERE key = 'mlflow.runName'`)
	if err != nil {
		named = nil // an older store
	}
	label := map[string]string{}
	for _, n := range named {
		label[n[0]] = n[1]
	}
	metric, err := db.Prepare(`SELECT key, value, step, is_nan, rowid FROM metrics WHERE run_uuid = ? ORDER BY timestamp, rowid`)
	if err != nil {
		return err
	}
	defer metric.Close()
	param, err := db.Prepare(`SELECT key, substr(coalesce(value, ''), 1, 65536) FROM params WHERE run_uuid = ? ORDER BY key`)
	if err != nil {
		return err
	}
	defer param.Close()
	for _, r := range runs {
		fields := strings.SplitN(r[1], "\x00", 3)
		if fields[0] == "" {
			fields[0] = label[r[0]]
		}
		experiment := of[fields[2]]
		if fields[1] == "deleted" || experiment[1] == "deleted" {
			b.deleted(name+" run "+r[0], "deleted in MLflow (lifecycle_stage)")
			continue
		}
		if err := b.mlflowStored(name, r[0], fields[0], experiment[0], metric, param); err != nil {
			return err
		}
	}
	return nil
}

// mlflowStored reads one run of a store.
func (b *builder) mlflowStored(name, id, label, experiment string, values, settings *sql.Stmt) error {
	rows, err := values.Query(id)
	if err != nil {
		return err
	}
	defer rows.Close()
	all := metrics{}
	for rows.Next() {
		var key string
		var value sql.NullFloat64
		var step, line int64
		var isNaN sql.NullBool
		if err := rows.Scan(&key, &value, &step, &isNaN, &line); err != nil {
			b.lose(name, 0, "a metric of run %s: %v", id, err)
			continue
		}
		text := quantity.Shortest(value.Float64)
		switch {
		case isNaN.Bool || !value.Valid:
			text = "NaN"
		case math.Abs(value.Float64) >= 1.797e308: // as MLflow stores infinity
			text = "Infinity"
		}
		m := all.of(key)
		m.points = append(m.points, point{step, text, b.file, int32(min(line, math.MaxInt32)), 0})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, m := range all {
		m.inTime()
	}
	var params []smallFile
	set, err := settings.Query(id)
	if err != nil {
		return err
	}
	defer set.Close()
	for set.Next() {
		var p smallFile
		if err := set.Scan(&p.name, &p.text); err != nil {
			return err
		}
		params = append(params, p)
	}
	b.begin(part{path: name + "/" + id, id: id, name: label, experiment: experiment}, "MLflow runs")
	b.mlflowRows(all, params)
	return set.Err()
}

// strings2 returns two columns of texts.
func strings2(db *sql.DB, query string) (out [][2]string, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var pair [2]string
		if err := rows.Scan(&pair[0], &pair[1]); err != nil {
			return nil, err
		}
		out = append(out, pair)
	}
	return out, rows.Err()
}

// oneFile is a file system of one file, which is not there to be written.
type oneFile struct {
	at   io.ReaderAt
	size int64
}

func (o oneFile) Open(name string) (fs.File, error) {
	if name != "store" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openFile{io.NewSectionReader(o.at, 0, o.size), o.size}, nil
}

type openFile struct {
	*io.SectionReader
	size int64
}

func (f openFile) Close() error               { return nil }
func (f openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f openFile) Size() int64                { return f.size }
func (f openFile) Name() string               { return "store" }
func (f openFile) Mode() fs.FileMode          { return 0o444 }
func (f openFile) ModTime() (none time.Time)  { return none }
func (f openFile) IsDir() bool                { return false }
func (f openFile) Sys() any                   { return nil }
