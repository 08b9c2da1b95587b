package fit

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// reference reads a CSV of the reference data, which are never copied into the repository: column
// name → text values.
func reference(t testing.TB, path string) map[string][]string {
	t.Helper()
	dir := os.Getenv("DEEPNARROW_REFERENCE_DATA")
	if dir == "" {
		t.Skip("DEEPNARROW_REFERENCE_DATA is unset: no reference data")
	}
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for j, name := range rows[0] {
		for _, r := range rows[1:] {
			out[name] = append(out[name], r[j])
		}
	}
	return out
}

func floats(t testing.TB, s []string) []float64 {
	t.Helper()
	out := make([]float64, len(s))
	for i := range s {
		v, err := strconv.ParseFloat(s[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v
	}
	return out
}

// epoch returns the 245 points that Epoch read off the Chinchilla figure; tokens = FLOP/(6·size).
func epoch(t testing.TB) (d Data, flop []float64) {
	c := reference(t, "fitting/epoch_chinchilla_svg_extracted_data.csv")
	size, flop := floats(t, c["Model Size"]), floats(t, c["Training FLOP"])
	tokens := make([]float64, len(size))
	for i := range size {
		tokens[i] = flop[i] / (6 * size[i])
	}
	return Data{
		Columns: map[string][]float64{"params": size, "tokens": tokens},
		Y:       floats(t, c["loss"]),
	}, flop
}

// epoch240 drops the five highest losses, as Epoch's re-fit does.
func epoch240(t testing.TB) (Data, []float64) {
	d, flop := epoch(t)
	rows := lowest(d.Y, d.Len()-5)
	return d.Select(rows), pick(flop, rows)
}

// epoch217 keeps those of the 240 rows with less than 1e21 FLOP.
func epoch217(t testing.TB) Data {
	d, flop := epoch240(t)
	var rows []int
	for i, c := range flop {
		if c < 1e21 {
			rows = append(rows, i)
		}
	}
	return d.Select(rows)
}

// lowest returns the indices of the n lowest values, in their own order.
func lowest(y []float64, n int) []int {
	var rows []int
	for i := range y {
		below := 0
		for k := range y {
			if y[k] < y[i] || (y[k] == y[i] && k < i) {
				below++
			}
		}
		if below < n {
			rows = append(rows, i)
		}
	}
	return rows
}
