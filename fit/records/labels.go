package records

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"regexp"
	"slices"
	"strings"
)

// copies takes out the parts whose rows are all in another: a file under two names, a folder and its
// copy, the states of a run at two checkpoints. The fullest one stays, of equal ones the first.
func (b *builder) copies() {
	if len(b.parts) < 2 {
		return
	}
	seed := maphash.MakeSeed()
	var h maphash.Hash
	h.SetSeed(seed)
	in := map[uint64][]int32{} // the parts that hold a row
	size := make([]int, len(b.parts))
	hashes := make([]uint64, b.Len())
	var cols []*column
	for _, c := range b.columns {
		if f := fold(c.heading); f != "run" && f != "run_id" && f != "run_name" && f != "experiment" {
			cols = append(cols, c)
		}
	}
	const most = 64 // parts that are remembered of one row
	for row := range b.Len() {
		h.Reset()
		for i, c := range cols {
			if text := c.cells.at(row); text != "" {
				_ = h.WriteByte(byte(i))
				_ = h.WriteByte(byte(i >> 8))
				_, _ = h.WriteString(text)
			}
		}
		hashes[row] = h.Sum64()
		p := b.rows[row].part
		size[p]++
		if of := in[hashes[row]]; len(of) < most && !slices.Contains(of, p) {
			in[hashes[row]] = append(of, p)
		}
	}
	shared := make([]map[int32]int, len(b.parts))
	for row := range b.Len() {
		p := b.rows[row].part
		for _, q := range in[hashes[row]] {
			if q != p {
				if shared[p] == nil {
					shared[p] = map[int32]int{}
				}
				shared[p][q]++
			}
		}
	}
	original := make([]int32, len(b.parts))
	for i := range original {
		original[i] = -1
	}
	told := map[[2]int32]bool{}
	for p := range b.parts {
		for q, n := range shared[p] {
			p := int32(p)
			whole := n == size[p]
			if whole && (size[q] > size[p] || size[q] == size[p] && q < p) {
				if o := original[p]; o < 0 || cmp.Or(size[q]-size[o], int(o-q)) > 0 {
					original[p] = q
				}
			} else if n >= 3 && 2*n >= size[p] && !whole && !told[[2]int32{q, p}] {
				told[[2]int32{p, q}] = true
				b.warn("%s and %s share %d equal records: one run twice?", b.parts[p].path,
					b.parts[q].path, n)
			}
		}
	}
	reasons := map[int]string{}
	counted := map[string]int{}
	var order []string
	for row := range b.Len() {
		p := b.rows[row].part
		if original[p] < 0 {
			continue
		}
		reasons[row] = "the same records are in " + b.parts[original[p]].path
		say := fmt.Sprintf("%s is a copy of records in %s: not used", b.parts[p].path,
			b.parts[original[p]].path)
		if counted[say]++; counted[say] == 1 {
			order = append(order, say)
		}
	}
	b.warnSome(order, "and %d more copies, not used")
	b.Table.lose(reasons)
}

// versioned are folders that say which attempt or state of a run they hold, not which run.
var versioned = regexp.MustCompile(`(?i)^(?:(?:version|checkpoint|ckpt|step|epoch|v)?[_-]?\d+|logs?|events|tb|tensorboard|lightning_logs|csv_logs|metrics)$`)

// labels returns a name for each path of runs: what is below the folder that all share. A run alone
// is called by its folder, with the folders above it as long as it only numbers a version.
func labels(paths []string) map[string]string {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	out := make(map[string]string, len(paths))
	if len(paths) == 1 {
		words := strings.Split(strings.Trim(paths[0], "/"), "/")
		from := len(words) - 1
		for from > 0 && versioned.MatchString(words[from]) {
			from--
		}
		out[paths[0]] = strings.Join(words[from:], "/")
		return out
	}
	var shared []string
	for i, p := range paths {
		words := strings.Split(p, "/")
		words = words[:len(words)-1]
		if i == 0 {
			shared = words
			continue
		}
		n := 0
		for n < len(words) && n < len(shared) && words[n] == shared[n] {
			n++
		}
		shared = shared[:n]
	}
	for _, p := range paths {
		out[p] = strings.Join(strings.Split(p, "/")[len(shared):], "/")
	}
	return out
}

// runColumns are the headings by which a table says which run a row belongs to, folded: its key, and
// its name.
var (
	idColumns   = []string{"run_id", "run_uuid", "trial_id", "runid", "sys_id", "sys_custom_run_id"}
	nameColumns = []string{"run", "run_name"}
	// shapeColumns are what cannot change within a run.
	shapeColumns = []string{
		"shape", "params", "non_embedding_params", "d_model", "d_ff", "layers", "encoder_layers",
		"decoder_layers", "heads", "vocab", "seed",
	}
)
