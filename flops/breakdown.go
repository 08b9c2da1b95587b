package flops

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Share is one row of a breakdown: what a part of the model owns and costs in one forward pass.
type Share struct {
	Name    string
	Params  int64
	Forward float64 // matrix-product FLOPs
	Vector  float64 // other FLOPs
}

// add counts an operation in n layers, of which some own their parameters.
func (r *Share) add(o *Op, layers, owners int) {
	r.Params += int64(owners) * o.Params
	r.Forward += float64(layers) * o.Matmul.flops()
	r.Vector += float64(layers) * o.Vector
}

// ByOp returns one share per kind of operation, in the order of the ledger.
func (l Ledger) ByOp() []Share {
	rows := make([]Share, len(l))
	for i := range l {
		rows[i].Name = l[i].Name
		rows[i].add(&l[i], l[i].Layers, l[i].Owners)
	}
	return rows
}

// ByComponent returns one share per component that owns or costs anything.
func (l Ledger) ByComponent() []Share {
	var all [components]Share
	for i := range l {
		all[l[i].Component].add(&l[i], l[i].Layers, l[i].Owners)
	}
	var rows []Share
	for c, r := range all {
		if r != (Share{}) {
			r.Name = Component(c).String()
			rows = append(rows, r)
		}
	}
	return rows
}

// ByLayer returns one share per layer, numbered from 0 as checkpoints do, and one for the input and
// the output of each stack. The sparse layers of a mixture of experts are the last of every
// SparseEvery, those without a window the last of every Layers/FullLayers.
func (l Ledger) ByLayer(s *shapes.Shape) []Share {
	var rows []Share
	at := map[string]int{}
	row := func(name string) *Share {
		i, known := at[name]
		if !known {
			i, at[name] = len(rows), len(rows)
			rows = append(rows, Share{Name: name})
		}
		return &rows[i]
	}
	for i := range l {
		o := &l[i]
		stack, _, _ := strings.Cut(o.Name, ".")
		switch {
		case o.Component == LogitHead || o.Component == PoolerLayer:
			row("head").add(o, 1, 1)
		case !o.InLayer:
			row(stack+".outside").add(o, 1, 1)
		default:
			k := &s.Encoder
			if stack == "decoder" {
				k = &s.Decoder
			}
			owned := 0 // the first layers own what the others repeat
			for n := range k.Layers {
				if o.in(k, n) {
					owner := min(1, o.Owners-owned)
					row(fmt.Sprintf("%s.%d", stack, n)).add(o, 1, owner)
					owned += owner
				}
			}
		}
	}
	return rows
}

// in reports whether layer n of stack k has the operation.
func (o *Op) in(k *shapes.Stack, n int) bool {
	if o.Layers == k.Layers {
		return true
	}
	if o.Core {
		return (k.WindowedBefore(n+1) > k.WindowedBefore(n)) == o.Windowed
	}
	return (k.SparseBefore(n+1) > k.SparseBefore(n)) == o.Sparse
}
