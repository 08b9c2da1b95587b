package records

import (
	"strings"
	"testing"
)

// FuzzWhere: conditions that are read hold or fail for every row, or name a column that is not
// there.
func FuzzWhere(f *testing.F) {
	for _, text := range []string{
		"flops<1e21,loss<4", "lang=de", "a!=b,,", "params>=1B", "=", "loss<NaN", "loss<=>1",
	} {
		f.Add(text, "run,loss,params,lang\na,3,1e9,de\nb,nan,x,\n")
	}
	f.Fuzz(func(t *testing.T, text, table string) {
		where, err := ParseWhere(text)
		if err != nil {
			return
		}
		rows, err := readFile("r.csv", strings.NewReader(table))
		if err != nil {
			return
		}
		failure, err := where.failure(rows)
		if err != nil {
			return
		}
		for row := range rows.Len() {
			_ = failure(row)
		}
	})
}
