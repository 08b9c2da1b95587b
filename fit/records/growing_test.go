package records

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
)

func readWith(t *testing.T, name string, text []byte, o Options) *Table {
	t.Helper()
	table, err := ReadAll([]Input{{Name: name, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestTimesOfEvents puts the clock of an event beside its values only where it is asked for.
func TestTimesOfEvents(t *testing.T) {
	const clock = 1767323045.25
	e := scalarEvent(7, "loss", 2.5, false)
	binary.LittleEndian.PutUint64(e[1:], math.Float64bits(clock)) // behind the key of wall_time
	name := "run/events.out.tfevents.1.host"
	table := readWith(t, name, eventBytes(e), Options{Times: true})
	n, err := table.Numbers("wall_time")
	if err != nil || n.Values[0] != clock {
		t.Errorf("%v, %v", n, err)
	}
	if plain := readWith(t, name, eventBytes(e), Options{}); plain.Has("wall_time") {
		t.Errorf("columns %v", plain.Names())
	}
}

// TestGrowingFiles leaves what has no end to the next reading, and reads all of it where nobody says
// that the file grows.
func TestGrowingFiles(t *testing.T) {
	for _, c := range []struct {
		name, text    string
		whole, growth int // rows
	}{
		{"a.csv", "step,loss\n1,2.5\n2,2.4", 2, 1},
		{"a.csv", "step,loss\n1,2.5\n2,2.4\n", 2, 2},
		{"a.jsonl", "{\"step\":1}\n{\"step\":2}", 2, 2}, // a whole value
		{"a.jsonl", "{\"step\":1}\n{\"step\":2", 1, 1},
		{"a.json", "[{\"step\":1},\n{\"step\":2},\n{\"st", -1, 2},
	} {
		if c.whole >= 0 {
			if got := readWith(t, c.name, []byte(c.text), Options{}).Len(); got != c.whole {
				t.Errorf("%q: %d rows, want %d", c.text, got, c.whole)
			}
		}
		table := readWith(t, c.name, []byte(c.text), Options{Growing: true})
		if table.Len() != c.growth || len(table.Lost) != 0 {
			t.Errorf("%q while it grows: %d rows, lost %v, want %d", c.text, table.Len(), table.Lost, c.growth)
		}
		torn := !strings.HasSuffix(c.text, "\n") && !strings.HasSuffix(c.text, "}")
		if said := strings.Contains(strings.Join(table.Warnings, ""), "still being written"); said != torn {
			t.Errorf("%q: warnings %v", c.text, table.Warnings)
		}
	}
}
