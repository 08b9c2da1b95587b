package records

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestSmallFilesStaySmall: files of a megabyte that would ask for gigabytes, or hours.
func TestSmallFilesStaySmall(t *testing.T) {
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
